"""A conversation cut into passages, and how far each names what a free question names."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from portal.analysis.engines.base import Turn
from portal.analysis.grounding import EMPLOYEE
from portal.analysis.language import read_data
from portal.analysis.seeking import FreeQuestion
from portal.analysis.text import (
    Sentence,
    Words,
    content_stems,
    fold,
    has_punctuation,
    sentences,
    stem,
    stretches,
    words,
)

_SYNONYM = 0.8
# What an interviewer says in fewer words informs of nothing.
_TOLD_WORDS = 6


@cache
def _groups() -> Mapping[str, frozenset[int]]:
    """The groups of synonyms each stem belongs to."""
    data = cast("dict[str, list[str]]", read_data("synonyms_es.json"))
    groups: dict[str, set[int]] = {}
    for number, members in enumerate(data["groups"]):
        for word in fold(members).split():
            groups.setdefault(stem(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in groups.items()}


def alike(one: str, other: str) -> bool:
    """Whether two stems are the same or mean about the same."""
    return one == other or not _groups().get(one, frozenset()).isdisjoint(_groups().get(other, ()))


def _expanded(stems: Sequence[str]) -> frozenset[int]:
    return frozenset(number for s in stems for number in _groups().get(s, ()))


@dataclass(frozen=True, slots=True)
class _Named:
    """Stems, and the groups of synonyms they belong to."""

    stems: frozenset[str]
    groups: frozenset[int]

    @classmethod
    def of(cls, folded: Sequence[str]) -> _Named:
        stems = content_stems(folded)
        return cls(frozenset(stems), _expanded(stems))

    def holds(self, wanted: str) -> float:
        if wanted in self.stems:
            return 1.0
        return _SYNONYM if not self.groups.isdisjoint(_groups().get(wanted, ())) else 0.0


_NOTHING = _Named(frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of turn number ``turn``; ``asked`` is what the interviewer had said before it."""

    turn: int
    parsed: Words
    piece: Sentence
    employee: bool
    text: str
    asked: tuple[str, ...]
    own: _Named
    context: _Named
    beside: _Named

    @property
    def folded(self) -> tuple[str, ...]:
        return self.parsed.folded[self.piece.start : self.piece.end]

    def names(self, wanted: str) -> tuple[float, float, float]:
        """How far the passage, what it replies to and what stands beside it name a stem, 0 to 1."""
        return self.own.holds(wanted), self.context.holds(wanted), self.beside.holds(wanted)


def cut(turns: Sequence[Turn]) -> list[Passage]:
    """Everything that is said, but what the interviewer asks."""
    result: list[Passage] = []
    asked: tuple[str, ...] = ()
    context = _NOTHING
    for number, turn in enumerate(turns):
        parsed = words(turn.text)
        employee = turn.speaker == EMPLOYEE
        pieces = stretches(parsed, sentences(parsed))
        named = [_Named.of(parsed.folded[p.start : p.end]) for p in pieces]
        for place, piece in enumerate(pieces):
            told = piece.end - piece.start >= _TOLD_WORDS and has_punctuation(turn.text)
            if employee and (piece.interrogative or not told):
                continue
            beside = _merged(named[max(0, place - 1) : place] + named[place + 1 : place + 2])
            result.append(
                Passage(
                    number,
                    parsed,
                    piece,
                    employee,
                    parsed.slice(piece.start, piece.end),
                    () if employee else asked,
                    named[place],
                    context,
                    beside,
                )
            )
        if employee:
            asked = tuple(parsed.slice(p.start, p.end) for p in pieces)
        if pieces:
            # What the next turn replies to; a bare "sí" in between changes nothing.
            whole = _merged(named)
            if employee or len(parsed) > 2:
                context = whole
    return result


def _merged(named: Sequence[_Named]) -> _Named:
    return _Named(
        frozenset().union(*(n.stems for n in named)), frozenset().union(*(n.groups for n in named))
    )


def weights(question: FreeQuestion, passages: Sequence[Passage]) -> dict[str, float]:
    """How much each stem of the question tells (idf): the rarer in the conversation, the more."""
    seen: Counter[str] = Counter()
    for passage in passages:
        seen.update(passage.own.stems)
    count = len(passages)
    return {s: math.log(1 + (count - seen[s] + 0.5) / (seen[s] + 0.5)) for s in question.stems}


def coverage(
    question: FreeQuestion, passage: Passage, weight: Mapping[str, float]
) -> tuple[float, float, float, float]:
    """The share of what is asked, by weight, that is named by the passage, by what it replies to,
    by what stands beside it, and by any of them: each 0 to 1."""
    total = sum(weight.values())
    if not total:
        return 0.0, 0.0, 0.0, 0.0
    named = [(weight[s] / total, passage.names(s)) for s in question.stems]
    own, context, beside = (sum(w * places[i] for w, places in named) for i in range(3))
    return own, context, beside, sum(w * max(places) for w, places in named)
