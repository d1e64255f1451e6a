"""The local engine: cues, embeddings and the person's own words; nothing leaves the machine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from portal.analysis.coverage import Coverage
from portal.analysis.describing import describe
from portal.analysis.encoder import Encoder, default_encoder, encoder_problems
from portal.analysis.engines.base import Description, Finding, Question, Reply, Turn
from portal.analysis.retrieval import answer_question
from portal.engine import Problem

_REMEMBERED = 8


class ExtractiveEngine:
    """Says nothing that is not in the transcript. Safe to share between threads.

    ``encoder``: None takes the one installed; without any it works by words alone, and
    ``check()`` says so.
    """

    name = "extractive"

    def __init__(self, encoder: Encoder | None = None) -> None:
        self._given = encoder
        self._coverage: dict[tuple[Question, ...], Coverage] = {}

    @cached_property
    def _encoder(self) -> Encoder | None:
        return self._given or default_encoder()

    @property
    def model(self) -> str:
        return self._encoder.name if self._encoder else "lexical"

    def check(self) -> list[Problem]:
        """What is missing for it to work at its best; empty when nothing is."""
        return [] if self._given else encoder_problems()

    def assess(
        self, turns: Sequence[Turn], questions: Sequence[Question], *, known: Sequence[str] = ()
    ) -> list[Finding]:
        """All questions are read, since each tells the others apart; the known are left out."""
        if not questions:
            return []
        key = tuple(questions)
        coverage = self._coverage.get(key)
        if coverage is None:
            if len(self._coverage) >= _REMEMBERED:
                self._coverage.clear()
            coverage = self._coverage[key] = Coverage(key, self._encoder)
        left_out = set(known)
        return [f for f in coverage.findings(turns) if f.question_id not in left_out]

    def describe(self, turns: Sequence[Turn]) -> Description:
        return describe(turns)

    def ask(self, turns: Sequence[Turn], question: str) -> Reply:
        return answer_question(turns, question, self._encoder)
