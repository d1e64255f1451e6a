"""Reading audio: what a file is, and its sound as 16 kHz mono.

Everything is decoded in blocks, so a four-hour recording needs no more memory than a short one.
Files come from outside: only the containers below may be opened, and only through the file handle
given, never a path or address that the file itself names (playlists do).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from json import JSONDecodeError, dumps, loads
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av import AudioFrame
    from av.container import InputContainer

Samples = NDArray[np.float32]

SAMPLE_RATE = 16_000
"""Samples per second of everything that leaves this module."""

MIN_SECONDS = 2.0
MAX_SECONDS = 4 * 3600.0
SILENCE_DBFS = -60.0
"""Loudest tenth of a second below which a file counts as silent; a quiet room is near -50."""

BLOCK_SECONDS = 10.0

CONTAINERS = "wav,w64,aiff,mp3,matroska,webm,ogg,mov,mp4,m4a,aac,flac,amr"
"""Demuxers that may open a file. None of them follows references to other files."""

SIGNATURES = (b"RIFF", b"OggS", b"ID3", b"fLaC", b"FORM", b"#!AMR", b"\x1aE\xdf\xa3", b"\xff")
"""First bytes of audio files, to tell a damaged one from something that never was audio."""

MESSAGES = {
    "empty": "El archivo está vacío: no llegó ningún sonido. Compruebe el archivo original y "
    "vuelva a subirlo.",
    "not_audio": "Este archivo no es un audio que sepamos leer. Suba la grabación en WAV, MP3, "
    "M4A, OGG, WebM, FLAC o MP4.",
    "no_audio_track": "El archivo se abre, pero no lleva sonido. Compruebe que es la grabación y "
    "no solo la imagen.",
    "truncated": "El archivo está dañado o incompleto y no se puede escuchar. Vuelva a copiarlo "
    "desde el dispositivo original y súbalo de nuevo.",
    "too_short": "La grabación dura menos de 2 segundos. Compruebe que es el archivo correcto.",
    "too_long": "La grabación dura más de 4 horas. Divídala en partes y suba cada una por "
    "separado.",
    "silent": "En la grabación no se oye a nadie: solo hay silencio. Compruebe el micrófono o el "
    "archivo.",
}


class BadAudio(Exception):
    """A file that cannot be transcribed. ``code`` is one of ``MESSAGES`` and does not change;
    ``public_message`` is the sentence for the person who sent it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.public_message = MESSAGES[code]


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """``duration`` is in seconds, measured by decoding; ``complete`` is False when the file breaks
    off and only its beginning can be heard. ``sample_rate`` and ``channels`` are the file's own."""

    duration: float
    sample_rate: int
    channels: int
    codec: str
    container: str
    complete: bool = True


def probe(path: Path) -> AudioInfo:
    """Decode the whole file once, and say what it is.

    Raises BadAudio; see ``MESSAGES`` for the reasons.
    """
    with path.open("rb") as file, opened(file) as container:
        stream = container.streams.audio[0]
        stated = _stated_seconds(container)
        if stated > MAX_SECONDS + 1:
            raise BadAudio("too_long")
        samples, loudest, complete = 0, -200.0, not _lacks_bytes(path)
        for block, intact in _blocks(container, layout="mono"):
            complete = complete and intact
            samples += block.shape[-1]
            loudest = max(loudest, _loudest_dbfs(block[0]))
            if samples > (MAX_SECONDS + 1) * SAMPLE_RATE:
                raise BadAudio("too_long")
        duration = samples / SAMPLE_RATE
        complete = complete and duration > stated - 1.0
        if duration < MIN_SECONDS:
            raise BadAudio("too_short" if complete else "truncated")
        if loudest < SILENCE_DBFS:
            raise BadAudio("silent")
        return AudioInfo(
            duration=round(duration, 3),
            sample_rate=stream.codec_context.sample_rate,
            channels=stream.codec_context.channels,
            codec=stream.codec_context.name,
            container=container.format.name,
            complete=complete,
        )


def stated_duration(path: Path) -> float:
    """Seconds by the file's header; decodes where it has none (a browser's WebM).

    Raises BadAudio.
    """
    with path.open("rb") as file, opened(file) as container:
        stated = _stated_seconds(container)
        if stated:
            return stated
        samples = sum(int(block.shape[-1]) for block, _ in _blocks(container, layout="mono"))
        return samples / SAMPLE_RATE


def decode(path: Path, *, stereo: bool = False) -> Iterator[Samples]:
    """The sound in blocks of about ten seconds: float32 in [-1, 1], shape (channels, samples) at
    16 kHz, one channel or, with ``stereo``, two.

    What comes after damage in the middle of a file is still decoded where possible.
    Raises BadAudio.
    """
    with path.open("rb") as file, opened(file) as container:
        for block, _ in _blocks(container, layout="stereo" if stereo else "mono"):
            yield block


def channel_count(path: Path) -> int:
    """Channels of the first audio track. Raises BadAudio."""
    with path.open("rb") as file, opened(file) as container:
        return int(container.streams.audio[0].codec_context.channels)


def probe_isolated(
    path: Path, *, timeout: float = 300.0, cpu_seconds: int = 240, memory_bytes: int = 2 * 2**30
) -> AudioInfo:
    """As ``probe``, in a child process of bounded time and memory: a hostile file can take down
    the child only. A child that crashes or hangs means a file that cannot be read.

    Raises BadAudio.
    """
    command = [sys.executable, "-m", "portal.speech.probe", str(path)]
    command += ["--cpu-seconds", str(cpu_seconds), "--memory-bytes", str(memory_bytes)]
    try:
        done = subprocess.run(  # noqa: S603 - our own program; the file name is one argument
            command,
            capture_output=True,
            timeout=timeout,
            check=False,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        answer = loads(done.stdout)
    except (subprocess.TimeoutExpired, JSONDecodeError, UnicodeDecodeError):
        raise BadAudio("truncated" if _looks_like_audio(path) else "not_audio") from None
    if "error" in answer:
        raise BadAudio(answer["error"])
    return AudioInfo(**answer)


def probe_as_json(path: Path) -> str:
    """What the child process prints: the fields of AudioInfo, or ``{"error": code}``."""
    try:
        return dumps(asdict(probe(path)))
    except BadAudio as error:
        return dumps({"error": error.code})


@contextmanager
def opened(file: BinaryIO) -> Iterator[InputContainer]:
    """A container with an audio track. Raises BadAudio."""
    import av

    head = file.read(16)
    file.seek(0)
    if not head:
        raise BadAudio("empty")
    try:
        container = av.open(
            file,
            mode="r",
            metadata_errors="ignore",
            options={"format_whitelist": CONTAINERS, "protocol_whitelist": ""},
        )
    except (av.error.FFmpegError, ValueError):
        raise BadAudio("truncated" if _is_signature(head) else "not_audio") from None
    with container:
        if not container.streams.audio:
            raise BadAudio("no_audio_track" if container.streams.video else "not_audio")
        if not container.streams.audio[0].codec_context:
            raise BadAudio("not_audio")
        yield container


def _blocks(container: InputContainer, *, layout: str) -> Iterator[tuple[Samples, bool]]:
    """Blocks of (channels, samples), each with whether decoding went well so far."""
    import av

    # Whole numbers, since mixing channels down as floats makes it louder than full scale.
    resampler = av.AudioResampler(format="s16p", layout=layout, rate=SAMPLE_RATE)
    waiting: list[Samples] = []
    held, intact = 0, True
    for frames, intact in frames_of(container):
        for frame in frames:
            for resampled in resampler.resample(frame):
                waiting.append(_as_float(resampled.to_ndarray()))
                held += resampled.samples
        if held >= BLOCK_SECONDS * SAMPLE_RATE:
            yield np.concatenate(waiting, axis=1), intact
            waiting, held = [], 0
    for resampled in resampler.resample(None):
        waiting.append(_as_float(resampled.to_ndarray()))
    yield (np.concatenate(waiting, axis=1) if waiting else np.zeros((1, 0), np.float32)), intact


def frames_of(container: InputContainer) -> Iterator[tuple[list[AudioFrame], bool]]:
    """The frames of each packet of the first audio track, with whether decoding went well so far.

    Their samples one after the other are what every time in the portal counts from.
    """
    import av

    intact = True
    packets = container.demux(container.streams.audio[0])
    while True:
        frames: list[AudioFrame] = []
        try:
            frames = next(packets).decode()
        except StopIteration:
            return
        except av.error.EOFError:
            return
        except av.error.InvalidDataError:
            intact = False
        except av.error.FFmpegError:
            yield [], False
            return
        for frame in frames:
            frame.pts = None  # gaps in time stamps are not gaps in sound
        yield frames, intact


def _as_float(whole: NDArray[Any]) -> Samples:
    return whole.astype(np.float32) / np.float32(32768)


def _stated_seconds(container: InputContainer) -> float:
    """What the header says, or 0 when it says nothing."""
    return container.duration / 1_000_000 if container.duration else 0.0


def _loudest_dbfs(samples: Samples) -> float:
    """Level of the loudest tenth of a second."""
    step = SAMPLE_RATE // 10
    whole = samples[: len(samples) // step * step].reshape(-1, step)
    if not len(whole):
        return -200.0
    power = float(np.mean(np.square(whole), axis=1).max())
    return float(10 * np.log10(max(power, 1e-20)))


def _is_signature(head: bytes) -> bool:
    return head.startswith(SIGNATURES) or head[4:8] == b"ftyp"


def _lacks_bytes(path: Path) -> bool:
    """True for a WAV shorter than its header says, which FFmpeg passes over in silence. Huge sizes
    are what a recorder writes that cannot go back to fill in the real one."""
    with path.open("rb") as file:
        head = file.read(8)
    size = int.from_bytes(head[4:], "little") + 8
    return head.startswith(b"RIFF") and path.stat().st_size < size < 0x7FFF_0000


def _looks_like_audio(path: Path) -> bool:
    with path.open("rb") as file:
        return _is_signature(file.read(16))
