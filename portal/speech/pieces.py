"""Long audio in pieces of a few minutes, cut where nobody speaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portal.speech.audio import SAMPLE_RATE, Samples
from portal.speech.vad import STEP, speech_probability

PIECE_SECONDS = 300.0
SEARCH_SECONDS = 60.0
"""The cut is sought in so much of the end of a piece."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Mono audio from ``offset`` seconds into the recording, with the probability of speech of
    every 512 samples; ``channels`` (2, samples) is there when the recording has two."""

    offset: float
    samples: Samples
    probability: NDArray[np.float32]
    channels: Samples | None


def spanning(parts: Sequence[Piece]) -> Piece:
    """One piece from the first of ``parts``, in order of time, to the last: silent in between."""
    start = parts[0].offset
    first = [round((part.offset - start) * SAMPLE_RATE) for part in parts]
    length = first[-1] + len(parts[-1].samples)
    samples = np.zeros(length, np.float32)
    probability = np.zeros(-(-length // STEP), np.float32)
    for part, at in zip(parts, first, strict=True):
        samples[at : at + len(part.samples)] = part.samples[: length - at]
        step = at // STEP
        known = part.probability[: len(probability) - step]
        probability[step : step + len(known)] = known
    return Piece(start, samples, probability, channels=None)


def pieces(blocks: Iterable[Samples], *, seconds: float = PIECE_SECONDS) -> Iterator[Piece]:
    """Pieces of about ``seconds``, from blocks of shape (channels, samples) at 16 kHz.

    Nothing is lost or doubled: each sample is in exactly one piece.
    """
    waiting: list[Samples] = []
    held, done = 0, 0
    for block in blocks:
        waiting.append(block)
        held += block.shape[-1]
        while held >= seconds * SAMPLE_RATE:
            sound = np.concatenate(waiting, axis=1)
            mono = _mono(sound)
            probability = speech_probability(mono)
            cut = _quiet_place(probability)
            yield _piece(done, sound[:, :cut], mono[:cut], probability[: cut // STEP])
            done += cut
            waiting, held = [sound[:, cut:].copy()], sound.shape[-1] - cut
    if held:
        sound = np.concatenate(waiting, axis=1)
        mono = _mono(sound)
        yield _piece(done, sound, mono, speech_probability(mono))


def _piece(start: int, sound: Samples, mono: Samples, probability: NDArray[np.float32]) -> Piece:
    channels = sound if len(sound) == 2 else None
    return Piece(start / SAMPLE_RATE, mono, probability, channels)


def _mono(sound: Samples) -> Samples:
    return sound[0] if len(sound) == 1 else np.asarray(sound.mean(axis=0), np.float32)


def _quiet_place(probability: NDArray[np.float32]) -> int:
    """Sample in the middle of the longest quiet of the last minute, at a multiple of 512."""
    tail = min(len(probability) // 2, int(SEARCH_SECONDS * SAMPLE_RATE / STEP))
    first = len(probability) - tail
    quiet = probability[first:] < 0.3
    edges = np.flatnonzero(np.diff(np.concatenate(([False], quiet, [False])).astype(np.int8)))
    if len(edges):
        runs = edges.reshape(-1, 2)
        start, end = runs[np.argmax(runs[:, 1] - runs[:, 0])]
        step = (start + end) // 2
    else:  # nobody pauses for a minute: where speech is least certain
        step = int(probability[first:].argmin())
    return max(1, first + int(step)) * STEP
