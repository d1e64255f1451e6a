"""Which engine analyses what a person says: their team's, where it may and can, else the local one.

Whoever analyses something goes through here: whether it may leave, whether it is paid for, who did
it in the end and why, and the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.utils.translation import gettext as _

from portal.accounts import engines as accounts
from portal.accounts.models import Team
from portal.analysis.engines import LOCAL, get_engine
from portal.analysis.engines.base import AnalysisEngine, Reply, Turn
from portal.analysis.engines.choosing import Done, ask_first_able, first_able
from portal.analysis.engines.llm import LlmEngine
from portal.analysis.engines.pseudonymous import Pseudonymous
from portal.conversations.models import Conversation
from portal.engine import Usage, metered
from portal.participants.leaving import may_leave
from portal.participants.models import Consent, Participant
from portal.usage import queries
from portal.usage.services import charge, charging

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Analysis:
    """``engines`` in the order in which they are tried, the local one last. ``because``: why the
    team's is none of them, for people; empty where it is."""

    engines: tuple[AnalysisEngine, ...]
    team: Team
    because: str = ""

    def do(
        self, work: Callable[[AnalysisEngine], T], *, conversation: Conversation | None = None
    ) -> Done[T]:
        """Charges what it costs. Raises EngineError."""
        with charging(team=self.team, conversation=conversation):
            return first_able(self.engines, work, because=self.because)

    def ask(
        self, turns: Sequence[Turn], question: str, *, conversation: Conversation | None = None
    ) -> Generator[str | Done[Reply]]:
        """The answer to a free question in pieces as they come, and last the whole, which stands
        in their place. Charges what it costs. Raises EngineError."""
        pieces = ask_first_able(self.engines, turns, question, because=self.because)
        used: list[Usage] = []
        try:
            while True:
                # Each piece may be asked for from another thread, so no meter outlasts one.
                with metered() as more:
                    piece = next(pieces, None)
                used += more
                if piece is None:
                    return
                yield piece
        finally:
            charge(team=self.team, conversation=conversation, used=used)


def for_participant(participant: Participant, *, consent: Consent | None = None) -> Analysis:
    """``consent``: that of the conversation."""
    team = participant.team
    local = get_engine(LOCAL)
    chosen = team.analysis_engine
    if chosen == LOCAL:
        return Analysis((local,), team)
    because = _why_not(chosen, participant, consent)
    if because:
        return Analysis((local,), team, because)
    engine = _engine(chosen)
    if (
        isinstance(engine, LlmEngine)
        and accounts.is_outside(chosen)
        and settings.ENV.llm_pseudonyms
    ):
        names = [participant.name, *team.members.values_list("name", flat=True)]
        engine = Pseudonymous(engine, names=names)
    return Analysis((engine, local), team)


def _why_not(name: str, participant: Participant, consent: Consent | None) -> str:
    try:
        problems = _engine(name).check()
    except LookupError:
        return _("Esta instalación ya no tiene el motor de análisis del equipo.")
    if problems:
        return problems[0].message
    if accounts.is_outside(name):
        leave = may_leave(participant, consent=consent)
        if not leave:
            return leave.reason
        return queries.why_not_outside(participant.team)
    return ""


def _engine(name: str) -> AnalysisEngine:
    return get_engine(name, **accounts.analysis_options().get(name, {}))
