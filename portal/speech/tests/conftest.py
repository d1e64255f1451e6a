from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from portal.speech.engines.local import LocalEngine
from portal.speech.models import default_models_dir

AUDIO = Path(__file__).resolve().parents[3] / "tests" / "audio"

Signal = NDArray[np.float32]


@pytest.fixture(scope="session")
def models_dir() -> Path:
    return Path(os.environ.get("PORTAL_TEST_MODELS") or default_models_dir())


@pytest.fixture(scope="session")
def local(models_dir: Path) -> LocalEngine:
    return LocalEngine(models_dir=models_dir)


@pytest.fixture(scope="session")
def dialogue() -> Path:
    return AUDIO / "dialogue.ogg"


def tone(seconds: float, *, rate: int = 16_000, channels: int = 1) -> Signal:
    """A tone of changing pitch: sound, though nobody's."""
    time = np.arange(int(seconds * rate)) / rate
    signal = 0.3 * np.sin(2 * np.pi * (220 + 40 * np.sin(time)) * time)
    return np.tile(signal.astype(np.float32), (channels, 1))


CODECS = {
    ".wav": ("pcm_s16le", "s16"),
    ".mp3": ("libmp3lame", "fltp"),
    ".webm": ("libopus", "flt"),
    ".ogg": ("libopus", "flt"),
    ".m4a": ("aac", "fltp"),
    ".aac": ("aac", "fltp"),
    ".flac": ("flac", "s16"),
    ".mp4": ("aac", "fltp"),
}


def write_audio(path: Path, signal: Signal, *, rate: int = 48_000) -> Path:
    """Write (channels, samples) at ``rate`` in the format of the file's ending."""
    codec, form = CODECS[path.suffix]
    layout = "mono" if len(signal) == 1 else "stereo"
    container = {".m4a": "ipod", ".aac": "adts"}.get(path.suffix, path.suffix[1:])
    with av.open(str(path), "w", format=container) as out:
        picture = out.add_stream("mpeg4", rate=5) if path.suffix == ".mp4" else None
        stream = out.add_stream(codec, rate=rate, layout=layout)
        if picture is not None:
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
            for _ in range(10):
                blank = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
                out.mux(picture.encode(blank))
            out.mux(picture.encode(None))
        resampler = av.AudioResampler(format=form, layout=layout, rate=rate)
        step = rate
        for start in range(0, signal.shape[1], step):
            part = np.ascontiguousarray(signal[:, start : start + step])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, start
            for resampled in resampler.resample(frame):
                for packet in _encoded(stream, resampled):
                    out.mux(packet)
        for packet in _encoded(stream, None):
            out.mux(packet)
    return path


def _encoded(stream: av.AudioStream, frame: av.AudioFrame | None) -> list[av.Packet]:
    return list(stream.encode(frame))


@pytest.fixture
def audio_file(tmp_path: Path) -> Callable[..., Path]:
    """``audio_file("a.mp3", seconds=3)`` or ``audio_file("a.wav", signal=...)``."""

    def make(
        name: str,
        *,
        seconds: float = 3.0,
        channels: int = 1,
        rate: int = 48_000,
        signal: Signal | None = None,
    ) -> Path:
        wanted = tone(seconds, rate=rate, channels=channels) if signal is None else signal
        return write_audio(tmp_path / name, wanted, rate=rate)

    return make
