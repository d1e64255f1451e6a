"""A transcript as a language model is given it: numbered lines between marks that none of them can
hold, in windows that the model has room for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.analysis.engines.base import Turn

CHARACTERS_PER_TOKEN = 3
"""Of Spanish, on the safe side: most models have 3.5 to 4.5."""

OVERLAP = 8
"""Turns that a window has of the one before, for the questions that its first turns answer."""

_LABEL = 24


@dataclass(frozen=True, slots=True)
class Line:
    """A turn, or as much of a very long one as a window has room for."""

    number: int
    speaker: str
    text: str

    def __str__(self) -> str:
        return f"{self.number} {self.speaker}: {self.text}"


def numbered(turns: Sequence[Turn], *, first: int = 0) -> list[Line]:
    """One line a turn, ``first`` being the number of the first; who says nothing has none."""
    return [
        Line(number, "-".join(turn.speaker.split())[:_LABEL] or "otro", text)
        for number, turn in enumerate(turns, first)
        if (text := " ".join(turn.text.split()))
    ]


def written(lines: Sequence[Line]) -> str:
    """Between marks made of the text's own digest, which it therefore cannot contain."""
    text = "\n".join(map(str, lines))
    mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
    return f"[[transcripción {mark}]]\n{text}\n[[fin {mark}]]"


def windows(lines: Sequence[Line], characters: int) -> Iterator[list[Line]]:
    """Stretches of about ``characters`` at most, each beginning with the last turns of the one
    before; a turn longer than that is in several."""
    pieces = [piece for line in lines for piece in _cut(line, characters)]
    start = 0
    while start < len(pieces):
        end, size = start, 0
        while end < len(pieces) and (end == start or size + _size(pieces[end]) <= characters):
            size += _size(pieces[end])
            end += 1
        yield pieces[start:end]
        if end == len(pieces):
            return
        room, again = characters // 4, end
        while again > start + 1 and end - again < OVERLAP:
            room -= _size(pieces[again - 1])
            if room < 0:
                break
            again -= 1
        start = again


def _size(line: Line) -> int:
    return len(str(line)) + 1


def _cut(line: Line, characters: int) -> Iterator[Line]:
    """At white space, so that quotes stay whole words."""
    text, most = line.text, max(1, characters // 2)
    while len(text) > most:
        at = text.rfind(" ", most // 2, most)
        at = at if at > 0 else most
        yield Line(line.number, line.speaker, text[:at])
        text = text[at:].lstrip()
    yield Line(line.number, line.speaker, text)
