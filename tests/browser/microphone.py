"""A Chromium whose microphone plays an audio file, once, from when it is first opened."""

from __future__ import annotations

import contextlib
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Error, Playwright

from portal.speech.audio import SAMPLE_RATE, decode
from tests.browser.chromium import ARGUMENTS, DESKTOP, executable, launch

Pcm = NDArray[np.int16]
"""16 kHz mono."""


def samples_of(audio: Path) -> Pcm:
    samples = np.concatenate([block[0] for block in decode(audio)])
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)


def as_wav(samples: Pcm, path: Path) -> Path:
    """As Chromium wants it."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    return path


def flags(wav: Path) -> list[str]:
    """Every page may listen without being asked; after the file's end there is silence."""
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={wav}%noloop",
        "--autoplay-policy=no-user-gesture-required",
    ]


@contextlib.contextmanager
def listening(playwright: Playwright, wav: Path) -> Iterator[Browser]:
    browser = launch(playwright, *flags(wav))
    try:
        yield browser
    finally:
        browser.close()


@contextlib.contextmanager
def listening_profile(
    playwright: Playwright, wav: Path, profile: Path, address: str
) -> Iterator[BrowserContext]:
    """With what an earlier browser kept in the folder ``profile``: IndexedDB, cookies."""
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=executable(),
        args=[*ARGUMENTS, *flags(wav)],
        base_url=address,
        viewport=DESKTOP,
        locale="es-ES",
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    try:
        yield context
    finally:
        with contextlib.suppress(Error):  # it was killed
            context.close()


def kill(profile: Path) -> None:
    """The browser of that profile, as when a machine loses its power."""
    started = f"--user-data-dir={profile}"
    browsers = [
        process
        for process in psutil.process_iter(["cmdline"])
        if started in (process.info["cmdline"] or [])
    ]
    for process in browsers:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(browsers, timeout=10)


PIECE = SAMPLE_RATE // 2
QUIET = 100


def likeness(heard: Pcm, played: Pcm) -> float:
    """The correlation of ``heard`` with what was ``played``: the median of its half seconds, each
    where it fits best. On a busy machine Chromium's microphone now and then leaves out a moment of
    its file, and nothing that follows would fit with what came before."""
    pieces = heard[: len(heard) // PIECE * PIECE].reshape(-1, PIECE).astype(np.float64)
    loud = [piece for piece in pieces if np.abs(piece).mean() > QUIET]
    return float(np.median([fit(piece, played) for piece in loud])) if loud else 0.0


def fit(heard: NDArray[Any], played: Pcm) -> float:
    """The correlation of all of ``heard`` with where it fits best in ``played``."""
    piece = heard.astype(np.float64)
    size = 1 << (len(piece) + len(played)).bit_length()
    sound = played.astype(np.float64)
    products = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(piece, size)), size)
    # Where part of the piece lies outside, what is there counts as silence.
    energy = np.concatenate([[0.0], np.cumsum(sound**2)])
    starts = np.arange(len(played))
    ends = np.minimum(starts + len(piece), len(played))
    under = np.sqrt((energy[ends] - energy[starts]) * (piece**2).sum())
    return float(np.max(products[: len(played)] / np.maximum(under, 1.0)))
