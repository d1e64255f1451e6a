"""From what the recogniser committed piece by piece to turns as a whole transcript has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from portal.live.models import LiveTurn
from portal.speech.engines.base import Turn, Word
from portal.speech.turns import build_turns

_WHOLE_TURN = -1.0
"""The probability of a "word" that is a turn of an engine without times of its words."""


@dataclass(frozen=True, slots=True)
class MergedTurn:
    """An uninterrupted stretch of one speaker in one part (its number).

    ``start`` and ``end`` are seconds from the start of the part; ``words`` are
    ``[text, start, end, probability]``, as a Turn keeps them.
    """

    speaker: str
    role: str
    part: int
    start: float
    end: float
    text: str
    words: list[list[Any]]


def merged(turns: Sequence[LiveTurn]) -> list[MergedTurn]:
    """Turns in the order given, with what follows of the same speaker joined by the rules that
    `portal.speech.turns` has for a whole recording. No word is lost. Reads each turn's ``part``.
    """
    runs = groupby(turns, key=lambda turn: (turn.speaker, turn.role, turn.part.number))
    return [
        MergedTurn(
            speaker=speaker,
            role=role,
            part=part,
            start=turn.start,
            end=turn.end,
            text=turn.text,
            words=[
                [word.text, word.start, word.end, word.probability]
                for word in turn.words
                if word.probability != _WHOLE_TURN
            ],
        )
        for (speaker, role, part), run in runs
        for turn in _joined([word for live in run for word in _words(live)])
    ]


def _joined(words: Sequence[Word]) -> Sequence[Turn]:
    return build_turns(words, [""] * len(words))


def _words(turn: LiveTurn) -> Iterator[Word]:
    if turn.words:
        yield from (Word(*word) for word in turn.words)
    elif turn.text:
        yield Word(turn.text, turn.start, turn.end, _WHOLE_TURN)
