from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from portal.speech.audio import SAMPLE_RATE, decode
from portal.speech.pieces import pieces, spanning
from portal.speech.vad import STEP, speech_probability, speech_stretches

pytestmark = pytest.mark.model


def test_pieces_put_together_are_the_audio(dialogue: Path) -> None:
    whole = np.concatenate([block[0] for block in decode(dialogue)])
    cut = list(pieces(decode(dialogue), seconds=8.0))
    assert len(cut) > 2
    assert np.array_equal(np.concatenate([piece.samples for piece in cut]), whole)
    position = 0
    for piece in cut:
        assert piece.offset == position / SAMPLE_RATE
        assert abs(len(piece.probability) - len(piece.samples) / STEP) <= 1
        position += len(piece.samples)


def test_cuts_fall_where_nobody_speaks(dialogue: Path) -> None:
    cut = list(pieces(decode(dialogue), seconds=8.0))
    for piece in cut[:-1]:
        ending = piece.samples[-SAMPLE_RATE // 20 :]
        assert np.sqrt(np.mean(ending**2)) < 0.01


def test_two_channels_are_kept_beside_their_mix() -> None:
    block = np.stack((np.full(SAMPLE_RATE, 0.5), np.zeros(SAMPLE_RATE))).astype(np.float32)
    (piece,) = pieces([block])
    assert piece.channels is not None and piece.channels.shape == (2, SAMPLE_RATE)
    assert np.allclose(piece.samples, 0.25)


def test_speech_is_found_and_silence_is_not(dialogue: Path) -> None:
    whole = np.concatenate([block[0] for block in decode(dialogue)])
    probability = speech_probability(whole)
    stretches = speech_stretches(probability, length=len(whole), min_silence=0.25, pad=0.05)
    assert 6 <= len(stretches) <= 20
    assert all(s.start < s.end <= len(whole) for s in stretches)
    assert all(a.end <= b.start for a, b in pairwise(stretches))
    silence = speech_probability(np.zeros(3 * SAMPLE_RATE, np.float32))
    assert speech_stretches(silence, length=3 * SAMPLE_RATE, min_silence=0.25, pad=0.05) == []


def test_short_pauses_are_bridged_and_padding_never_overlaps() -> None:
    probability = np.zeros(100, np.float32)
    probability[10:20] = probability[24:30] = probability[60:70] = 0.9
    length = 100 * STEP
    near = speech_stretches(probability, length=length, min_silence=0.2, pad=1.0)
    assert [(s.start, s.end) for s in near] == [(0, 45 * STEP), (45 * STEP, 100 * STEP)]
    apart = speech_stretches(probability, length=length, min_silence=0.1, pad=0.0)
    assert [(s.start // STEP, s.end // STEP) for s in apart] == [(10, 20), (24, 30), (60, 70)]


def test_what_spans_pieces_has_each_where_it_was(dialogue: Path) -> None:
    one, between, other = list(pieces(decode(dialogue), seconds=8.0))[:3]
    whole = spanning([one, other])
    assert whole.offset == one.offset
    assert np.array_equal(whole.samples[: len(one.samples)], one.samples)
    assert np.array_equal(whole.samples[-len(other.samples) :], other.samples)
    middle = slice(len(one.samples), -len(other.samples))
    assert len(whole.samples[middle]) == len(between.samples)
    assert not whole.samples[middle].any()
    assert abs(len(whole.probability) - len(whole.samples) / STEP) <= 1
    assert whole.probability.max() == max(one.probability.max(), other.probability.max())
