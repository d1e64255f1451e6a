"""Diarization error: how much of the time the wrong people are said to speak.

As NIST defines it: (missed + false alarm + confusion) / time spoken in the reference, where time in
which two speak counts twice, under the best mapping of labels. Around every beginning and end in
the reference a collar is not scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

COLLAR = 0.25
"""Seconds on each side."""


class Segment(NamedTuple):
    start: float
    end: float
    speaker: str


class Seconds(NamedTuple):
    """``wrong`` of ``spoken`` seconds; the rate over several recordings is that of their sums."""

    wrong: float
    spoken: float


def diarization_error(
    reference: Sequence[Segment], heard: Sequence[Segment], *, collar: float = COLLAR
) -> Seconds:
    """Seconds in which the speakers of ``heard`` are not those of ``reference``."""
    edges = sorted({edge for segment in reference for edge in segment[:2]})
    cuts = sorted(
        {edge for segment in (*reference, *heard) for edge in segment[:2]}
        | {edge + side for edge in edges for side in (-collar, collar)}
    )
    ours, theirs = _speakers(reference), _speakers(heard)
    together = np.zeros((len(ours), len(theirs)))
    spoken = most = 0.0
    for start, end in pairwise(cuts):
        middle = (start + end) / 2
        if any(abs(middle - edge) < collar for edge in edges):
            continue
        here, there = _speaking(reference, middle), _speaking(heard, middle)
        spoken += (end - start) * len(here)
        most += (end - start) * max(len(here), len(there))
        for one in here:
            for other in there:
                together[ours.index(one), theirs.index(other)] += end - start
    right = together[linear_sum_assignment(-together)].sum()
    return Seconds(most - float(right), spoken)


def _speakers(segments: Iterable[Segment]) -> list[str]:
    return sorted({segment.speaker for segment in segments})


def _speaking(segments: Iterable[Segment], time: float) -> set[str]:
    return {segment.speaker for segment in segments if segment.start <= time < segment.end}
