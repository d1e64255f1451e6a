"""Stereo recordings with one person per channel: the channel then tells who speaks.

Microphones are never equal, and each hears the other person too. So no fixed difference of levels
decides, but whether the words fall into two groups by it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from portal.speech.audio import SAMPLE_RATE, Samples
from portal.speech.engines.base import Word

STEP = SAMPLE_RATE // 20

LEAST_GAP_DB = 8.0
"""How far apart the two groups are, at least; people who sit to the left and right of one stereo
microphone are two or three dB apart."""

CLEAR_SHARE = 0.85
"""Share of the words that must lie well outside the middle between the groups."""

LEAST_SHARE = 0.05
"""Each channel must hold at least so much of the words; else somebody only sits off-centre."""

LEAST_RISE_DB = 1.5
"""By how much each channel is louder when its own person speaks; one that hears nobody is not."""

QUIET = 1e-9
"""Power of a channel that is cut off, -90 dB, so that silence is no infinite difference."""

Levels = NDArray[np.float64]


class ChannelBalance:
    """Collects how loud the channels are, and tells from it the speaker of words if it can."""

    def __init__(self) -> None:
        self._power: list[NDArray[np.float32]] = []
        self._times: list[NDArray[np.float32]] = []

    def add(self, channels: Samples, *, offset: float) -> None:
        """``channels``: (2, samples) at 16 kHz, from ``offset`` seconds on."""
        whole = channels.shape[1] // STEP
        power = np.square(channels[:, : whole * STEP]).reshape(2, whole, STEP).mean(axis=2)
        self._power.append(power.astype(np.float32))
        middles = (np.arange(whole) + 0.5) * (STEP / SAMPLE_RATE)
        self._times.append((offset + middles).astype(np.float32))

    def speakers_of(self, words: Sequence[Word]) -> list[int] | None:
        """0 or 1 for each word, numbered as they first speak; None when channels do not tell."""
        if len(words) < 2 or not any(len(times) for times in self._times):
            return None
        levels = self._levels(words)
        balance = levels[:, 0] - levels[:, 1]
        split = _best_split(balance)
        left = balance > split
        if not LEAST_SHARE <= float(left.mean()) <= 1 - LEAST_SHARE:
            return None
        gap = float(balance[left].mean() - balance[~left].mean())
        clear = float((np.abs(balance - split) >= gap / 4).mean())
        rises = (levels[left].mean(axis=0) - levels[~left].mean(axis=0)) * (1, -1)
        if gap < LEAST_GAP_DB or clear < CLEAR_SHARE or rises.min() < LEAST_RISE_DB:
            return None
        return [int(side != left[0]) for side in left]

    def _levels(self, words: Sequence[Word]) -> Levels:
        """(words, 2) in dB. What is loudest in a word counts most, not the pauses around it."""
        times, power = np.concatenate(self._times), np.concatenate(self._power, axis=1)
        levels = np.empty((len(words), 2))
        for i, word in enumerate(words):
            low = min(int(np.searchsorted(times, word.start)), len(times) - 1)
            high = max(low + 1, int(np.searchsorted(times, word.end)))
            levels[i] = 10 * np.log10(power[:, low:high].mean(axis=1) + QUIET)
        return levels


def _best_split(values: Levels) -> float:
    """Middle between the two groups that lie closest together within themselves (Otsu)."""
    ordered = np.sort(values)
    count = np.arange(1, len(ordered))
    below = np.cumsum(ordered)[:-1] / count
    above = (ordered.sum() - np.cumsum(ordered)[:-1]) / (len(ordered) - count)
    between = count * (len(ordered) - count) * (above - below) ** 2
    best = int(between.argmax())
    return float(below[best] + above[best]) / 2
