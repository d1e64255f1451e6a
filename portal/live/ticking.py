"""Which questions of the form the turns of a recording touch, told as they come.

In a thread of its own, for all recordings of a recogniser: the sound waits for nothing here. What
comes while an assessment runs is taken together with the next one. A language model is asked in
yet another thread, one request at a time and only so often for each recording; what it says is
written here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from portal.accounts.models import Team
from portal.analysis.engines import get_engine
from portal.analysis.engines.base import AnalysisEngine, Finding, Question, Turn
from portal.analysis.engines.choosing import Paced
from portal.analysis.tail import tail
from portal.assessments import queries as assessments
from portal.assessments.models import Answer, Sheet
from portal.assessments.services import for_analysis
from portal.engine import EngineError, Usage, metered
from portal.faults import kind_and_place
from portal.live import services
from portal.live.attributing import Attribution, attribute
from portal.live.merging import MergedTurn, merged
from portal.live.models import LiveRecording, LiveTurn
from portal.participants.models import Participant
from portal.speech.roles import EMPLOYEE
from portal.usage import analysing
from portal.usage.analysing import Analysis
from portal.usage.services import charge

logger = logging.getLogger(__name__)

TAIL = 8
"""Turns before the new ones that are read with them, for the questions they answer. An engine lets
a question wait for two turns of the others, which may have several of the interviewer between."""

MODEL_TAIL = 3
"""The same for a language model, which is told what a question is about and pays for every word."""

MOST_PIECES = 80
"""Committed pieces of speech that a tail may reach back over: a monologue is one long turn."""

ATTRIBUTE_EVERY = 20.0
"""Seconds between two looks at who is who once it is settled; till then, at every turn."""

AGAIN_AFTER = 2.0
"""Seconds after which work is taken up again that the database interrupted."""


@dataclass(slots=True)
class _Said:
    """What a recording has said so far. ``fresh``: the first piece not assessed as it is now.
    ``asking``: a language model has not answered yet; ``again``: when it may be asked next."""

    recording: LiveRecording
    turns: list[LiveTurn]
    fresh: int = 0
    attribution: Attribution = field(default_factory=Attribution)
    attributed: float = float("-inf")
    questions: tuple[Question, ...] = ()
    asking: bool = False
    again: float = float("-inf")
    answers: list[_Answered] = field(default_factory=list)


class Ticker(threading.Thread):
    """Give it what was heard; it ticks. Never blocks who calls, never fails."""

    def __init__(self) -> None:
        super().__init__(name="ticking", daemon=True)
        self._said: dict[UUID, _Said] = {}
        self._news: dict[UUID, list[_News]] = {}
        self._due: dict[UUID, float] = {}
        self._changed = threading.Condition()

    def follow(self, recording: LiveRecording, turns: Sequence[LiveTurn]) -> None:
        """From now on; ``turns`` are all that there are so far, each with its ``part``."""
        self._tell(recording.pk, _Begun(recording, tuple(turns)))

    def heard(self, recording: UUID, turns: Sequence[LiveTurn]) -> None:
        """These follow."""
        if turns:
            self._tell(recording, _Heard(tuple(turns)))

    def changed(self, recording: UUID, turns: Sequence[LiveTurn]) -> None:
        """These are now another speaker's."""
        if turns:
            self._tell(recording, _Changed(tuple(turns)))

    def forget(self, recording: UUID) -> None:
        self._tell(recording, None)

    def _tell(self, recording: UUID, news: _News) -> None:
        with self._changed:
            self._news.setdefault(recording, []).append(news)
            self._changed.notify()

    def run(self) -> None:
        while True:
            with self._changed:
                while not self._wake():
                    now = time.monotonic()
                    wait = min((max(0.0, due - now) for due in self._due.values()), default=None)
                    self._changed.wait(wait)
            try:
                self.work()
            except (OperationalError, InterfaceError):
                connection.close()
                time.sleep(AGAIN_AFTER)

    def _wake(self) -> bool:
        """Whether there is something to do; what is due by now counts as news."""
        now = time.monotonic()
        for recording in [pk for pk, due in self._due.items() if due <= now]:
            del self._due[recording]
            self._news.setdefault(recording, []).append(_Heard(()))
        return bool(self._news)

    def work(self) -> None:
        """Do what there is to do for the recording that has waited longest."""
        with self._changed:
            recording = next(iter(self._news))
            news = self._news.pop(recording)
        for one in news:
            self._take(recording, one)
        said = self._said.get(recording)
        if said is None:
            return
        try:
            _prepare(said)
            _attribute(said)
            _write(said)
            self._assess(said)
        except (OperationalError, InterfaceError):
            self._tell(recording, _Heard(()))
            raise
        except Exception as error:
            said.fresh = len(said.turns)  # else it would fail with every turn that follows
            said.answers.clear()
            logger.warning("%s: %s", recording, kind_and_place(error))

    def _take(self, recording: UUID, news: _News) -> None:
        if isinstance(news, _Begun):
            self._said[recording] = _Said(news.recording, list(news.turns))
            return
        said = self._said.get(recording)
        match news:
            case None:
                self._said.pop(recording, None)
            case _Answered() if said is not None:
                said.asking = False
                said.answers.append(news)
            case _Answered(team=team, used=used):
                charge(team=team, recording=recording, used=used)  # it ended meanwhile
            case _Heard(turns) if said is not None:
                said.turns.extend(turns)
            case _Changed(turns) if said is not None:
                _replace(said, turns)
                said.attributed = float("-inf")

    def _assess(self, said: _Said) -> None:
        """Read what is new with what was said just before, for the questions still open."""
        if not said.attribution.settled or said.fresh >= len(said.turns) or said.asking:
            return
        known = _known(said.recording)
        questions = [question for question in said.questions if question.id not in known]
        until = len(said.turns)
        if not questions:
            said.fresh = until
            return
        analysis = _analysis(said.recording)
        first, local = analysis.engines[0], analysis.engines[-1]
        if not isinstance(first, Paced) or not first.available:
            turns = _latest(said, TAIL)
            findings = local.assess(_spoken(turns), said.questions, known=tuple(known))
            _tick(said, turns, findings, local)
        elif (now := time.monotonic()) < said.again:
            with self._changed:
                self._due[said.recording.pk] = said.again
                self._changed.notify()
            return
        else:
            said.asking, said.again = True, now + settings.ENV.llm_live_seconds
            asking = (said.recording.pk, first, analysis.team, _latest(said, MODEL_TAIL), questions)
            threading.Thread(target=self._ask, args=asking, daemon=True).start()
        said.fresh = until

    def _ask(
        self,
        recording: UUID,
        engine: Paced,
        team: Team,
        turns: Sequence[MergedTurn],
        questions: Sequence[Question],
    ) -> None:
        """In a thread of its own, without the database."""
        findings = None
        with metered() as used:
            try:
                findings = engine.assess_live(_spoken(turns), questions)
            except EngineError:
                pass  # the local engine reads it then
            except Exception as error:
                logger.warning("%s: %s", recording, kind_and_place(error))
        self._tell(recording, _Answered(engine, team, tuple(turns), findings, tuple(used)))


@dataclass(frozen=True, slots=True)
class _Begun:
    recording: LiveRecording
    turns: tuple[LiveTurn, ...]


@dataclass(frozen=True, slots=True)
class _Heard:
    turns: tuple[LiveTurn, ...]


@dataclass(frozen=True, slots=True)
class _Changed:
    turns: tuple[LiveTurn, ...]


@dataclass(frozen=True, slots=True)
class _Answered:
    """What a language model found in ``turns``; None when it could not say."""

    engine: Paced
    team: Team
    turns: tuple[MergedTurn, ...]
    findings: list[Finding] | None
    used: tuple[Usage, ...]


_News = _Begun | _Heard | _Changed | _Answered | None


def _replace(said: _Said, turns: Sequence[LiveTurn]) -> None:
    """Put turns in place of those with their positions; what follows is to be read anew."""
    now = {turn.position: turn for turn in turns}
    for index, turn in enumerate(said.turns):
        if turn.position in now:
            said.turns[index] = now[turn.position]
            said.fresh = min(said.fresh, index)


def _prepare(said: _Said) -> None:
    """Get ready while nobody has said anything: the first assessment loads what the engine needs,
    which takes it a second."""
    if not said.questions:
        questionnaire = assessments.questionnaire_for(said.recording.participant)
        said.questions = for_analysis(assessments.questions_of(questionnaire))
        get_engine().assess([Turn(EMPLOYEE, "Buenos días.")], said.questions)


def _attribute(said: _Said) -> None:
    """Say who is who, where that has become clearer."""
    known = said.attribution.roles
    new_voice = any(turn.speaker not in known for turn in said.turns)
    due = time.monotonic() - said.attributed >= ATTRIBUTE_EVERY
    if not (new_voice or due or not said.attribution.settled):
        return
    before = said.attribution
    said.attribution = attribute(said.turns, before)
    said.attributed = time.monotonic()
    if any(turn.role != said.attribution.roles[turn.speaker] for turn in said.turns):
        roles = said.attribution.roles
        _replace(said, services.set_roles(recording=said.recording, roles=roles))
    if not before.settled:
        said.fresh = 0


def _write(said: _Said) -> None:
    """What a language model answered since, or what the local engine reads in its place."""
    while said.answers:
        answer = said.answers[0]
        with transaction.atomic():
            charge(team=answer.team, recording=said.recording.pk, used=answer.used)
            if answer.findings is not None:
                _tick(said, answer.turns, answer.findings, answer.engine)
            else:
                local = get_engine()
                findings = local.assess(_spoken(answer.turns), said.questions)
                _tick(said, answer.turns, findings, local)
        del said.answers[0]


def _tick(
    said: _Said,
    turns: Sequence[MergedTurn],
    findings: Sequence[Finding],
    engine: AnalysisEngine | Paced,
) -> None:
    services.record_ticks(
        recording=said.recording,
        findings=[finding for finding in findings if finding.state != "unasked"],
        turns=turns,
        engine=engine.name,
        model=engine.model,
    )


def _analysis(recording: LiveRecording) -> Analysis:
    """As person and team want it at this moment: they may change their mind meanwhile."""
    participant = Participant.objects.select_related("team").get(pk=recording.participant_id)
    return analysing.for_participant(participant, consent=recording.consent)


def _latest(said: _Said, changes: int) -> list[MergedTurn]:
    speakers = [turn.speaker for turn in said.turns]
    start = tail(speakers, said.fresh, changes=changes, most=MOST_PIECES)
    return merged(said.turns[start:])


def _spoken(turns: Sequence[MergedTurn]) -> list[Turn]:
    return [Turn(turn.role, turn.text) for turn in turns]


def _known(recording: LiveRecording) -> set[str]:
    """Slugs of what needs no tick any more, by this recording or by what the ficha knows."""
    sheet = Sheet.objects.filter(participant=recording.participant_id).first()
    known = set(assessments.settled(sheet)) if sheet else set()
    for tick in recording.ticks.select_related("question"):
        settled = tick.state in (Answer.State.ANSWERED, Answer.State.DECLINED)
        if settled or tick.origin == Answer.Origin.PERSON:
            known.add(tick.question.slug)
    return known
