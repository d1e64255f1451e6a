"""Answers to free questions over a conversation: the passage that holds it, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from portal.analysis.encoder import Encoder
from portal.analysis.engines.base import Evidence, Reply, Turn
from portal.analysis.grounding import ground_reply
from portal.analysis.passages import FreeQuestion, Passage, coverage, cut, weights
from portal.analysis.text import sentences, shorten

ANSWER_MAX_WORDS = 40
# Embedding is the slow part: only the best passages by words get it, and some of the others,
# for a measure of what similar means in this conversation.
_MAX_ENCODED = 40
_SIMILAR, _MISFIT, _EMPLOYEE = 0.2, -0.4, -0.3
_ENOUGH = 0.5
_SHORT, _LONG = 8, 25


@dataclass(frozen=True, slots=True)
class Ranked:
    """``covered``: the share of the question that the passage names; ``similar``: how much more
    like the question it sounds than the rest, in standard deviations."""

    passage: Passage
    covered: float
    similar: float
    fits: bool

    @property
    def score(self) -> float:
        return (
            self.covered
            + _SIMILAR * self.similar
            + (0.0 if self.fits else _MISFIT)
            + (_EMPLOYEE if self.passage.employee else 0.0)
        )

    @property
    def enough(self) -> bool:
        """Whether it is about what is asked and holds what is looked for."""
        return self.fits and self.covered + 0.1 * min(3.0, self.similar) >= _ENOUGH


def rank(turns: Sequence[Turn], text: str, encoder: Encoder | None) -> list[Ranked]:
    """Passages from the most to the least likely; empty when the question names nothing."""
    question = FreeQuestion(text)
    passages = cut(turns)
    if not passages or not question.stems:
        return []
    weight = weights(question, passages)
    covered = [coverage(question, passage, weight) for passage in passages]
    order = sorted(range(len(passages)), key=lambda p: (-covered[p], p))[:_MAX_ENCODED]
    similar = _similarity(question.text, [passages[p] for p in order], encoder)
    ranked = [
        Ranked(passages[p], covered[p], s, question.fits(passages[p]))
        for p, s in zip(order, similar, strict=True)
    ]
    return sorted(ranked, key=lambda r: -r.score)


def _similarity(question: str, passages: Sequence[Passage], encoder: Encoder | None) -> list[float]:
    if encoder is None or len(passages) < 2:
        return [0.0] * len(passages)
    texts = [f"{p.asked[-120:]} {p.text}".strip() for p in passages]
    vectors = encoder.encode([question, *texts])
    similarity = vectors[1:] @ vectors[0]
    spread = max(float(np.std(similarity)), 1e-3)
    return [float(s - similarity.mean()) / spread for s in similarity]


def answer_question(turns: Sequence[Turn], question: str, encoder: Encoder | None) -> Reply:
    """The words that answer, or ``found=False`` when the conversation does not say."""
    best = next(iter(rank(turns, question, encoder)), None)
    names = FreeQuestion(question).names
    if best is None or not best.enough:
        return Reply(False)
    if any(best.passage.names(name) < 0.5 for name in names):
        return Reply(False)
    return ground_reply(turns, _reply(best.passage))


def _reply(passage: Passage) -> Reply:
    """The stretch in its sentence, with its neighbours while it is short."""
    start, end = passage.piece.start, passage.piece.end
    for sentence in sentences(passage.parsed):
        if sentence.end - min(start, sentence.start) > _LONG or sentence.end <= start:
            continue
        if sentence.start <= start or end - start < _SHORT:
            start, end = min(start, sentence.start), max(end, sentence.end)
    before = [s for s in sentences(passage.parsed) if s.end == start]
    if before and end - start < _SHORT and end - before[0].start <= _LONG:
        start = before[0].start
    quote = passage.parsed.slice(start, end)
    answer = shorten(quote, ANSWER_MAX_WORDS)
    return Reply(True, answer[:1].upper() + answer[1:], (Evidence(passage.turn, quote),))
