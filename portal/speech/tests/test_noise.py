from __future__ import annotations

import numpy as np
import pytest

from portal.speech.audio import SAMPLE_RATE
from portal.speech.noise import without_noise
from portal.speech.vad import STEP

SECONDS = 24.0  # more than two blocks


def speech() -> tuple[np.ndarray, np.ndarray]:
    """A voice of several tones, four seconds of it every six, and the probability of speech."""
    time = np.arange(int(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    voiced = time % 6 >= 2
    tones = sum(np.sin(2 * np.pi * hertz * time) for hertz in (200, 430, 910, 1700))
    steps = voiced[: len(voiced) // STEP * STEP].reshape(-1, STEP).mean(axis=1)
    return (0.05 * tones * voiced).astype(np.float32), steps.astype(np.float32)


def hiss(level: float) -> np.ndarray:
    rng = np.random.default_rng(4)
    return rng.normal(0, level, int(SECONDS * SAMPLE_RATE)).astype(np.float32)


def decibel(signal: np.ndarray, noise: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(signal**2) / np.mean(noise**2)))


def test_steady_noise_becomes_weaker_and_the_voice_stays() -> None:
    voice, probability = speech()
    noisy = voice + hiss(0.02)
    found = without_noise(noisy, probability)
    assert found.shape == noisy.shape and found.dtype == np.float32
    assert decibel(voice, found - voice) > decibel(voice, noisy - voice) + 2.5
    silent = np.repeat(probability, STEP) == 0
    assert decibel(noisy[: len(silent)][silent], found[: len(silent)][silent]) > 9


@pytest.mark.parametrize("level", [0.0, 0.002])
def test_sound_with_little_noise_stays_exactly_as_it_is(level: float) -> None:
    voice, probability = speech()
    clear = voice + hiss(level)
    assert without_noise(clear, probability) is clear


def test_blocks_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    voice, probability = speech()
    noisy = voice + hiss(0.02)
    in_blocks = without_noise(noisy, probability)
    monkeypatch.setattr("portal.speech.noise.BLOCK", len(noisy))
    whole = without_noise(noisy, probability)
    assert np.allclose(whole, in_blocks, atol=1e-6)


def test_noise_that_is_never_alone_is_not_known() -> None:
    noisy = speech()[0] + hiss(0.02)
    assert without_noise(noisy, np.ones(len(noisy) // STEP, np.float32)) is noisy


@pytest.mark.parametrize("length", [0, 1, STEP - 1, STEP + 1])
def test_hardly_any_sound(length: int) -> None:
    sound = np.zeros(length, np.float32)
    assert len(without_noise(sound, np.zeros(-(-length // STEP), np.float32))) == length
