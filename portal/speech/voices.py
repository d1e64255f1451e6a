"""Who speaks, told while the conversation goes on.

With samples of the voices, or with the voices of an earlier stream, the first word is already given
to its speaker; the known voices then slowly follow what is heard. Without, the windows heard so far
are clustered again and again as they become more, and turns that were given to the wrong speaker
are given to the right one. Until there are two voices, everything is "S1".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from portal.speech import models
from portal.speech.diarization import (
    PAUSE,
    SPEAKER_PAUSES,
    cluster_centres,
    decide,
    smoothed,
    windows,
    word_scores,
)
from portal.speech.embeddings import Embeddings, VoiceEncoder, encoder_at, unit
from portal.speech.engines.base import Options, Turn, Word
from portal.speech.pieces import Piece
from portal.speech.samples import Vector, named, voices_of
from portal.speech.turns import build_turns, ends_sentence
from portal.speech.vad import Stretch, speech_stretches

MOST_WINDOWS = 400
"""So many take part in a clustering at most; at twice as many every other one is forgotten."""

FIRST_CLUSTERING = 12
GROWTH = 1.25
"""Clustered anew when there are so many times the windows of the last time."""

TRUST = 60
"""A voice known beforehand counts like so many windows of it."""

SURE = 0.15
"""A window that is so much more similar to one voice than to the others is that voice's."""

BETTER = 0.05
"""A turn changes its speaker when another one is so much more similar."""


class LiveVoices:
    """The speakers of one stream. ``turns``: how many were committed before it began;
    ``samples``: label to unit vector of a voice known beforehand."""

    def __init__(
        self,
        encoder: VoiceEncoder,
        *,
        speakers: int,
        turns: int,
        samples: Mapping[str, Vector],
    ) -> None:
        self._encoder = encoder
        self._speakers = speakers
        self._first_turn = turns
        self._samples = samples
        self._labels: list[str] = []
        self._centres: Embeddings = np.empty((0, 0), np.float32)
        self._follows = len(samples) >= 2
        if self._follows:
            self._labels = list(samples)
            self._centres = np.stack([samples[label] for label in self._labels])
            self._sums = self._centres * TRUST
        self._pool: list[NDArray[np.float16]] = []
        self._stride, self._windows, self._next = 1, 0, FIRST_CLUSTERING
        self._turn_voices: list[NDArray[np.float16]] = []
        self._turn_labels: list[str] = []

    @property
    def known(self) -> dict[str, list[float]]:
        """Label to vector; empty until there are two voices."""
        if not self._labels:
            return {}
        rounded = np.round(self._centres.astype(np.float64), 4)
        return dict(zip(self._labels, rounded.tolist(), strict=True))

    def hear(self, piece: Piece, words: Sequence[Word]) -> tuple[tuple[Turn, ...], dict[int, str]]:
        """The turns that the words of the next segment make, and number to label of those among
        the earlier turns that turn out to be another speaker's."""
        middles, vectors = self._windows_of(piece)
        if self._follows:
            self._follow(vectors)
            changed = {}
        else:
            self._collect(smoothed(vectors))
            changed = self._cluster() if self._windows >= self._next else {}
        turns = tuple(self._turns(words, middles, unit(vectors)))
        for turn in turns:
            inside = (middles >= turn.start) & (middles <= turn.end)
            if not inside.any():
                inside[np.abs(middles - (turn.start + turn.end) / 2).argmin()] = True
            self._turn_voices.append(unit(vectors[inside].mean(axis=0)).astype(np.float16))
            self._turn_labels.append(turn.speaker)
        return turns, changed

    def _windows_of(self, piece: Piece) -> tuple[NDArray[np.float32], Embeddings]:
        length = len(piece.samples)
        stretches = speech_stretches(piece.probability, length=length, **SPEAKER_PAUSES)
        found = list(
            windows(
                self._encoder,
                piece.samples,
                stretches or [Stretch(0, length)],
                offset=piece.offset,
            )
        )
        return (
            np.concatenate([middles for middles, _ in found]),
            np.concatenate([vectors for _, vectors in found]),
        )

    def _turns(
        self, words: Sequence[Word], middles: NDArray[np.float32], vectors: Embeddings
    ) -> Iterator[Turn]:
        if not words:
            return
        if not self._labels:
            # In small turns, so that each can be given to its speaker later.
            for sentence in _sentences(words):
                yield from build_turns(sentence, ["S1"] * len(sentence))
        else:
            speakers = decide(words, word_scores(words, middles, vectors, self._centres))
            yield from build_turns(words, [self._labels[speaker] for speaker in speakers])

    def _follow(self, vectors: Embeddings) -> None:
        similarity = unit(vectors) @ self._centres.T
        ordered = np.sort(similarity, axis=1)
        sure = ordered[:, -1] - ordered[:, -2] >= SURE
        nearest = similarity.argmax(axis=1)
        for i in range(len(self._centres)):
            self._sums[i] += unit(vectors[sure & (nearest == i)]).sum(axis=0)
        self._centres = unit(self._sums)

    def _collect(self, vectors: Embeddings) -> None:
        for vector in unit(vectors).astype(np.float16):
            if self._windows % self._stride == 0:
                self._pool.append(vector)
            self._windows += 1
        if len(self._pool) >= 2 * MOST_WINDOWS:
            self._pool = self._pool[::2]
            self._stride *= 2

    def _cluster(self) -> dict[int, str]:
        """Find the voices anew; the earlier turns that change their speaker by it."""
        self._next = int(self._windows * GROWTH) + 1
        pool = np.stack(self._pool).astype(np.float32)
        step = -(-len(pool) // MOST_WINDOWS)
        centres = cluster_centres(pool[::step], speakers=self._speakers)
        if len(centres) < max(2, len(self._labels)):
            return {}
        self._labels, self._centres = self._labels_for(centres, pool), centres
        changed: dict[int, str] = {}
        if not self._turn_voices:
            return changed
        similarity = np.stack(self._turn_voices).astype(np.float32) @ centres.T
        for i, row in enumerate(similarity):
            label = self._labels[int(row.argmax())]
            old = self._turn_labels[i]
            known = row[self._labels.index(old)] if old in self._labels else -1.0
            if label != old and row.max() - known >= BETTER:
                self._turn_labels[i] = changed[self._first_turn + i] = label
        return changed

    def _labels_for(self, centres: Embeddings, pool: Embeddings) -> list[str]:
        """The label of a sample where one is clearly this voice, else the one it had so far, else
        a number in the order in which they first speak."""
        from scipy.optimize import linear_sum_assignment

        labels = named(centres, self._samples)
        if len(self._centres):
            rows, columns = linear_sum_assignment(-(centres @ self._centres.T))
            for row, column in zip(rows, columns, strict=True):
                if self._labels[column] not in labels.values():
                    labels.setdefault(int(row), self._labels[column])
        nearest = (pool @ centres.T).argmax(axis=1)
        for voice in dict.fromkeys(nearest.tolist() + list(range(len(centres)))):
            if voice not in labels:
                names = (f"S{number}" for number in count(1))
                labels[voice] = next(name for name in names if name not in labels.values())
        return [labels[voice] for voice in range(len(centres))]


def live_voices(
    models_dir: Path,
    options: Options,
    *,
    turns: int,
    known: Mapping[str, Sequence[float]] | None,
) -> LiveVoices | None:
    """What tells the speakers of a stream, as ``TranscriptionEngine.stream`` is asked for one; None
    for a single speaker, and without the model of voices."""
    path = models.speaker_model(models_dir) if options.speakers > 1 else None
    if path is None:
        return None
    encoder = encoder_at(path)
    earlier = {label: np.array(voice, np.float32) for label, voice in (known or {}).items()}
    return LiveVoices(
        encoder,
        speakers=options.speakers,
        turns=turns,
        samples=earlier or voices_of(options.voices, encoder),
    )


def _sentences(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The words in groups that end where a sentence does, or before a pause."""
    group: list[Word] = []
    for word in words:
        if group and (ends_sentence(group[-1]) or word.start - group[-1].end >= PAUSE):
            yield group
            group = []
        group.append(word)
    if group:
        yield group
