"""Audio that comes bit by bit, cut into segments of a few seconds in which somebody speaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from portal.speech.audio import SAMPLE_RATE, Samples
from portal.speech.pieces import Piece
from portal.speech.vad import SPEECH, STEP, STILL_SPEECH, SpeechDetector


def _steps(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / STEP)


PAUSE = _steps(0.4)
"""A segment ends when nobody has spoken for so long,"""

LONG = _steps(5.0)
SHORT_PAUSE = _steps(0.2)
"""a long one at a shorter pause already,"""

SHORT = _steps(0.8)
WAIT = _steps(1.2)
"""and a short one after a longer pause: Whisper hears «sí» better with what follows."""

LONGEST = _steps(7.2)
SOUGHT = _steps(3.0)
"""Who goes on for LONGEST is cut at the quietest moment of the last SOUGHT. With the time that it
takes to decode it, no word waits for more than 8 s."""

PAD = _steps(0.3)
"""Kept on each side of speech."""


class Segmenter:
    """``start``: seconds from the start of the recording to the first sample fed."""

    def __init__(self, *, start: float = 0.0) -> None:
        self._first = round(start * SAMPLE_RATE)  # sample of the recording at which we hold sound
        self._detector = SpeechDetector()
        self._sound: Samples = np.empty(0, np.float32)
        self._probability: NDArray[np.float32] = np.empty(0, np.float32)
        self._open = False
        # Of the open segment, in steps since `_first`: where somebody began, and last spoke.
        self._begin = self._end = 0

    @property
    def done(self) -> float:
        """Seconds of the recording before which nothing will be looked at again."""
        return self._first / SAMPLE_RATE

    @property
    def speaking(self) -> Piece | None:
        """What has been said since the last segment."""
        if not self._open:
            return None
        return self._piece(max(0, self._begin - PAD), len(self._probability))

    def feed(self, samples: Samples) -> list[Piece]:
        """The segments that have come to their end."""
        self._sound = np.concatenate((self._sound, samples.astype(np.float32, copy=False)))
        segments = []
        for probability in self._detector.feed(samples):
            self._probability = np.append(self._probability, probability)
            segment = self._after_step(float(probability))
            if segment:
                segments.append(segment)
        if not self._open:
            self._forget(len(self._probability) - PAD)
        return segments

    def flush(self) -> list[Piece]:
        """Nothing follows what was fed: the segment that was still open, if there is one."""
        # All of it, with the samples that do not fill a step.
        open_one = self._piece(max(0, self._begin - PAD), len(self._probability) + 1)
        segments = [open_one] if self._open else []
        self._first += len(self._sound)
        self._detector = SpeechDetector()
        self._sound, self._probability = self._sound[:0], self._probability[:0]
        self._open = False
        return segments

    def _after_step(self, probability: float) -> Piece | None:
        now = len(self._probability)
        speaking = self._open and self._end == now - 1
        if probability >= (STILL_SPEECH if speaking else SPEECH):
            if not self._open:
                self._open, self._begin = True, now - 1
            self._end = now
        if not self._open:
            return None
        if now - self._end >= self._pause():
            return self._take(min(self._end + PAD, now))
        if now - self._begin >= LONGEST:
            return self._take(self._quietest())
        return None

    def _pause(self) -> int:
        """Steps of silence that end the segment."""
        said = self._end - self._begin
        if said < SHORT:
            return WAIT
        return SHORT_PAUSE if said >= LONG else PAUSE

    def _quietest(self) -> int:
        """The step to cut before: where it is quietest for a tenth of a second."""
        now = len(self._probability)
        first = now - SOUGHT
        sound = self._sound[first * STEP : now * STEP].reshape(-1, STEP)
        level = np.log10(np.sqrt((sound**2).mean(axis=1)) + 1e-4)
        doubt = level + self._probability[first:]
        smooth = np.convolve(doubt, np.ones(3) / 3, mode="valid")
        return first + 1 + int(smooth.argmin())

    def _take(self, end: int) -> Piece:
        """The segment up to step ``end``; who still spoke after it begins the next one."""
        piece = self._piece(max(0, self._begin - PAD), end)
        self._forget(end)
        self._open = self._end > end
        self._begin, self._end = 0, max(0, self._end - end)
        return piece

    def _piece(self, first: int, last: int) -> Piece:
        return Piece(
            offset=(self._first + first * STEP) / SAMPLE_RATE,
            samples=self._sound[first * STEP : last * STEP],
            probability=self._probability[first:last],
            channels=None,
        )

    def _forget(self, steps: int) -> None:
        if steps > 0:
            self._sound = self._sound[steps * STEP :]
            self._probability = self._probability[steps:]
            self._first += steps * STEP
