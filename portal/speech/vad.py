"""Where somebody speaks: the Silero network that faster-whisper carries, run once per piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portal.speech.audio import SAMPLE_RATE, Samples

STEP = 512
"""Samples for which the network gives one probability (32 ms)."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Samples ``start`` to ``end`` of a piece of audio, in which somebody speaks."""

    start: int
    end: int


def speech_probability(samples: Samples) -> NDArray[np.float32]:
    """Probability of speech for every 512 samples of mono audio at 16 kHz."""
    from faster_whisper.vad import get_vad_model

    padded = np.pad(samples, (0, -len(samples) % STEP or STEP))
    steps = len(padded) // STEP
    return np.asarray(get_vad_model()(padded), np.float32).reshape(-1)[:steps]


def speech_stretches(
    probability: NDArray[np.float32],
    *,
    length: int,
    min_silence: float,
    pad: float,
    threshold: float = 0.5,
) -> list[Stretch]:
    """Stretches of speech in ``length`` samples, at least ``min_silence`` seconds apart before
    ``pad`` seconds are given to each side (half of the pause where the pause is too short).

    A stretch starts at ``threshold`` and ends where the probability stays 0.15 below it, which
    keeps soft word endings.
    """
    active = _hysteresis(probability, high=threshold, low=threshold - 0.15)
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


def _hysteresis(values: NDArray[np.float32], *, high: float, low: float) -> NDArray[np.bool_]:
    """True from a value of at least ``high`` on, until one below ``low``."""
    marks = np.where(values >= high, 1, np.where(values < low, -1, 0))
    last = np.maximum.accumulate(np.where(marks != 0, np.arange(len(marks)), -1))
    decided: NDArray[np.bool_] = np.where(last >= 0, marks[last], -1) > 0
    return decided
