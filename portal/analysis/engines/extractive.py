"""The local engine: cues, embeddings and the person's own words; nothing leaves the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from portal.analysis.coverage import Coverage
from portal.analysis.cross_encoder import cross_encoder, cross_encoder_problems
from portal.analysis.describing import describe
from portal.analysis.encoder import Encoder, default_encoder, encoder_problems
from portal.analysis.engines.base import Description, Finding, Question, Reply, Turn
from portal.analysis.heads import Heads, Learned
from portal.analysis.logistic import Logistic, listener
from portal.analysis.questionnaire import default_questionnaire
from portal.analysis.retrieval import answer_question
from portal.engine import Problem

_REMEMBERED = 8


class ExtractiveEngine:
    """Says nothing that is not in the transcript. Safe to share between threads.

    ``encoder``: None takes the one installed; without any it works by words alone, and
    ``check()`` says so. ``known`` and ``judges``: None takes what comes with the package.
    """

    name = "extractive"

    def __init__(
        self,
        encoder: Encoder | None = None,
        *,
        known: Learned | None = None,
        judges: Mapping[str, Logistic] | None = None,
    ) -> None:
        self._given = encoder
        self._known = known
        self._judges = judges
        self._coverage: dict[tuple[Question, ...], Coverage] = {}

    @cached_property
    def _encoder(self) -> Encoder | None:
        return self._given or default_encoder()

    @property
    def model(self) -> str:
        return self._encoder.name if self._encoder else "lexical"

    def check(self) -> list[Problem]:
        """What is missing for it to work at its best; empty when nothing is."""
        return [] if self._given else encoder_problems() + cross_encoder_problems()

    def assess(
        self, turns: Sequence[Turn], questions: Sequence[Question], *, known: Sequence[str] = ()
    ) -> list[Finding]:
        """All questions are read, since each tells the others apart; the known are left out."""
        if not questions:
            return []
        left_out = set(known)
        findings = self._reader(questions).findings(turns)
        return [f for f in findings if f.question_id not in left_out]

    def _reader(self, questions: Sequence[Question]) -> Coverage:
        key = tuple(questions)
        if key not in self._coverage:
            if len(self._coverage) >= _REMEMBERED:
                self._coverage.clear()
            self._coverage[key] = Coverage(key, self._heads(key), self._judged)
        return self._coverage[key]

    def describe(self, turns: Sequence[Turn]) -> Description:
        """What replies to the form's questions is told from what the person came for."""
        notes = self._reader(default_questionnaire().questions).listen(turns)
        return describe(turns, notes.prompted())

    def ask(self, turns: Sequence[Turn], question: str) -> Reply:
        encoder = self._encoder
        reader = cross_encoder() if encoder else None
        return answer_question(turns, question, encoder, self._form, self._judged, reader)

    @property
    def _judged(self) -> Mapping[str, Logistic]:
        return self._judges or listener()

    def _heads(self, questions: Sequence[Question]) -> Heads:
        return Heads(questions, self._encoder, self._known)

    @cached_property
    def _form(self) -> Heads:
        """A free question is often of the default form's matters."""
        return self._heads(default_questionnaire().questions)
