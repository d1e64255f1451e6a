"""One recording listened to: from its journals to turns, in a thread of its own.

The thread holds the recording's lock on its own database connection. With that connection the lock
goes, and everything is written through it: who lost the lock can write no more.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from portal.faults import kind_and_place
from portal.live import events, journal, services
from portal.live.models import LivePart, LiveRecording, LiveTurn
from portal.live.protocol import BYTES_PER_MS, SAMPLE_RATE, Audio
from portal.live.ticking import Ticker
from portal.speech.engines.base import (
    Committed,
    Options,
    Partial,
    Relabelled,
    StreamEvent,
    TranscriptionEngine,
    TranscriptStream,
    Turn,
    Voice,
)
from portal.usage.services import charging

logger = logging.getLogger(__name__)

Samples = NDArray[np.float32]

BLOCK = SAMPLE_RATE
"""Samples fed at once at most: what comes of a second of sound is told before the next."""

LOOK_EVERY = 0.2
"""Seconds between two looks at a journal that had nothing new; entries come every 0.25 s."""

QUIET = 4.0
"""Seconds without anything new after which what was said so far is committed: a pause, or a browser
out of reach. Longer than a network's hiccup, which would cut a sentence in two."""

PARTIAL_EVERY = 0.7
"""Seconds between two previews told; nobody reads faster."""

NOTE_EVERY = 10 * SAMPLE_RATE
"""Samples without a turn after which it is noted how far the recording was heard."""


def lock_key(recording: UUID) -> int:
    return int.from_bytes(recording.bytes[:8], signed=True)


@contextlib.contextmanager
def lock(recording: UUID) -> Iterator[bool]:
    """Whether this thread's database connection alone has the recording while the block lasts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock_key(recording)])
        [mine] = cursor.fetchone()
    try:
        yield mine
    except BaseException:
        connection.close()  # whatever state it is in, the lock goes with it
        raise
    if mine:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [lock_key(recording)])


class Journals:
    """A recording's sound in the order of its parts, as it comes, from where it was left.

    What arrives for a part after a later one has begun is left to the final pass.
    """

    def __init__(self, recording: LiveRecording, *, skip: bool) -> None:
        """``skip``: leave out what is there already."""
        self._recording = recording
        self.part: LivePart | None = None
        self.position = 0
        """Samples of the part that were given or left out."""
        self._left_out = 0
        self._file = (Path(), 0)
        self._exhausted = 0
        for part in recording.parts.order_by("number"):
            begun = part.heard_samples > 0 or (skip and _size(part.journal) > 0)
            if self.part is None or begun:
                self.go_to(part)
        if self.part is not None:
            self._left_out = self.part.heard_samples
            if skip:
                self._left_out = max(self._left_out, journal.extent(self.part.journal).samples)

    @property
    def start(self) -> float:
        """Seconds of the part at which the sound begins."""
        return self._left_out / SAMPLE_RATE

    def new(self) -> Iterator[Samples | None]:
        """What came since: blocks of sound, and None where some is missing."""
        if self.part is None:
            return
        path, begin = self._file
        end = _size(path)
        offset = begin
        block: list[bytes] = []
        for entry, offset in journal.read(path, offset=begin):
            if isinstance(entry, Audio):
                block.append(entry.pcm)
                if sum(map(len, block)) < 2 * BLOCK:
                    continue
            yield from self._given(block, offset)
            if not isinstance(entry, Audio) and self.position > self._left_out:
                yield None
            block = []
        yield from self._given(block, offset)
        self._exhausted = end

    def _given(self, block: Sequence[bytes], offset: int) -> Iterator[Samples]:
        samples = samples_of(b"".join(block))
        left_out = max(0, self._left_out - self.position)
        self.position += len(samples)
        self._file = (self._file[0], offset)
        if left_out < len(samples):
            yield samples[left_out:]

    def next_part(self) -> LivePart | None:
        """The one that follows and has something already; any, while there is none."""
        for part in self._recording.parts.order_by("number"):
            if self.part is None or (part.number > self.part.number and _size(part.journal)):
                return part
        return None

    def go_to(self, part: LivePart) -> None:
        part.recording = self._recording
        self.part, self.position, self._left_out, self._exhausted = part, 0, 0, 0
        self._file = (part.journal, 0)

    def behind(self) -> float:
        """Seconds of sound on disk that were not given yet. Safe to ask from another thread.

        What cannot be read, at the end or in the middle of a damaged file, does not wait.
        """
        if self.part is None:
            return 0.0
        path, offset = self._file
        return max(0, _size(path) - max(offset, self._exhausted)) / BYTES_PER_MS / 1000


class Listener(threading.Thread):
    """Listens until it is told to stop, or something is wrong, which ``failure`` then says.

    ``room`` is as for `TranscriptionEngine.stream`, ``skip`` as for `Journals`.
    """

    def __init__(
        self,
        recording: UUID,
        engine: TranscriptionEngine,
        ticker: Ticker,
        *,
        room: Callable[[], bool],
        skip: bool = False,
    ) -> None:
        super().__init__(name=f"listening to {recording}", daemon=True)
        self.recording = recording
        self.engine = engine.name
        self.failure: Exception | None = None
        self.live = False
        """The model is there and listens."""
        self._engine = engine
        self._ticker = ticker
        self._room = room
        self._skip = skip
        self._stop_asked = threading.Event()
        self._journals: Journals | None = None

    def stop(self) -> None:
        """Soon, leaving what is not committed to whoever goes on."""
        self._stop_asked.set()

    def behind(self) -> float:
        return self._journals.behind() if self._journals else 0.0

    def run(self) -> None:
        try:
            with lock(self.recording) as mine:
                if mine:
                    self._listen()
        except Exception as error:
            self.failure = error
            logger.warning("%s: %s", self.recording, kind_and_place(error))
        finally:
            self.live = False
            connection.close()

    def _listen(self) -> None:
        found = LiveRecording.objects.select_related("participant__team")
        recording = found.filter(pk=self.recording).first()
        if recording is None or not recording.is_open:
            return
        turns = list(recording.turns.select_related("part"))
        self._ticker.follow(recording, turns)
        self._journals = Journals(recording, skip=self._skip)
        stream = self._engine.stream(
            options=_options(recording),
            start=self._journals.start,
            turns=len(turns),
            voices=recording.voices,
            room=self._room,
        )
        team = recording.participant.team
        try:
            hearing = _Hearing(recording, self._journals, stream, self._engine.name, self._ticker)
            self.live = True
            while not self._stop_asked.is_set():
                if not hearing.go_on(self._stop_asked.is_set):
                    self._stop_asked.wait(LOOK_EVERY)
        finally:
            # Suppressed: it may be what failed.
            with charging(team=team, recording=self.recording), contextlib.suppress(Exception):
                stream.close()


class _Hearing:
    """What a stream says of a recording's sound, put where it belongs."""

    def __init__(
        self,
        recording: LiveRecording,
        journals: Journals,
        stream: TranscriptStream,
        engine: str,
        ticker: Ticker,
    ) -> None:
        self._recording = recording
        self._journals = journals
        self._stream = stream
        self._engine = engine
        self._ticker = ticker
        self._part_began = 0.0  # in the stream's time
        self._noted = journals.part.heard_samples if journals.part else 0
        self._last_sound = time.monotonic()
        self._cut = True
        self._partial = ("", 0.0)

    def go_on(self, stop: Callable[[], bool]) -> bool:
        """Listen to what is new; whether there was anything."""
        anything = False
        for piece in self._journals.new():
            if stop():
                return False
            anything = True
            if piece is None:
                self._end_stretch()
            else:
                self._cut = False
                with self._charging():
                    happened = self._stream.feed(piece)
                self._tell(happened)
            self._last_sound = time.monotonic()
        if anything:
            return True
        if time.monotonic() - self._last_sound > QUIET:
            self._end_stretch()
        return self._next_part()

    def _next_part(self) -> bool:
        part = self._journals.next_part()
        if part is None:
            return False
        self._end_stretch()
        self._part_began += self._journals.position / SAMPLE_RATE
        self._journals.go_to(part)
        self._noted = 0
        return True

    def _end_stretch(self) -> None:
        if not self._cut:
            self._cut = True
            with self._charging():
                happened = self._stream.cut()
            self._tell(happened)

    def _charging(self) -> contextlib.AbstractContextManager[None]:
        """At once, so that a cap counts meanwhile and what was used is paid whatever happens."""
        return charging(team=self._recording.participant.team, recording=self._recording.pk)

    def _tell(self, happened: Sequence[StreamEvent]) -> None:
        pk = self._recording.pk
        committed: list[Turn] = []
        added: list[LiveTurn] = []
        changed: list[LiveTurn] = []
        # How far it was heard and what was heard are never one without the other.
        with transaction.atomic():
            for event in happened:
                match event:
                    case Committed(turns):
                        committed.extend(turns)
                    case Relabelled(speakers):
                        # Perhaps of turns that were committed just before.
                        added += self._add(committed)
                        committed = []
                        changed += services.relabel(recording=self._recording, speakers=speakers)
                    case Partial(text):
                        self._tell_partial(text)
            if committed or self._heard() - self._noted >= NOTE_EVERY:
                added += self._add(committed)
        self._ticker.heard(pk, added)
        self._ticker.changed(pk, changed)

    def _heard(self) -> int:
        """Samples of the part that the stream will not look at again."""
        heard = round((self._stream.committed_until - self._part_began) * SAMPLE_RATE)
        return min(max(heard, self._noted), self._journals.position)

    def _add(self, turns: Sequence[Turn]) -> list[LiveTurn]:
        part = self._journals.part
        if part is None:
            return []
        self._noted = self._heard()
        return services.add_turns(
            part=part,
            turns=[_earlier(turn, self._part_began) for turn in turns],
            heard_samples=self._noted,
            voices=self._stream.voices,
            engine=self._engine,
            model=self._stream.model,
        )

    def _tell_partial(self, text: str) -> None:
        before, told = self._partial
        now = time.monotonic()
        if text != before and (not text or now - told >= PARTIAL_EVERY):
            self._partial = (text, now)
            events.publish(self._recording.pk, {"type": "partial", "text": text})


def samples_of(pcm: bytes) -> Samples:
    """From mono s16le."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)


def _options(recording: LiveRecording) -> Options:
    voices = tuple(
        Voice(sample.role, samples_of(bytes(sample.pcm)))
        for sample in recording.voice_samples.order_by("role")
    )
    return Options(language=recording.language or None, speakers=recording.speakers, voices=voices)


def _earlier(turn: Turn, seconds: float) -> Turn:
    if not seconds:
        return turn
    words = tuple(
        replace(word, start=round(word.start - seconds, 3), end=round(word.end - seconds, 3))
        for word in turn.words
    )
    start, end = round(turn.start - seconds, 3), round(turn.end - seconds, 3)
    return replace(turn, start=start, end=end, words=words)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
