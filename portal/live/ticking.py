"""Which questions of the form the turns of a recording touch, told as they come.

In a thread of its own, for all recordings of a recogniser: the sound waits for nothing here. What
comes while an assessment runs is taken together with the next one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection

from portal.analysis.engines import get_engine
from portal.analysis.engines.base import Question, Turn
from portal.assessments import queries as assessments
from portal.assessments.models import Answer, Sheet
from portal.assessments.services import for_analysis
from portal.faults import kind_and_place
from portal.live import services
from portal.live.attributing import Attribution, attribute
from portal.live.merging import merged
from portal.live.models import LiveRecording, LiveTurn
from portal.speech.roles import EMPLOYEE

logger = logging.getLogger(__name__)

TAIL = 8
"""Turns before the new ones that are read with them, for the questions they answer. An engine lets
a question wait for two turns of the others, which may have several of the interviewer between."""

MOST_PIECES = 80
"""Committed pieces of speech that a tail may reach back over: a monologue is one long turn."""

ATTRIBUTE_EVERY = 20.0
"""Seconds between two looks at who is who once it is settled; till then, at every turn."""

AGAIN_AFTER = 2.0
"""Seconds after which work is taken up again that the database interrupted."""


@dataclass(slots=True)
class _Said:
    """What a recording has said so far. ``fresh``: the first piece not assessed as it is now."""

    recording: LiveRecording
    turns: list[LiveTurn]
    fresh: int = 0
    attribution: Attribution = field(default_factory=Attribution)
    attributed: float = float("-inf")
    questions: tuple[Question, ...] = ()


class Ticker(threading.Thread):
    """Give it what was heard; it ticks. Never blocks who calls, never fails."""

    def __init__(self) -> None:
        super().__init__(name="ticking", daemon=True)
        self._said: dict[UUID, _Said] = {}
        self._news: dict[UUID, list[_News]] = {}
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
                self._changed.wait_for(lambda: self._news)
            try:
                self.work()
            except (OperationalError, InterfaceError):
                connection.close()
                time.sleep(AGAIN_AFTER)

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
            _assess(said)
        except (OperationalError, InterfaceError):
            self._tell(recording, _Heard(()))
            raise
        except Exception as error:
            said.fresh = len(said.turns)  # else it would fail with every turn that follows
            logger.warning("%s: %s", recording, kind_and_place(error))

    def _take(self, recording: UUID, news: _News) -> None:
        if isinstance(news, _Begun):
            self._said[recording] = _Said(news.recording, list(news.turns))
            return
        said = self._said.get(recording)
        match news:
            case None:
                self._said.pop(recording, None)
            case _Heard(turns) if said is not None:
                said.turns.extend(turns)
            case _Changed(turns) if said is not None:
                _replace(said, turns)
                said.attributed = float("-inf")


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


_News = _Begun | _Heard | _Changed | None


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


def _assess(said: _Said) -> None:
    """Read what is new with what was said just before, for the questions still open."""
    if not said.attribution.settled or said.fresh >= len(said.turns):
        return
    until = len(said.turns)
    known = _known(said.recording)
    if {question.id for question in said.questions} - known:
        turns = merged(said.turns[_tail(said.turns, said.fresh) :])
        engine = get_engine()
        findings = engine.assess(
            [Turn(turn.role, turn.text) for turn in turns], said.questions, known=tuple(known)
        )
        services.record_ticks(
            recording=said.recording,
            findings=[finding for finding in findings if finding.state != "unasked"],
            turns=turns,
            engine=engine.name,
            model=engine.model,
        )
    said.fresh = until


def _known(recording: LiveRecording) -> set[str]:
    """Slugs of what needs no tick any more, by this recording or by what the ficha knows."""
    sheet = Sheet.objects.filter(participant=recording.participant_id).first()
    known = set(assessments.settled(sheet)) if sheet else set()
    for tick in recording.ticks.select_related("question"):
        settled = tick.state in (Answer.State.ANSWERED, Answer.State.DECLINED)
        if settled or tick.origin == Answer.Origin.PERSON:
            known.add(tick.question.slug)
    return known


def _tail(turns: Sequence[LiveTurn], fresh: int) -> int:
    """Where to begin to read for what is new from ``fresh`` on: where somebody begins to speak."""
    changes = 0
    for index in range(fresh, 0, -1):
        if turns[index].speaker == turns[index - 1].speaker:
            continue
        changes += 1
        if changes > TAIL or fresh - index >= MOST_PIECES:
            return index
    return 0
