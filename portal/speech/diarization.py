"""Who speaks when: voices of short windows, clustered, then a speaker for each word.

Windows of a second every quarter of a second get a voice vector. Average-linkage clustering by
cosine distance finds the speakers; clusters too small to be a person are folded into the nearest
one, or a cough would take a speaker's place. A word then belongs to the speaker whose voice is
heard around it, with changes preferred where there is a pause or a sentence ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from portal.speech.audio import SAMPLE_RATE, Samples
from portal.speech.channels import ChannelBalance
from portal.speech.embeddings import LONGEST_RUN, Embeddings, FilterbankEncoder, VoiceEncoder, unit
from portal.speech.engines.base import Word
from portal.speech.pieces import Piece
from portal.speech.samples import SAME_VOICE, Vector, named
from portal.speech.turns import ends_sentence
from portal.speech.vad import Stretch, speech_stretches

WINDOW = 1.0
HOP = 0.25
SPEAKER_PAUSES = {"min_silence": 0.25, "pad": 0.05}
"""Windows do not reach over pauses, beyond which somebody else may speak."""

CLUSTERED_AT_MOST = 2000
"""Windows that take part in the clustering itself (its cost is quadratic); the others are
assigned. Evenly spread over the recording."""

SMALLEST_SHARE = 0.03
"""A cluster with less than this share of the windows is no speaker."""

MOST_CLUSTERS = 12
PAUSE = 0.25
"""Seconds between words that make a change of speaker likely."""

CHANGE_COST = {"pause": 0.5, "sentence": 1.0, "inside": 4.0}
EVIDENCE = 3.0
"""Weight of one word's voice against the costs above."""

Labels = NDArray[np.intp]


class VoiceTimeline:
    """Collects voices piece by piece, then tells the speakers of words.

    ``add`` and ``speakers_of`` may run in another thread than the recogniser, not in two at once.
    """

    def __init__(self, encoder: VoiceEncoder) -> None:
        self.encoder = encoder
        self._middles: list[NDArray[np.float32]] = []
        self._vectors: list[NDArray[np.float16]] = []
        self._smoothed: list[NDArray[np.float16]] = []

    def add(self, samples: Samples, stretches: Sequence[Stretch], *, offset: float) -> None:
        """Take in a piece of mono 16 kHz audio, ``offset`` seconds into the recording."""
        for middles, vectors in windows(self.encoder, samples, stretches, offset=offset):
            self._middles.append(middles)
            self._vectors.append(vectors.astype(np.float16))
            self._smoothed.append(smoothed(vectors).astype(np.float16))

    def speakers_of(self, words: Sequence[Word], *, speakers: int) -> list[int]:
        """A number for the speaker of each word: at most ``speakers`` of them, from 0, in the
        order in which they first speak."""
        if not words or not self._middles or speakers < 2:
            return [0] * len(words)
        middles = np.concatenate(self._middles)
        vectors, smoothed = self._unit_vectors()
        centres = cluster_centres(smoothed, speakers=speakers)
        if len(centres) < 2:
            return [0] * len(words)
        return _in_order_of_appearance(decide(words, word_scores(words, middles, vectors, centres)))

    def labels_of(
        self, words: Sequence[Word], numbers: Sequence[int], samples: Mapping[str, Vector]
    ) -> list[str]:
        """A label for each word, whose speaker has such a number: that of the sample with this
        speaker's voice where it is clear which, else ``"S1"``, ``"S2"`` ..."""
        names = {number: f"S{number + 1}" for number in set(numbers)}
        if samples and words and self._middles:
            middles = np.concatenate(self._middles)
            vectors, _ = self._unit_vectors()
            speaker = np.asarray(numbers)[_nearest_words(words, middles)]
            heard = [number for number in names if (speaker == number).any()]
            centres = np.stack([vectors[speaker == number].mean(axis=0) for number in heard])
            for i, label in named(unit(centres), samples).items():
                names[heard[i]] = label
        return [names[number] for number in numbers]

    def _unit_vectors(self) -> tuple[Embeddings, Embeddings]:
        vectors = np.concatenate(self._vectors).astype(np.float32)
        smoothed = np.concatenate(self._smoothed).astype(np.float32)
        if isinstance(self.encoder, FilterbankEncoder):
            mean, deviation = vectors.mean(axis=0), vectors.std(axis=0) + 1e-3
            vectors, smoothed = (vectors - mean) / deviation, (smoothed - mean) / deviation
        return unit(vectors), unit(smoothed)


def listen(piece: Piece, voices: VoiceTimeline | None, balance: ChannelBalance | None) -> None:
    """Let those that tell speakers apart take in a piece of a recording."""
    if balance and piece.channels is not None:
        balance.add(piece.channels, offset=piece.offset)
    if voices:
        stretches = speech_stretches(piece.probability, length=len(piece.samples), **SPEAKER_PAUSES)
        voices.add(piece.samples, stretches, offset=piece.offset)


def windows(
    encoder: VoiceEncoder, samples: Samples, stretches: Sequence[Stretch], *, offset: float
) -> Iterator[tuple[NDArray[np.float32], Embeddings]]:
    """Middles, in seconds, and voices of the windows of each stretch, ``samples`` being mono 16 kHz
    audio from ``offset`` seconds on."""
    longest = (LONGEST_RUN - 2) * SAMPLE_RATE // 100
    for stretch in stretches:
        for start in range(stretch.start, stretch.end, longest):
            run = samples[start : min(stretch.end, start + longest)]
            middles, vectors = encoder.embed(run, window=WINDOW, hop=HOP)
            yield middles + np.float32(offset + start / SAMPLE_RATE), vectors


def cluster_centres(vectors: Embeddings, *, speakers: int) -> Embeddings:
    """Unit vectors of at most ``speakers`` voices, from unit vectors (windows, size)."""
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(vectors) < 2:
        return vectors
    step = -(-len(vectors) // CLUSTERED_AT_MOST)
    sample = vectors[::step]
    tree = linkage(sample, method="average", metric="cosine")
    smallest = max(2, SMALLEST_SHARE * len(sample))
    for count in range(speakers, MOST_CLUSTERS + 1):
        labels = fcluster(tree, count, "maxclust")
        sizes = np.bincount(labels)
        persons = [int(i) for i in np.argsort(-sizes) if sizes[i] >= smallest][:speakers]
        if len(persons) == speakers:
            break
    centres = unit(np.stack([sample[labels == i].mean(axis=0) for i in persons or [labels[0]]]))
    return _distinct(_refined(sample, centres))


def _refined(vectors: Embeddings, centres: Embeddings) -> Embeddings:
    """A few rounds of k-means on the sphere: small clusters fall to their nearest speaker."""
    for _ in range(3):
        nearest = (vectors @ centres.T).argmax(axis=1)
        centres = unit(
            np.stack(
                [
                    vectors[nearest == i].mean(axis=0) if (nearest == i).any() else centre
                    for i, centre in enumerate(centres)
                ]
            )
        )
    return centres


def _distinct(centres: Embeddings) -> Embeddings:
    kept: list[NDArray[np.float32]] = []
    for centre in centres:
        if all(float(centre @ other) < SAME_VOICE for other in kept):
            kept.append(centre)
    return np.stack(kept)


def decide(words: Sequence[Word], scores: NDArray[np.float32]) -> Labels:
    """The likeliest speaker of each word (Viterbi).

    ``scores`` (words, speakers) is how much each word sounds like each speaker, about -1 to 1.
    """
    count = scores.shape[1]
    best = (EVIDENCE * scores[0]).astype(np.float64)
    came_from = np.zeros(scores.shape, np.intp)
    stay = np.arange(count)
    for i in range(1, len(words)):
        changed = int(best.argmax())
        cost = change_cost(words[i - 1], words[i])
        switches = best[changed] - cost > best
        came_from[i] = np.where(switches, changed, stay)
        best = np.where(switches, best[changed] - cost, best) + EVIDENCE * scores[i]
    labels = np.empty(len(words), np.intp)
    labels[-1] = best.argmax()
    for i in range(len(words) - 1, 0, -1):
        labels[i - 1] = came_from[i, labels[i]]
    return labels


def change_cost(previous: Word, word: Word) -> float:
    """What a change of speaker between two words has to be worth."""
    if word.start - previous.end >= PAUSE:
        return CHANGE_COST["pause"]
    return CHANGE_COST["sentence" if ends_sentence(previous) else "inside"]


def word_scores(
    words: Sequence[Word],
    middles: NDArray[np.float32],
    vectors: Embeddings,
    centres: Embeddings,
) -> NDArray[np.float32]:
    """(words, speakers), as ``decide`` takes them, from windows and the speakers' centres."""
    similarity = vectors @ centres.T
    spread = max(0.2, 1.0 - float((centres @ centres.T).min()))
    relative = (similarity - similarity.mean(axis=1, keepdims=True)) * 2 / spread
    scores = np.empty((len(words), len(centres)), np.float32)
    for i, word in enumerate(words):
        low = int(np.searchsorted(middles, word.start - HOP / 2))
        high = int(np.searchsorted(middles, word.end + HOP / 2, side="right"))
        if low == high:  # between windows: the nearest one
            low = min(len(middles) - 1, max(0, low - 1))
            centre = (word.start + word.end) / 2
            if low + 1 < len(middles) and middles[low + 1] - centre < centre - middles[low]:
                low += 1
            high = low + 1
        scores[i] = relative[low:high].mean(axis=0)
    return scores


def _nearest_words(words: Sequence[Word], middles: NDArray[np.float32]) -> Labels:
    """For each window the word that is said in its middle, or last before it."""
    starts = np.array([word.start for word in words])
    return np.maximum(0, np.searchsorted(starts, middles, side="right") - 1)


def smoothed(vectors: Embeddings) -> Embeddings:
    """Mean of each row and its neighbours: steadier vectors for finding the speakers."""
    padded = np.pad(vectors, ((1, 1), (0, 0)), mode="edge")
    mean: Embeddings = (padded[:-2] + padded[1:-1] + padded[2:]) / np.float32(3)
    return mean


def _in_order_of_appearance(labels: Labels) -> list[int]:
    numbers: dict[int, int] = {}
    return [numbers.setdefault(int(label), len(numbers)) for label in labels]
