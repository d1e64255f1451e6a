"""Taking out of a turn what is said in a stretch, and putting it back. Pure text and times.

Words are ``[text, start, end, probability]`` in order, as a Turn keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from portal.conversations.words import Spoken, placed

BLOCK = "█████"
"""What stands in the place of words: of one length, whatever and however many they were."""


MARGIN = 0.15
"""Seconds of silence on either side of what was chosen: the edges of a word are not known better,
and no edge of it shall be heard."""


@dataclass(slots=True)
class Said:
    """A turn as an engine gives it, or as it was at some time."""

    start: float
    end: float
    text: str
    words: list[Any]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds of the audio."""

    start: float
    end: float

    def holds(self, start: float, end: float) -> bool:
        """Whether most of what is said from ``start`` to ``end`` is said in it."""
        return self.start < (start + end) / 2 < self.end


@dataclass(frozen=True, slots=True)
class Piece:
    """What stood where a block from ``start`` to ``end`` stands now."""

    start: float
    end: float
    text: str
    words: list[Any]


@dataclass(frozen=True, slots=True)
class Struck:
    text: str
    words: list[Any]
    pieces: tuple[Piece, ...]


def strike(said: Spoken, stretch: Stretch) -> Struck | None:
    """``said`` with a block in the place of each run of words of the stretch; None when it has
    none. What stands between these words in the text goes with them."""
    spans = _spans(said.text, said.words)
    if len(spans) < len(said.words) or not spans:
        return _whole(said, stretch)
    text, words, pieces = "", list[Any](), []
    cursor = 0
    for gone, run in groupby(range(len(spans)), lambda n: _is_of(said.words[n], stretch)):
        numbers = list(run)
        if not gone:
            words.extend(said.words[n] for n in numbers)
            continue
        first, last = numbers[0], numbers[-1]
        begins = spans[first - 1][1] if first else 0
        ends = spans[last + 1][0] if last + 1 < len(spans) else len(said.text)
        piece = _piece(said.text[begins:ends], said.words[first : last + 1])
        lead, trail = said.text[begins:ends].split(piece.text, 1)
        text += f"{said.text[cursor:begins]}{lead}{BLOCK}{trail}"
        cursor = ends
        words.append([_like(said.words[first][0]), piece.start, piece.end, 1.0])
        pieces.append(piece)
    return Struck(text + said.text[cursor:], words, tuple(pieces)) if pieces else None


def put_back(said: Spoken, piece: Piece) -> tuple[str, list[Any]] | None:
    """Text and words of ``said`` with the piece in the place of its block; None when that block
    does not stand in it."""
    spans = _spans(said.text, said.words)
    for number, (at, after) in spans.items():
        word, start, end, *_ = said.words[number]
        if _is_block(word) and (start, end) == (piece.start, piece.end):
            text = said.text[:at] + piece.text + said.text[after:]
            return text, said.words[:number] + piece.words + said.words[number + 1 :]
    return None


def insert(said: Spoken, piece: Piece) -> tuple[str, list[Any]]:
    """Text and words of ``said`` with the piece at its time, where no block keeps its place."""
    number = next((n for n, word in enumerate(said.words) if word[1] >= piece.start), None)
    at = len(said.text)
    if number is None:
        number = len(said.words)
    else:
        at = _spans(said.text, said.words).get(number, (at, at))[0]
    parts = (said.text[:at].rstrip(), piece.text.strip(), said.text[at:].lstrip())
    words = said.words[:number] + piece.words + said.words[number:]
    return " ".join(part for part in parts if part), words


def block(start: float, end: float) -> Piece:
    return Piece(start, end, BLOCK, [[f" {BLOCK}", start, end, 1.0]])


def blocks(said: Spoken, stretch: Stretch) -> list[tuple[float, float]]:
    """Times of the blocks of a stretch that stand in ``said``."""
    return [
        (start, end)
        for word, start, end, *_ in said.words
        if _is_block(word) and stretch.holds(start, end)
    ]


def _is_block(word: Any) -> bool:
    return str(word).strip() == BLOCK


def _is_of(word: Sequence[Any], stretch: Stretch) -> bool:
    text, start, end, *_ = word
    return stretch.holds(start, end) and not _is_block(text)


def _spans(text: str, words: Sequence[Sequence[Any]]) -> dict[int, tuple[int, int]]:
    """First character and the one after, of each word by its number, as far as it stands there."""
    numbered = [(word[0], number, number) for number, word in enumerate(words)]
    return {int(number): (at, after) for at, after, number, _ in placed(text, numbered)}


def _piece(text: str, words: list[Any]) -> Piece:
    ends = max(end for _text, _start, end, *_ in words)
    return Piece(words[0][1], ends, text.strip(), words)


def _like(word: str) -> str:
    """A block with the white space that stood before ``word``."""
    return word[: len(word) - len(word.lstrip())] + BLOCK


def _whole(said: Spoken, stretch: Stretch) -> Struck | None:
    """A turn whose words don't spell its text goes altogether: nobody can tell which of its
    letters are said in the stretch."""
    start, end = max(said.start, stretch.start), min(said.end, stretch.end)
    if end - start <= MARGIN or said.text.strip() in ("", BLOCK):
        return None
    if said.words and not any(_is_of(word, stretch) for word in said.words):
        return None
    piece = Piece(start, end, said.text, list(said.words))
    return Struck(BLOCK, [[BLOCK, start, end, 1.0]], (piece,))
