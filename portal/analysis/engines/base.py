"""What every analysis engine takes and gives.

Nothing here knows of Django, of settings or of a database. A transcript's text is untrusted:
engines read it as data and never as instructions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from portal.engine import Problem

State = Literal["unasked", "asked", "answered", "declined"]
# ``empleado`` asks, ``usuario`` answers, anything else (an interpreter, a relative) is "otro".
Speaker = str

TITLE_MAX_WORDS = 7
SUMMARY_MAX_WORDS = 30


@dataclass(frozen=True, slots=True)
class Turn:
    """What the analysis needs of a turn; ``speaker`` is ``empleado``, ``usuario`` or ``otro``."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a questionnaire.

    ``id`` is its stable slug. ``cues`` are words and phrases, and ``examples`` whole
    sentences, that point at it; both are data of the questionnaire and may be empty: an
    engine must work, if less well, from ``text`` alone.
    """

    id: str
    domain: str
    text: str
    cues: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """``quote`` stands verbatim in the text of turn number ``turn`` (from 0)."""

    turn: int
    quote: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a conversation says of one question.

    ``answered`` needs an ``answer`` and at least one piece of evidence; ``asked`` and
    ``declined`` have no answer and name where it happened. ``confidence`` runs from 0 to 1.
    """

    question_id: str
    state: State
    answer: str = ""
    evidence: tuple[Evidence, ...] = ()
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Description:
    """At most TITLE_MAX_WORDS and SUMMARY_MAX_WORDS words; neither is empty."""

    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a free question; without ``found``, answer and evidence are empty."""

    found: bool
    answer: str = ""
    evidence: tuple[Evidence, ...] = ()


class AnalysisEngine(Protocol):
    """``name`` is the stable id kept with an answer."""

    name: str

    @property
    def model(self) -> str: ...

    def check(self) -> list[Problem]:
        """What is missing for it to work at all or at its best; empty when nothing is."""
        ...

    def assess(
        self, turns: Sequence[Turn], questions: Sequence[Question], *, known: Sequence[str] = ()
    ) -> list[Finding]:
        """One finding per question, in the order given, leaving out the ids in ``known``."""
        ...

    def describe(self, turns: Sequence[Turn]) -> Description: ...

    def ask(self, turns: Sequence[Turn], question: str) -> Reply: ...
