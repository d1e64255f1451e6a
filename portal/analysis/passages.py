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
from portal.analysis.language import read_data, word_list, word_set
from portal.analysis.text import (
    Sentence,
    Words,
    content_stems,
    fold,
    has_punctuation,
    sentences,
    small_number,
    stem,
    stretches,
    words,
)

_SYNONYM = 0.8
# What an interviewer says in fewer words informs of nothing.
_TOLD_WORDS = 6

# Words of asking itself: they name no topic.
_ASKING = frozenset(stem(word) for word in word_list("asking"))
_PEOPLE = word_set("people")
_TIMES = word_set("times")
_PLACE_BEFORE = word_set("before_places")
_NUMBERS = word_set("larger_numbers")
_REASONS = frozenset(("porque", "por", "como", "que", "para", "debido", "culpa"))
_QUESTION_WORDS = frozenset(
    (word,) for word in (*word_list("fact_words"), "a", "de", "en", "con", "por", "desde", "hasta")
)
_KINDS = (
    ("number", ("cuant", "que edad", "que cantidad")),
    ("time", ("cuando", "que dia", "que mes", "que ano", "que hora", "que fecha")),
    (
        "place",
        ("donde", "adonde", "que calle", "que barrio", "que ciudad", "que pais", "que pueblo"),
    ),
    ("person", ("quien",)),
    ("name", ("como se llama", "que nombre", "cual es el nombre")),
)


@cache
def _groups() -> Mapping[str, frozenset[int]]:
    """The groups of synonyms each stem belongs to."""
    data = cast("dict[str, list[str]]", read_data("synonyms_es.json"))
    groups: dict[str, set[int]] = {}
    for number, members in enumerate(data["groups"]):
        for word in fold(members).split():
            groups.setdefault(stem(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in groups.items()}


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


class FreeQuestion:
    """What a free question looks for: its content stems, its names, and the kind of answer."""

    def __init__(self, text: str) -> None:
        parsed = words(text)
        self.text = text
        stems = content_stems(parsed.folded)
        self.stems = [s for s in dict.fromkeys(stems) if s not in _ASKING]
        self.names = {
            stem(word)
            for place, word in enumerate(parsed.folded)
            if place > 0 and parsed.text[parsed.spans[place][0]].isupper() and len(word) > 2
        }
        opening = " ".join(parsed.folded[:5])
        first = parsed.folded[:1]
        self.why = opening.startswith("por que")
        self.yes_no = not self.why and first not in _QUESTION_WORDS
        self.expects = next(
            (kind for kind, starts in _KINDS if any(start in opening for start in starts)), ""
        )

    @staticmethod
    def gives_reason(passage: Passage) -> bool:
        return not _REASONS.isdisjoint(passage.folded)

    def fits(self, passage: Passage) -> bool:
        """Whether the passage holds anything of the kind of answer that is looked for."""
        folded = passage.folded
        if self.expects == "number":
            return any(w.isdigit() or w in _NUMBERS or (small_number(w) or 0) > 1 for w in folded)
        if self.expects == "time":
            return any(w in _TIMES or w.isdigit() for w in folded)
        if self.expects == "place":
            return any(w in _PLACE_BEFORE for w in folded)
        if self.expects == "person":
            return self._capital(passage) or any(w in _PEOPLE for w in folded)
        if self.expects == "name":
            return self._capital(passage) or any(w.startswith(("llam", "nombre")) for w in folded)
        return True

    @staticmethod
    def _capital(passage: Passage) -> bool:
        text, spans = passage.parsed.text, passage.parsed.spans
        places = range(passage.piece.start, passage.piece.end)
        # A capital at the start of a sentence names nobody.
        return any(
            text[spans[p][0]].isupper()
            and p > 0
            and text[: spans[p][0]].rstrip()[-1:] not in ".?!…"
            for p in places
        )


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
