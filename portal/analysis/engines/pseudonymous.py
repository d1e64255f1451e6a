"""An engine outside that is not told who anybody is: see ``portal.analysis.pseudonyms``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from portal.analysis.engines.base import Description, Evidence, Finding, Question, Reply, Turn
from portal.analysis.engines.llm import LlmEngine
from portal.analysis.grounding import ground_description, ground_finding, ground_reply
from portal.analysis.pseudonyms import Pseudonyms
from portal.engine import Problem

_UNFINISHED = re.compile(r"\w*\Z")


class Pseudonymous:
    """``names``: of people who are known to be spoken of. What comes back is put into the words of
    the transcript again, and grounded in them."""

    def __init__(self, engine: LlmEngine, *, names: Sequence[str] = ()) -> None:
        self._engine = engine
        self._names = tuple(names)
        self.name = engine.name

    @property
    def model(self) -> str:
        return self._engine.model

    @property
    def available(self) -> bool:
        return self._engine.available

    def check(self) -> list[Problem]:
        return self._engine.check()

    def assess(
        self, turns: Sequence[Turn], questions: Sequence[Question], *, known: Sequence[str] = ()
    ) -> list[Finding]:
        hidden, hidden_turns = self._hide(turns)
        found = self._engine.assess(hidden_turns, questions, known=known)
        return [_restored(hidden, turns, finding) for finding in found]

    def assess_live(self, turns: Sequence[Turn], questions: Sequence[Question]) -> list[Finding]:
        hidden, hidden_turns = self._hide(turns)
        found = self._engine.assess_live(hidden_turns, questions)
        return [_restored(hidden, turns, finding) for finding in found]

    def describe(self, turns: Sequence[Turn]) -> Description:
        hidden, hidden_turns = self._hide(turns)
        said = self._engine.describe(hidden_turns)
        return ground_description(
            Description(hidden.restore(said.title), hidden.restore(said.summary))
        )

    def ask(self, turns: Sequence[Turn], question: str) -> Reply:
        *_, reply = self.ask_stream(turns, question)
        return reply if isinstance(reply, Reply) else Reply(False)

    def ask_stream(self, turns: Sequence[Turn], question: str) -> Iterator[str | Reply]:
        hidden, hidden_turns = self._hide(turns, question)
        waiting = ""
        for piece in self._engine.ask_stream(hidden_turns, hidden.hide(question)):
            if isinstance(piece, Reply):
                if waiting:
                    yield hidden.restore(waiting)
                evidence = _evidence(hidden, piece.evidence)
                answer = hidden.restore(piece.answer)
                yield ground_reply(turns, replace(piece, answer=answer, evidence=evidence))
                return
            waiting += piece
            # A placeholder may come in two pieces: the last word waits until it has ended.
            unfinished = _UNFINISHED.search(waiting)
            end = unfinished.start() if unfinished else len(waiting)
            if end:
                yield hidden.restore(waiting[:end])
                waiting = waiting[end:]

    def _hide(self, turns: Sequence[Turn], *more: str) -> tuple[Pseudonyms, list[Turn]]:
        texts = [turn.text for turn in turns]
        hidden = Pseudonyms([*texts, *more], names=self._names)
        return hidden, [Turn(turn.speaker, hidden.hide(turn.text)) for turn in turns]


def _restored(hidden: Pseudonyms, turns: Sequence[Turn], finding: Finding) -> Finding:
    answer = hidden.restore(finding.answer)
    evidence = _evidence(hidden, finding.evidence)
    return ground_finding(turns, replace(finding, answer=answer, evidence=evidence))


def _evidence(hidden: Pseudonyms, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    return tuple(Evidence(piece.turn, hidden.restore(piece.quote)) for piece in evidence)
