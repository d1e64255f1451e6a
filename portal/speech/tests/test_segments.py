"""Segments of probabilities made by hand: the detector is replaced, nothing else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from portal.speech import segments as module
from portal.speech.audio import SAMPLE_RATE
from portal.speech.pieces import Piece
from portal.speech.segments import LONGEST, PAD, PAUSE, Segmenter
from portal.speech.vad import STEP

SECONDS = STEP / SAMPLE_RATE


class LevelDetector:
    """Whoever is loud speaks."""

    def __init__(self) -> None:
        self._rest = np.empty(0, np.float32)

    def feed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        sound = np.concatenate((self._rest, samples))
        steps = len(sound) // STEP
        self._rest = sound[steps * STEP :]
        return np.minimum(1, np.abs(sound[: steps * STEP]).reshape(-1, STEP).mean(axis=1))


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SpeechDetector", LevelDetector)


def levels(*runs: tuple[float, float]) -> NDArray[np.float32]:
    """Sound of (level, seconds) one after the other."""
    return np.concatenate(
        [np.full(round(seconds / SECONDS) * STEP, level, np.float32) for level, seconds in runs]
    )


def cut(sound: NDArray[np.float32], segmenter: Segmenter, size: int = 4000) -> list[Piece]:
    found = []
    for start in range(0, len(sound), size):
        found += segmenter.feed(sound[start : start + size])
    return found


def span(piece: Piece) -> tuple[float, float]:
    return piece.offset, piece.offset + len(piece.samples) / SAMPLE_RATE


def test_a_pause_ends_a_segment() -> None:
    segmenter = Segmenter(start=100.0)
    (one,) = cut(levels((0, 1), (0.9, 3), (0, 1)), segmenter)
    assert span(one) == pytest.approx((101 - PAD * SECONDS, 104 + PAD * SECONDS), abs=0.04)
    assert len(one.samples) == len(one.probability) * STEP
    assert segmenter.done > one.offset
    assert segmenter.flush() == []


def test_a_breath_does_not() -> None:
    (one,) = cut(levels((0.9, 2), (0, 0.3), (0.9, 2), (0, 1)), Segmenter())
    assert len(one.samples) / SAMPLE_RATE == pytest.approx(4.3 + PAD * SECONDS, abs=0.05)


def test_a_short_word_is_heard_with_what_follows() -> None:
    (one,) = cut(levels((0.9, 0.4), (0, 0.8), (0.9, 2), (0, 1)), Segmenter())
    assert one.offset == 0 and len(one.samples) > 3.2 * SAMPLE_RATE


def test_a_short_word_does_not_wait_for_ever() -> None:
    assert len(cut(levels((0.9, 0.4), (0, 2)), Segmenter())) == 1


def test_who_does_not_stop_is_cut_where_it_is_quietest() -> None:
    sound = levels((0.9, 5.5), (0.6, 0.2), (0.9, 6), (0, 1))
    one, other = cut(sound, Segmenter())
    assert 5.5 < span(one)[1] < 5.7
    assert other.offset == span(one)[1]


@pytest.mark.parametrize("size", [1, 511, 4000, 32_000, 10**6])
def test_the_size_of_the_pieces_changes_nothing(size: int) -> None:
    rng = np.random.default_rng(4)
    runs = [(level, rng.uniform(0.1, 4)) for _ in range(12) for level in (0.9, 0.0)]
    sound = levels(*runs)[: 40 * SAMPLE_RATE if size > 1 else 2 * SAMPLE_RATE]
    expected, segmenter = [span(piece) for piece in cut(sound, Segmenter(), 777)], Segmenter()
    assert [span(piece) for piece in cut(sound, segmenter, size)] == expected


def test_segments_never_overlap_nor_leave_speech_out() -> None:
    rng = np.random.default_rng(5)
    sound = levels(*[(level, rng.uniform(0.05, 12)) for _ in range(20) for level in (0.9, 0)])
    segmenter = Segmenter()
    found = cut(sound, segmenter) + segmenter.flush()
    spans = [span(piece) for piece in found]
    assert all(one[1] <= other[0] + 1e-9 for one, other in pairwise(spans))
    assert max(end - start for start, end in spans) <= (LONGEST + 2 * PAD + PAUSE) * SECONDS
    loud = np.flatnonzero(sound > 0.5) / SAMPLE_RATE
    heard = np.zeros(len(loud), bool)
    for start, end in spans:
        heard |= (loud >= start) & (loud < end)
    assert heard.all()
    assert segmenter.done == len(sound) / SAMPLE_RATE


def test_what_was_open_is_given_at_the_end() -> None:
    segmenter = Segmenter()
    assert cut(levels((0, 1), (0.9, 2)), segmenter) == []
    assert segmenter.speaking is not None
    rest = np.full(100, 0.9, np.float32)
    segmenter.feed(rest)
    (one,) = segmenter.flush()
    assert span(one)[1] == pytest.approx((len(levels((0, 1), (0.9, 2))) + 100) / SAMPLE_RATE)
    assert segmenter.speaking is None and segmenter.flush() == []


def test_hours_of_silence_are_not_kept() -> None:
    segmenter = Segmenter()
    for _ in range(100):
        segmenter.feed(np.zeros(SAMPLE_RATE, np.float32))
    assert segmenter.done > 99
