"""Samples of voices: a few seconds of one person, and which of the voices heard is theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from portal.speech.audio import SAMPLE_RATE
from portal.speech.embeddings import Embeddings, FilterbankEncoder, VoiceEncoder, unit
from portal.speech.engines.base import Voice
from portal.speech.vad import speech_probability, speech_stretches

SAME_VOICE = 0.75
"""Two voices that are this similar (cosine) are one person's."""

LIKE_SAMPLE = 0.4
"""Less similar than this, a voice is not that of the sample."""

LEAST_SPEECH = 1.0
"""Seconds of speech without which a sample says nothing."""

LONGEST = 15.0
"""Seconds of a sample that are listened to."""

Vector = NDArray[np.float32]


def voices_of(samples: Sequence[Voice], encoder: VoiceEncoder) -> dict[str, Vector]:
    """Label to unit vector of the voices in ``samples``, as far as there is speech in them.

    Empty when two of them are the same voice, and without the model of voices: what levels say
    about a few seconds does not hold for the rest.
    """
    found: dict[str, Vector] = {}
    if isinstance(encoder, FilterbankEncoder):
        return found
    for sample in samples:
        vector = _voice(sample.samples[: int(LONGEST * SAMPLE_RATE)], encoder)
        if vector is not None:
            found[sample.label] = vector
    vectors = list(found.values())
    alike = any(one @ other > SAME_VOICE for i, one in enumerate(vectors) for other in vectors[:i])
    return {} if alike else found


def _voice(sound: NDArray[np.float32], encoder: VoiceEncoder) -> Vector | None:
    stretches = speech_stretches(
        speech_probability(sound), length=len(sound), min_silence=0.25, pad=0.05
    )
    if sum(s.end - s.start for s in stretches) < LEAST_SPEECH * SAMPLE_RATE:
        return None
    vectors = [encoder.embed(sound[s.start : s.end], window=1.0, hop=0.25)[1] for s in stretches]
    mean: Vector = unit(np.concatenate(vectors).mean(axis=0))
    return mean


def named(voices: Embeddings, samples: Mapping[str, Vector]) -> dict[int, str]:
    """Row of ``voices`` (unit vectors) to the label of the sample with that voice.

    Empty unless all is clear: each sample has a voice of its own, or each voice has.
    """
    labels = list(samples)
    if not labels or not len(voices):
        return {}
    similarity = voices @ np.stack([samples[label] for label in labels]).T
    nearest_voice = similarity.argmax(axis=0)
    pairs = {
        voice: labels[sample]
        for voice, sample in enumerate(similarity.argmax(axis=1))
        if nearest_voice[sample] == voice and similarity[voice, sample] >= LIKE_SAMPLE
    }
    return pairs if len(pairs) == min(similarity.shape) else {}
