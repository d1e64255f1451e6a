"""The process that listens to recordings while they are made: `portal recogniser`.

It runs beside the web and the worker, so that whatever becomes of it, recordings go on. Any number
of them, here or on other machines, share the open recordings by a lock of the database each, which
a dead one lets go. What none of them can do now is transcribed at the end.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from portal.accounts.engines import LOCAL, ON_THIS_MACHINE, is_outside, options
from portal.faults import kind_and_place
from portal.live import events
from portal.live.listening import Listener, lock
from portal.live.models import LiveRecording
from portal.live.overload import Load, Overload
from portal.live.ticking import Ticker
from portal.participants.leaving import may_leave
from portal.speech.engines import get_engine
from portal.speech.engines.base import TranscriptionEngine
from portal.usage import queries as usage

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds between two looks at which recordings there are."""

LISTEN_FOR = timedelta(minutes=1)
"""Since a browser's last sign of life: time to catch up, and no more memory held than that."""

TELL_EVERY = 4.0
"""Seconds between two signs of life to the screens, which give up after some of them."""

WAITS = (5.0, 20.0, 60.0)
"""Seconds before a recording is tried again whose transcription failed; then it is left alone."""

STEADY = 120.0
"""Seconds of listening after which earlier failures are forgotten."""

ROOM = 0.5
"""Share of the processors in use up to which there are previews, and closer listening."""

PATIENCE = 1.5
"""Seconds that those who listen get to end. What they leave is heard again by the next."""

RECOGNISERS = 0x706F7274616C
"""The lock that every recogniser shares, so that others can see that there is one."""


def run() -> None:
    """Listen until SIGINT or SIGTERM, and end the process. Needs Django set up."""
    # Each listener keeps a connection, and lets its lock go by closing it: nothing for a pool,
    # which has too few and would keep them open.
    connection.settings_dict["OPTIONS"].pop("pool", None)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    Recogniser().run(stopping)
    # Not by returning: a thread in the middle of a decoding holds what the exit would take apart.
    logging.shutdown()
    os._exit(0)


def is_running() -> bool:
    """Whether any recogniser is at this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'"
            " AND ((classid::bigint << 32) | objid::bigint) = %s AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [RECOGNISERS],
        )
        [found] = cursor.fetchone()
    return bool(found)


@dataclass(slots=True)
class _Failures:
    """Of one recording: how often it failed, and not before when it is tried again."""

    times: int
    again: float


class Recogniser:
    def __init__(self) -> None:
        self._ticker = Ticker()
        self._listeners: dict[UUID, Listener] = {}
        self._began: dict[UUID, float] = {}
        self._left_out: set[UUID] = set()
        self._skip: set[UUID] = set()
        self._failures: dict[UUID, _Failures] = {}
        self._stay_here: set[UUID] = set()
        self._told: dict[UUID, tuple[str, float]] = {}
        self._overload = Overload()
        self._use = _Use()
        self._announced = False

    def run(self, stopping: threading.Event) -> None:
        self._ticker.start()
        while not stopping.is_set():
            try:
                self._look()
            except (OperationalError, InterfaceError) as error:
                # The database starts again. Those who listen lose their locks, end, and are
                # started again.
                logger.warning("%s", kind_and_place(error))
                connection.close()
                self._announced = False
            stopping.wait(LOOK_EVERY)
        for listener in self._listeners.values():
            listener.stop()
        until = time.monotonic() + PATIENCE
        for listener in self._listeners.values():
            listener.join(max(0.0, until - time.monotonic()))

    def _look(self) -> None:
        self._announce()
        now = time.monotonic()
        self._take_leave(now)
        recordings = list(
            LiveRecording.objects.exclude(state=LiveRecording.State.STORED)
            .select_related("participant__team", "consent")
            .filter(seen_at__gt=timezone.now() - LISTEN_FOR, consent__withdrawn_at__isnull=True)
            .order_by("created_at")
        )
        self._forget({recording.pk for recording in recordings})
        self._share_out(now, [recording.pk for recording in recordings])
        for recording in recordings:
            try:
                self._attend(recording, now)
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:  # of this recording: the others are not to suffer from it
                logger.warning("%s: %s", recording.pk, kind_and_place(error))

    def _announce(self) -> None:
        if not self._announced:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock_shared(%s)", [RECOGNISERS])
            self._announced = True

    def _take_leave(self, now: float) -> None:
        """Of listeners that have ended, and note why."""
        for pk, listener in list(self._listeners.items()):
            if listener.is_alive():
                continue
            del self._listeners[pk]
            self._ticker.forget(pk)
            began = self._began.pop(pk)
            error = listener.failure
            if error is None or isinstance(error, OperationalError | InterfaceError):
                continue
            if listener.engine not in ON_THIS_MACHINE:
                self._stay_here.add(pk)  # what the service did not hear is heard here, at once
                continue
            earlier = self._failures.get(pk)
            times = earlier.times if earlier and now - began < STEADY else 0
            wait = WAITS[times] if times < len(WAITS) else float("inf")
            self._failures[pk] = _Failures(times + 1, now + wait)

    def _forget(self, there: set[UUID]) -> None:
        for pk, listener in self._listeners.items():
            if pk not in there:
                listener.stop()
        self._left_out &= there
        self._skip &= there
        self._stay_here &= there
        for kept in (self._failures, self._told):
            for pk in set(kept) - there:
                del kept[pk]

    def _share_out(self, now: float, oldest_first: Sequence[UUID]) -> None:
        """Who gives way to the others, or can come back."""
        listening = [
            Load(pk, self._listeners[pk].behind())
            for pk in oldest_first
            if pk in self._listeners and self._listeners[pk].live
        ]
        waiting = [pk for pk in oldest_first if pk in self._left_out]
        self._use.measure(now)
        decision = self._overload.decide(
            now, listening=listening, waiting=waiting, load=self._use.share
        )
        if decision.give_way is not None:
            logger.warning("%s gives way: more is recorded than heard", decision.give_way)
            self._left_out.add(decision.give_way)
            self._listeners[decision.give_way].stop()
        if decision.join is not None:
            self._left_out.discard(decision.join)
            # What was said meanwhile is left to the final pass.
            self._skip.add(decision.join)

    def _attend(self, recording: LiveRecording, now: float) -> None:
        """Listen to it, if somebody has to, and tell its screens how that stands."""
        pk = recording.pk
        listener = self._listeners.get(pk)
        if listener is not None and not _may_hear(listener.engine, recording):
            listener.stop()  # the next one listens here
        if listener is None:
            with lock(pk) as free:
                if not free:  # another recogniser is at it, and tells
                    return
                status = self._status_without(recording, now)
                if status is not None:
                    self._tell(pk, status, now)
                    return
            listener = Listener(
                pk,
                self._engine_for(recording),
                self._ticker,
                room=self._has_room,
                skip=pk in self._skip,
            )
            self._skip.discard(pk)
            self._listeners[pk], self._began[pk] = listener, now
            listener.start()
        if pk not in self._left_out:
            self._tell(pk, "live" if listener.live else "starting", now)

    def _status_without(self, recording: LiveRecording, now: float) -> str | None:
        """What to tell of a recording that nobody can listen to now; None when somebody can."""
        failures = self._failures.get(recording.pk)
        if recording.pk in self._left_out or (failures and now < failures.again):
            return "later"
        if self._engine_for(recording).check():
            return "off"
        return None

    def _engine_for(self, recording: LiveRecording) -> TranscriptionEngine:
        """The one that was chosen, as long as it works and may; else that of this machine."""
        if recording.pk in self._stay_here or not _may_hear(recording.engine, recording):
            return _engine(LOCAL)
        return _engine(recording.engine)

    def _tell(self, pk: UUID, status: str, now: float) -> None:
        before, told = self._told.get(pk, ("", 0.0))
        if status != before or now - told >= TELL_EVERY:
            events.publish(pk, {"type": "transcription", "status": status})
            self._told[pk] = (status, now)

    def _has_room(self) -> bool:
        """Nobody waits to be heard. Asked from those who listen."""
        return self._use.share < ROOM and all(
            listener.behind() < 1.0 for listener in list(self._listeners.values())
        )


def _may_hear(engine: str, recording: LiveRecording) -> bool:
    """As person and team want it at this moment, and as long as there is money for it."""
    if not is_outside(engine):
        return True
    if usage.is_spent(recording.participant.team):
        return False
    return bool(may_leave(recording.participant, consent=recording.consent))


def _engine(name: str) -> TranscriptionEngine:
    """Of that name where it can listen at this moment, else the one that always can."""
    engine = _made(name)
    if name == LOCAL or (engine.supports_streaming and not engine.check()):
        return engine
    return _made(LOCAL)


@cache
def _made(name: str) -> TranscriptionEngine:
    return get_engine(name, **options().get(name, {}))


class _Use:
    """The share of this machine's processors that this process takes, over the last seconds."""

    OVER = 10.0

    def __init__(self) -> None:
        self.share = 0.0
        self._cores = len(os.sched_getaffinity(0))
        self._points = [(time.monotonic(), time.process_time())]

    def measure(self, now: float) -> None:
        self._points.append((now, time.process_time()))
        while len(self._points) > 2 and now - self._points[1][0] >= self.OVER:
            del self._points[0]
        (began, before), (ended, after) = self._points[0], self._points[-1]
        self.share = (after - before) / max(ended - began, 1e-3) / self._cores
