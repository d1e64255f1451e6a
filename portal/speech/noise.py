"""Steady noise (fans, traffic, a distant crowd) taken out before words are recognised.

Spectral subtraction: what each band holds while nobody speaks is taken from what it holds always.
Never to silence, since what is cut off sounds stranger to a recogniser than what is noisy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from portal.speech.audio import SAMPLE_RATE, Samples
from portal.speech.vad import SPEECH, STEP

FRAME = STEP
HOP = FRAME // 4

SILENT = 0.15
"""Probability of speech below which a step is noise alone."""

LEAST_STEPS = 50
"""With less than so much of it (1.6 s) the noise is not known, and the sound stays as it is."""

AUDIBLE_DB = 25.0
"""Speech louder than its noise by so much needs no help. A quiet room is near 40."""

OVER = 1.3
"""So many times the median of the noise is taken away, which wavers around it."""

FLOOR = 0.25
"""Share of a band that stays in any case (-12 dB)."""

BLOCK = 10 * SAMPLE_RATE
CONTEXT = 2 * FRAME
"""Samples around a block that are looked at, so that blocks join without a seam."""

Spectrum = NDArray[np.float32]

_window: Samples = np.sqrt(np.hanning(FRAME + 1)[:FRAME]).astype(np.float32)


def without_noise(samples: Samples, probability: NDArray[np.float32]) -> Samples:
    """Mono sound of the same length; ``probability`` of speech for every 512 samples of it."""
    noise = _noise(samples, probability)
    if noise is None:
        return samples
    quieter = np.empty_like(samples)
    for start in range(0, len(samples), BLOCK):
        low, end = max(0, start - CONTEXT), min(len(samples), start + BLOCK)
        block = _subtracted(samples[low : end + CONTEXT], noise)
        quieter[start:end] = block[start - low : end - low]
    return quieter


def _noise(samples: Samples, probability: NDArray[np.float32]) -> Spectrum | None:
    """(bands) magnitudes to take away; None where there is little noise, or it is never alone."""
    steps = samples[: len(samples) // STEP * STEP].reshape(-1, STEP)
    silent = steps[probability[: len(steps)] < SILENT]
    spoken = steps[probability[: len(steps)] >= SPEECH]
    if len(silent) < LEAST_STEPS or not len(spoken):
        return None
    hiss = np.median(np.square(silent).mean(axis=1))
    if hiss * 10 ** (AUDIBLE_DB / 10) < np.square(spoken).mean():
        return None
    magnitudes = np.abs(np.fft.rfft(silent * _window))
    return (OVER * np.median(magnitudes, axis=0)).astype(np.float32)


def _subtracted(samples: Samples, noise: Spectrum) -> Samples:
    padded = np.pad(samples, (FRAME, FRAME + -len(samples) % HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    spectrum = np.fft.rfft(frames * _window)
    share = 1 - noise / np.maximum(np.abs(spectrum), 1e-9)
    quieter = np.fft.irfft(spectrum * _smooth(np.maximum(FLOOR, share)), FRAME) * _window
    joined = np.zeros(len(padded) + FRAME, np.float32)
    for part in range(FRAME // HOP):  # the part-th quarter of every frame
        quarter = quieter[:, part * HOP : (part + 1) * HOP].reshape(-1)
        joined[part * HOP : part * HOP + len(quarter)] += quarter
    # Squared windows, four over each sample, add up to 2.
    return joined[FRAME : FRAME + len(samples)] / np.float32(2)


def _smooth(share: Spectrum) -> Spectrum:
    """Mean over three frames and three bands: single spots that stay would ring."""
    wide = np.pad(share, 1, mode="edge")
    down = wide[:-2] + wide[1:-1] + wide[2:]
    smooth: Spectrum = (down[:, :-2] + down[:, 1:-1] + down[:, 2:]) / np.float32(9)
    return smooth
