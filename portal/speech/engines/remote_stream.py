"""Speech to text by a service outside while the conversation goes on.

The service gives the words. Who says them is told here, as with the local engine: so a speaker
stays the same over pauses, lost connections and a change of engine, and voice samples count. A
connection is there only while somebody speaks, from a moment before; a pause ends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from portal.engine import EngineError, Usage, used
from portal.speech.audio import SAMPLE_RATE, Samples
from portal.speech.engines import service
from portal.speech.engines.base import Committed, Partial, Relabelled, StreamEvent, Turn, Word
from portal.speech.growing import Growing
from portal.speech.pieces import Piece
from portal.speech.turns import build_turns
from portal.speech.vad import SPEECH, STEP, SpeechDetector

if TYPE_CHECKING:
    from pathlib import Path

    from portal.speech.engines.base import Options
    from portal.speech.voices import LiveVoices

LEAD = SAMPLE_RATE * 4 // 5
"""Samples before somebody speaks that are sent as well."""

PATIENCE = 0.02
"""Seconds that one more answer to what has just been sent is waited for; else it comes with the
next."""

LAST_WAIT = 15.0
"""Seconds that the service gets to say what is left, once it knows that nothing follows."""

AHEAD = 10.0
"""Seconds of sound that may be sent at once when there is much to catch up with."""

DEAF, FADES, DEAF_FOR = 20.0, 0.5, 10.0
"""A service has gone that says nothing to so many seconds of speech, which without speech are
forgotten at that rate. Of what is sent faster than spoken, not before so many seconds have passed.
In a silent room some services say nothing for hours, and a noise is taken for speech now and
then."""

TOLD_EVERY = 30.0
"""Seconds of sound after which it is told what they use up, for a cap that is reached meanwhile."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Words of a stretch that ends ``until`` seconds into a connection, with the service's own
    ``speakers``. What is not ``final`` is replaced by the next answer."""

    words: tuple[Word, ...]
    speakers: tuple[str, ...]
    until: float
    final: bool


class Connection(Protocol):
    """``answers`` come by themselves; None is the last one, and an exception is how it broke."""

    answers: SimpleQueue[Answer | EngineError | None]

    def send(self, pcm: bytes) -> None:
        """16 kHz mono s16le. Raises EngineError."""
        ...

    def finish(self) -> None:
        """Nothing follows. Raises EngineError."""
        ...

    def leave(self) -> None:
        """Whatever state it is in. May be called twice, and raises nothing."""
        ...


def open_stream(
    connect: Callable[[bool], Connection],
    *,
    models_dir: Path,
    options: Options,
    turns: int,
    voices: Mapping[str, Sequence[float]] | None,
    name: str,
    label: str,
    model: str,
    start: float,
    room: Callable[[], bool],
    pace: float | None,
) -> RemoteStream:
    """What ``TranscriptionEngine.stream`` gives, by a service. ``connect`` is told whether that one
    has to tell the speakers apart, for want of a model of voices in ``models_dir``.
    """
    from portal.speech.voices import live_voices

    told_apart = live_voices(models_dir, options, turns=turns, known=voices)
    by_service = told_apart is None and options.speakers > 1
    return RemoteStream(
        lambda: connect(by_service),
        name=name,
        label=label,
        model=model,
        start=start,
        voices=told_apart,
        room=room,
        pace=pace,
    )


class RemoteStream:
    """A ``TranscriptStream``. ``connect`` may raise EngineError. ``voices`` is None when nobody can
    be told apart here. ``pace``: how many times faster than spoken the service takes sound."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        name: str,
        label: str,
        model: str,
        start: float,
        voices: LiveVoices | None,
        room: Callable[[], bool],
        pace: float | None,
    ) -> None:
        self.committed_until = start
        self.model = model
        self._connect = connect
        self._name = name
        self._label = label
        self._voices = voices
        self._room = room
        self._pace = pace
        self._detector = SpeechDetector()
        # What is not committed: samples from `_first` of the recording on.
        self._first = round(start * SAMPLE_RATE)
        self._sound = Growing()
        self._probability = Growing()
        self._connection: Connection | None = None
        self._began = 0.0  # seconds of the recording at which the connection begins
        self._connected_at = 0.0
        self._sent = self._told = 0  # samples; those of them that were told of as used
        self._unanswered = 0.0
        self._unanswered_since = 0.0
        self._broken: EngineError | None = None
        self._last_end = start
        self._preview = ""

    @property
    def voices(self) -> Mapping[str, Sequence[float]]:
        return self._voices.known if self._voices else {}

    def feed(self, samples: Samples) -> list[StreamEvent]:
        self._sound.add(samples)
        probability = self._detector.feed(samples)
        self._probability.add(probability)
        if self._connection is None:
            if not (self._probability.values >= SPEECH).any():
                self._forget((len(self._sound) - LEAD) // STEP)
                return []
            self._open()
            samples, probability = self._sound.values, self._probability.values
        if self._broken is not None:
            self._fail(self._broken)
        self._wait_for_answers(probability)
        self._send(samples)
        events = [event for answer in self._answers(PATIENCE) for event in self._take(answer)]
        if self._is_deaf():
            self._fail(service.unreachable(self._label))
        return events

    def cut(self) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        connection = self._connection
        if connection is not None:
            try:
                connection.finish()
            except EngineError as error:
                self._fail(error)
            for answer in self._answers(LAST_WAIT):
                events += self._take(answer)
            if self._connection is not None:
                self._fail(service.unreachable(self._label))
        self._first += len(self._sound)
        self._sound.clear()
        self._probability.clear()
        self._detector = SpeechDetector()
        self.committed_until = self._first / SAMPLE_RATE
        return events + self._without_preview()

    def close(self) -> list[StreamEvent]:
        return self.cut()

    def _open(self) -> None:
        self._connection = self._connect()
        self._began = self._first / SAMPLE_RATE
        self._connected_at = time.monotonic()
        self._sent = self._told = 0
        self._unanswered = 0.0
        used(Usage(self._name, self.model, requests=1))

    def _wait_for_answers(self, probability: NDArray[np.float32]) -> None:
        if self._unanswered == 0.0:
            self._unanswered_since = time.monotonic()
        spoken = int((probability >= SPEECH).sum())
        change = (spoken - FADES * (len(probability) - spoken)) * STEP / SAMPLE_RATE
        self._unanswered = max(0.0, self._unanswered + change)

    def _is_deaf(self) -> bool:
        waited = time.monotonic() - self._unanswered_since
        return self._unanswered > DEAF and waited > DEAF_FOR

    def _send(self, samples: Samples) -> None:
        assert self._connection is not None  # noqa: S101  # for the type checker
        whole = np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2")
        for first in range(0, len(whole), SAMPLE_RATE):
            block = whole[first : first + SAMPLE_RATE]
            if self._pace:
                may = AHEAD + self._pace * (time.monotonic() - self._connected_at)
                time.sleep(max(0.0, (self._sent / SAMPLE_RATE - may) / self._pace))
            try:
                self._connection.send(block.tobytes())
            except EngineError as error:
                self._broken = error  # after what it has answered before
                return
            self._sent += len(block)
            if self._sent - self._told >= TOLD_EVERY * SAMPLE_RATE:
                self._tell_used()

    def _tell_used(self) -> None:
        seconds = (self._sent - self._told) / SAMPLE_RATE
        self._told = self._sent
        if seconds:
            used(Usage(self._name, self.model, seconds=seconds))

    def _answers(self, wait: float) -> Iterator[Answer]:
        """Those that are there or come soon; all of them where it has been told to finish."""
        last = wait == LAST_WAIT
        while self._connection is not None:
            try:
                answer = self._connection.answers.get(timeout=wait)
            except Empty:
                return
            if isinstance(answer, EngineError):
                self._fail(answer)
            elif answer is not None:
                self._unanswered = 0.0
                yield answer
            elif last:
                self._leave()
            else:  # it has gone without being asked to
                self._fail(service.unreachable(self._label))

    def _fail(self, error: EngineError) -> None:
        """Raises ``error``. Nothing is left that a closing could wait for."""
        self._leave()
        self._sound.clear()
        self._probability.clear()
        raise error

    def _leave(self) -> None:
        connection, self._connection, self._broken = self._connection, None, None
        if connection is not None:
            connection.leave()
            self._tell_used()

    def _take(self, answer: Answer) -> list[StreamEvent]:
        if not answer.final:
            return self._with_preview(" ".join(word.text for word in answer.words))
        until = max(self.committed_until, self._began + answer.until)
        words = self._in_order(answer.words)
        events: list[StreamEvent] = []
        if words:
            turns, changed = self._told_apart(words, answer.speakers, until)
            if changed:
                events.append(Relabelled(changed))
            events.append(Committed(turns))
        self._forget(round(until * SAMPLE_RATE - self._first) // STEP)
        self.committed_until = max(self.committed_until, min(until, self._end))
        return events + self._without_preview()

    def _in_order(self, words: Sequence[Word]) -> list[Word]:
        """In the recording's time, none before the end of the one before nor after what was
        fed."""
        placed = []
        for word in words:
            start = min(max(word.start + self._began, self._last_end), self._end)
            end = min(max(word.end + self._began, start), self._end)
            self._last_end = end
            placed.append(replace(word, start=round(start, 3), end=round(end, 3)))
        return placed

    def _told_apart(
        self, words: Sequence[Word], speakers: Sequence[str], until: float
    ) -> tuple[tuple[Turn, ...], dict[int, str]]:
        if self._voices is None:
            return build_turns(words, speakers), {}
        steps = min(round(until * SAMPLE_RATE - self._first) // STEP + 1, len(self._probability))
        piece = Piece(
            offset=self._first / SAMPLE_RATE,
            samples=self._sound.values[: steps * STEP],
            probability=self._probability.values[:steps],
            channels=None,
        )
        return self._voices.hear(piece, words)

    @property
    def _end(self) -> float:
        """Seconds of the recording up to which it was fed."""
        return (self._first + len(self._sound)) / SAMPLE_RATE

    def _forget(self, steps: int) -> None:
        steps = min(steps, len(self._probability))
        if steps > 0:
            self._sound.drop(steps * STEP)
            self._probability.drop(steps)
            self._first += steps * STEP
            self.committed_until = max(self.committed_until, self._first / SAMPLE_RATE)

    def _with_preview(self, text: str) -> list[StreamEvent]:
        if text == self._preview or not self._room():
            return []
        self._preview = text
        return [Partial(text)]

    def _without_preview(self) -> list[StreamEvent]:
        if not self._preview:
            return []
        self._preview = ""
        return [Partial("")]
