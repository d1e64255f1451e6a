"""Where somebody speaks: the Silero network that faster-whisper carries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portal.speech.audio import SAMPLE_RATE, Samples

STEP = 512
"""Samples for which the network gives one probability (32 ms)."""

_CONTEXT = 64
"""Samples before a step that the network looks at too."""

_STEPS_AT_ONCE = 10_000
"""Bounds the memory of the network."""

SPEECH = 0.5
STILL_SPEECH = 0.35
"""A stretch starts at SPEECH and ends below STILL_SPEECH, which keeps soft word endings."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Samples ``start`` to ``end`` of a piece of audio, in which somebody speaks."""

    start: int
    end: int


def speech_probability(samples: Samples) -> NDArray[np.float32]:
    """Probability of speech for every 512 samples of mono audio at 16 kHz."""
    return SpeechDetector().feed(np.pad(samples, (0, -len(samples) % STEP)))


class SpeechDetector:
    """The same for audio that comes bit by bit, of any lengths."""

    def __init__(self) -> None:
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._heard = np.zeros(_CONTEXT, np.float32)  # context, then less than a step

    def feed(self, samples: Samples) -> NDArray[np.float32]:
        """Probability of speech for each step of 512 samples that is complete by now."""
        from faster_whisper.vad import get_vad_model

        sound = np.concatenate((self._heard, samples.astype(np.float32, copy=False)))
        steps = (len(sound) - _CONTEXT) // STEP
        self._heard = sound[steps * STEP :].copy()
        if not steps:
            return np.empty(0, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(sound, _CONTEXT + STEP)[::STEP][:steps]
        session = get_vad_model().session
        found = []
        for first in range(0, steps, _STEPS_AT_ONCE):
            output, self._hidden, self._cell = session.run(
                None,
                {
                    "input": np.ascontiguousarray(windows[first : first + _STEPS_AT_ONCE]),
                    "h": self._hidden,
                    "c": self._cell,
                },
            )
            found.append(output.reshape(-1))
        return np.concatenate(found).astype(np.float32, copy=False)


def activity(blocks: Iterable[Samples]) -> NDArray[np.float32]:
    """Probability of speech for every 512 samples of a recording of any length, from blocks of
    shape (channels, samples), of which the first is listened to."""
    detector = SpeechDetector()
    found = [detector.feed(block[0]) for block in blocks]
    return np.concatenate(found) if found else np.empty(0, np.float32)


def packed(probability: NDArray[np.float32]) -> bytes:
    """To keep: a byte, 0 to 255, for every 512 samples; an hour is 110 KB."""
    return np.round(probability * 255).astype(np.uint8).tobytes()


def unpacked(kept: bytes | memoryview) -> NDArray[np.float32]:
    return np.frombuffer(kept, np.uint8).astype(np.float32) / np.float32(255)


def voiced(probability: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether somebody speaks in each step: from SPEECH on, until below STILL_SPEECH."""
    marks = np.where(probability >= SPEECH, 1, np.where(probability < STILL_SPEECH, -1, 0))
    last = np.maximum.accumulate(np.where(marks != 0, np.arange(len(marks)), -1))
    decided: NDArray[np.bool_] = np.where(last >= 0, marks[last], -1) > 0
    return decided


def speech_stretches(
    probability: NDArray[np.float32],
    *,
    length: int,
    min_silence: float,
    pad: float,
) -> list[Stretch]:
    """Stretches of speech in ``length`` samples, at least ``min_silence`` seconds apart before
    ``pad`` seconds are given to each side (half of the pause where the pause is too short)."""
    active = voiced(probability)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active, [False])).astype(np.int8)))
    found: list[list[int]] = []
    for start, end in edges.reshape(-1, 2) * STEP:
        if found and start - found[-1][1] < min_silence * SAMPLE_RATE:
            found[-1][1] = int(end)
        else:
            found.append([int(start), int(end)])
    room = int(pad * SAMPLE_RATE)
    stretches = []
    for i, (start, end) in enumerate(found):
        before = start - found[i - 1][1] if i else 2 * start
        after = found[i + 1][0] - end if i + 1 < len(found) else 2 * (length - end)
        low = max(0, start - min(room, before // 2))
        stretches.append(Stretch(low, min(length, end + min(room, max(0, after) // 2))))
    return stretches
