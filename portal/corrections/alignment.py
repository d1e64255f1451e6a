"""What becomes of the times of words when a person corrects a text, divides it or joins two.

Pure text and times. Words are ``[text, start, end, probability]`` in order, as a Turn keeps them;
a stretch without any (an engine that gives none) stays without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from portal.analysis.text import fold
from portal.conversations.words import Spoken, placed

CERTAIN = 1.0
"""The probability of a word that a person wrote."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is said from ``start`` to ``end``."""

    start: float
    end: float
    text: str
    words: list[list[Any]]


def clean(text: str) -> str:
    """On one line, single spaces, no control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())


def correct(said: Spoken, text: str) -> Stretch:
    """``said`` with another text. Words that stay keep their times; those that take the place of
    others share the time of these; those put in between share the gap there. A word that is
    written as it was keeps its probability too."""
    text = clean(text)
    tokens = text.split()
    if not said.words:
        return Stretch(said.start, said.end, text, [])
    old, new = [_key(word[0]) for word in said.words], [_key(token) for token in tokens]
    words: list[list[Any]] = []
    for same, i, until, j, j_until in _runs(old, new):
        if same:
            pairs = zip(said.words[i:until], tokens[j:j_until], strict=True)
            words.extend(_rewritten(word, token) for word, token in pairs)
        else:
            words.extend(_shared(tokens[j:j_until], *_room(said, i, until)))
    return Stretch(said.start, said.end, text, words)


def split(said: Spoken, at: int) -> tuple[Stretch, Stretch]:
    """``said`` in two, at the boundary between words that is nearest to character ``at``.

    Raises ValueError when nothing would be left on one side.
    """
    text = said.text
    at = _boundary(text, at)
    head, tail = text[:at].rstrip(), text[at:].lstrip()
    if not head or not tail:
        raise ValueError(at)
    # Numbers in the place of times tell which of the words it is that stands there.
    numbered = [(word[0], number, number) for number, word in enumerate(said.words)]
    behind = (int(number) for found, _, number, _ in placed(text, numbered) if found >= at)
    first = next(behind, len(said.words))
    before, after = said.words[:first], said.words[first:]
    share = said.start + (said.end - said.start) * len(head) / len(text)
    ends = max((word[2] for word in before), default=after[0][1] if after else share)
    begins = after[0][1] if after else ends
    return (
        Stretch(said.start, _between(ends, said), head, before),
        Stretch(_between(begins, said), said.end, tail, after),
    )


def merge(first: Spoken, second: Spoken) -> Stretch:
    """Both as one, in this order. Where they were said at the same time, the words of the second
    begin no sooner than the last one of the first: times never go back."""
    words = list(_timed(first, second))
    floor = words[-1][1] if words else first.start
    for text, start, end, probability in _timed(second, first):
        floor = max(floor, start)
        words.append([text, floor, max(floor, end), probability])
    return Stretch(
        min(first.start, second.start),
        max([first.end, second.end, *(word[2] for word in words)]),
        f"{first.text} {second.text}",
        words,
    )


def _key(token: str) -> str:
    """What makes two writings the same word: its letters, accents and capitals aside."""
    return "".join(c for c in fold(str(token)) if c.isalnum()) or str(token).strip()


def _runs(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Stretches of ``old`` and of ``new`` that correspond, in order: whether they are the same, and
    from where to before where in each."""
    # What begins and ends alike first: a matcher may take one "no" of several for another.
    most = min(len(old), len(new))
    head = next((n for n in range(most) if old[n] != new[n]), most)
    most -= head
    tail = next((n for n in range(most) if old[-1 - n] != new[-1 - n]), most)
    yield True, 0, head, 0, head
    middle = SequenceMatcher(
        None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False
    )
    for kind, i, until, j, j_until in middle.get_opcodes():
        yield kind == "equal", head + i, head + until, head + j, head + j_until
    yield True, len(old) - tail, len(old), len(new) - tail, len(new)


def _rewritten(word: Sequence[Any], token: str) -> list[Any]:
    text, start, end, probability = word
    return [token, start, end, probability if str(text).strip() == token else CERTAIN]


def _room(said: Spoken, first: int, until: int) -> tuple[float, float]:
    """From when to when there is room in the place of the words ``first`` to before ``until``."""
    words = said.words
    if first < until:
        return words[first][1], max(word[2] for word in words[first:until])
    low = words[first - 1][2] if first else said.start
    high = words[first][1] if first < len(words) else said.end
    return min(low, high), high


def _shared(tokens: Sequence[str], start: float, end: float) -> list[list[Any]]:
    """The time divided among ``tokens`` by their length."""
    letters, total = 0, sum(map(len, tokens))
    words: list[list[Any]] = []
    for token in tokens:
        begins = start + (end - start) * letters / total
        letters += len(token)
        ends = end if letters == total else start + (end - start) * letters / total
        words.append([token, begins, ends, CERTAIN])
    return words


def _timed(said: Spoken, other: Spoken) -> list[list[Any]]:
    """Its words; where only ``other`` has times, it gets some of its own, so that no word of
    ``other`` is looked for in its text."""
    if said.words or not other.words:
        return said.words
    return _shared(said.text.split(), said.start, said.end)


def _boundary(text: str, at: int) -> int:
    """Where the word begins that follows the gap nearest to ``at``; of two, the one before."""
    gaps = [(0, 0), *(found.span() for found in re.finditer(r"\s+", text)), (len(text), len(text))]
    return min(gaps, key=lambda gap: max(gap[0] - at, at - gap[1], 0))[1]


def _between(seconds: float, said: Spoken) -> float:
    return min(max(seconds, said.start), said.end)
