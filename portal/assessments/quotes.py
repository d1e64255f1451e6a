"""Where in the audio a quote is, and what stands in its place when the words are heard anew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.analysis.text import words as words_of
from portal.conversations.words import Spoken, placed

SLACK = 2.0
"""Seconds by which two recognisers may disagree on when the same words were said."""

WIDER = 0.5
"""Seconds looked at on either side when nothing was heard in the very stretch."""


MOST_WORDS = 30
"""Of an answer that is somebody's own words: the whole of them is beside it."""


@dataclass(frozen=True, slots=True)
class Place:
    """``quote`` stands in turn number ``turn`` and is said from ``start`` to ``end``."""

    turn: int
    quote: str
    start: float
    end: float


def shortened(answer: str, quotes: Sequence[str]) -> str:
    """``answer`` for the field: at most MOST_WORDS words and a mark, if it is long and all of it
    can be read in ``quotes``; what is told in other words stays whole."""
    said = words_of(answer)
    if len(said) <= MOST_WORDS:
        return answer
    quoted = " ".join(" ".join(words_of(quote).folded) for quote in quotes)
    if " ".join(said.folded) not in quoted:
        return answer
    return f"{said.slice(0, MOST_WORDS)} …"


def locate(
    quote: str, text: str, words: Sequence[Sequence[Any]], start: float, end: float
) -> tuple[float, float] | None:
    """Seconds from where to where ``quote`` is said, or None when it does not stand in ``text``.

    ``words`` are ``[text, start, end, probability]`` in order, as a turn keeps them. A turn
    without usable words, whose text a person corrected for example, gives its own
    ``start`` and ``end``.
    """
    at = text.find(quote) if quote.strip() else -1
    if at < 0:
        return None
    return _span(text, words, start, end, at=at, until=at + len(quote))


def find_again(quote: str, start: float, end: float, turns: Sequence[Spoken]) -> Place | None:
    """Where what was quoted stands in other turns of the same audio: the same words near the same
    seconds or else, in one turn, the words that are there now. None when nothing is said there."""
    return _verbatim(quote, start, turns) or _between(start, end, turns)


def follow(quote: str, start: float, end: float, turns: Sequence[Spoken]) -> Place | None:
    """Where what was quoted stands once a person has corrected the turns it stood in: the same
    words, accents, capitals and marks aside. Other words prove nothing, whoever wrote them."""
    place = find_again(quote, start, end, turns)
    if place is not None and words_of(place.quote).folded == words_of(quote).folded:
        return place
    for number, turn in enumerate(turns):
        span = locate(quote, turn.text, turn.words, turn.start, turn.end)
        if span is not None:
            return Place(number, quote, *span)
    return None


def _verbatim(quote: str, start: float, turns: Sequence[Spoken]) -> Place | None:
    parts = quote.split()
    if not parts:
        return None
    words = r"\s+".join(map(re.escape, parts))
    pattern = re.compile(rf"(?<!\w){words}(?!\w)")
    places = []
    for number, turn in enumerate(turns):
        if turn.end < start - SLACK or turn.start > start + SLACK:
            continue
        for found in pattern.finditer(turn.text):
            span = _span(
                turn.text, turn.words, turn.start, turn.end, at=found.start(), until=found.end()
            )
            places.append(Place(number, found.group(), *span))
    places = [place for place in places if abs(place.start - start) <= SLACK]
    return min(places, key=lambda place: abs(place.start - start), default=None)


def _between(start: float, end: float, turns: Sequence[Spoken]) -> Place | None:
    for more in (0.0, WIDER):
        places = [
            place
            for number, turn in enumerate(turns)
            if (place := _said_between(number, turn, start - more, end + more)) is not None
        ]
        if places:
            return max(places, key=lambda place: place.end - place.start)
    return None


def _said_between(number: int, turn: Spoken, start: float, end: float) -> Place | None:
    if turn.end < start or turn.start > end:
        return None
    words = list(placed(turn.text, turn.words))
    if not words:
        middle = (turn.start + turn.end) / 2
        return Place(number, turn.text, turn.start, turn.end) if start <= middle <= end else None
    said = [word for word in words if start <= (word[2] + word[3]) / 2 <= end]
    if not said:
        return None
    return Place(number, turn.text[said[0][0] : said[-1][1]], said[0][2], said[-1][3])


def _span(
    text: str, words: Sequence[Sequence[Any]], start: float, end: float, *, at: int, until: int
) -> tuple[float, float]:
    """Seconds of the characters ``at`` to before ``until``."""
    times = [
        (word_start, word_end)
        for found, after, word_start, word_end in placed(text, words)
        if found < until and after > at
    ]
    if not times:
        return start, end
    return max(start, times[0][0]), min(end, max(stop for _start, stop in times))
