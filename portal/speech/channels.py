"""Stereo recordings with one person per channel: the channel then tells who speaks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from portal.speech.audio import SAMPLE_RATE, Samples
from portal.speech.engines.base import Word

STEP = SAMPLE_RATE // 10
CLEAR_DB = 8.0
"""Difference of level at which a tenth of a second belongs to one channel."""

CLEAR_SHARE = 0.85
"""Share of the words that must clearly belong to one channel before channels are believed."""

LEAST_SHARE = 0.05
"""Each channel must hold at least so much of the words; else somebody only sits off-centre."""


class ChannelBalance:
    """Collects which channel is louder, and tells from it the speaker of words if it can."""

    def __init__(self) -> None:
        self._difference: list[NDArray[np.float32]] = []
        self._times: list[NDArray[np.float32]] = []

    def add(self, channels: Samples, *, offset: float) -> None:
        """``channels``: (2, samples) at 16 kHz, from ``offset`` seconds on."""
        whole = channels.shape[1] // STEP
        power = np.square(channels[:, : whole * STEP]).reshape(2, whole, STEP).mean(axis=2)
        level = 10 * np.log10(power + 1e-9)
        self._difference.append((level[0] - level[1]).astype(np.float32))
        self._times.append((offset + (np.arange(whole) + 0.5) * 0.1).astype(np.float32))

    def speakers_of(self, words: Sequence[Word]) -> list[int] | None:
        """0 or 1 for each word, numbered as they first speak; None when channels do not tell."""
        if not words or not self._times:
            return None
        times, difference = np.concatenate(self._times), np.concatenate(self._difference)
        balance = np.empty(len(words), np.float32)
        for i, word in enumerate(words):
            low = min(int(np.searchsorted(times, word.start)), len(times) - 1)
            high = max(low + 1, int(np.searchsorted(times, word.end)))
            balance[i] = difference[low:high].mean()
        left = balance > 0
        clear = float((np.abs(balance) >= CLEAR_DB).mean())
        if clear < CLEAR_SHARE or not LEAST_SHARE <= float(left.mean()) <= 1 - LEAST_SHARE:
            return None
        return [int(side != left[0]) for side in left]
