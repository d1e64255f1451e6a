"""What is played of a recording: a small file that any browser starts and seeks in at once, and
its waveform. One pass over the sound, in blocks: four hours need no more memory than a minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from portal.speech import audio
from portal.speech.audio import SAMPLE_RATE, Samples

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

SUFFIX = ".webm"
BITS_PER_SECOND = 24_000
OPUS = {"application": "voip", "frame_duration": "40", "compression_level": "5"}

CLUSTER_SECONDS = 5
CUE_BYTES = 24
"""Most that the index needs for each cluster; it stands at the front of the file, where a player
looks first."""

STRETCH = SAMPLE_RATE // 10
MOST_PEAKS = 1800
"""Stretches are of a tenth of a second, or of as many whole tenths as keep to this number."""

FULL_HEIGHT = 99
"""Percentile of the stretches that is drawn at full height: one bang must not flatten the rest."""

QUIETEST = 0.02
"""Amplitude that is drawn at full height at least, so that a silent file stays flat."""


@dataclass(frozen=True, slots=True)
class Sound:
    """``duration`` in seconds. ``peaks``: loudest of each stretch, 0 to 100; all stretches are of
    one length, but for the last, which may be shorter."""

    duration: float
    peaks: tuple[int, ...]


def make(
    source: Path,
    target: Path,
    *,
    seconds: float = audio.MAX_SECONDS,
    progress: Callable[[float], None] = lambda share: None,
) -> Sound:
    """Write ``source`` to ``target``, as 16 kHz mono Opus in WebM.

    ``seconds``: about how long it is, for the index and for ``progress``, which gets shares from
    0 to 1. Raises BadAudio, OSError.
    """
    import av

    waveform = _Waveform()
    with av.open(str(target), "w", format="webm", container_options=muxer(seconds)) as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE, options=OPUS)
        stream.codec_context.layout = "mono"
        stream.codec_context.format = "s16"
        stream.codec_context.bit_rate = BITS_PER_SECOND
        for block in audio.decode(source):
            _encode(container, stream, block[0], at=waveform.samples)
            waveform.add(block[0])
            progress(min(waveform.samples / SAMPLE_RATE / seconds, 1.0))
        container.mux(stream.encode(None))
    return Sound(round(waveform.samples / SAMPLE_RATE, 3), waveform.peaks())


def muxer(seconds: float) -> dict[str, str]:
    """Options of the container for sound of about that length."""
    room = ceil(seconds / CLUSTER_SECONDS + 10) * CUE_BYTES
    return {
        "reserve_index_space": str(room),
        "cues_to_front": "1",  # moves everything, should the room not do
        "cluster_time_limit": str(CLUSTER_SECONDS * 1000),
        "fflags": "+bitexact",  # the same sound is the same file
    }


def _encode(container: OutputContainer, stream: AudioStream, samples: Samples, *, at: int) -> None:
    import av

    if not len(samples):
        return
    whole = np.clip(np.rint(samples * 32767), -32768, 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(whole[np.newaxis], format="s16", layout="mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE, at
    container.mux(stream.encode(frame))


class _Waveform:
    def __init__(self) -> None:
        self.samples = 0
        self._loudest: list[float] = []
        self._rest = np.zeros(0, np.float32)

    def add(self, samples: Samples) -> None:
        self.samples += len(samples)
        heights = np.abs(np.concatenate([self._rest, samples]))
        whole = len(heights) // STRETCH * STRETCH
        self._loudest += heights[:whole].reshape(-1, STRETCH).max(axis=1).tolist()
        self._rest = heights[whole:]

    def peaks(self) -> tuple[int, ...]:
        loudest = np.array([*self._loudest, *([self._rest.max()] if len(self._rest) else [])])
        if not len(loudest):
            return ()
        together = ceil(len(loudest) / MOST_PEAKS)
        padded = np.pad(loudest, (0, -len(loudest) % together))
        stretches = padded.reshape(-1, together).max(axis=1)
        full = max(float(np.percentile(stretches, FULL_HEIGHT)), QUIETEST)
        return tuple(int(height) for height in np.rint(np.clip(stretches / full, 0, 1) * 100))
