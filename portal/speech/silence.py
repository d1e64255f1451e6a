"""Silence in the place of a stretch of a recording: the same length, the same sound elsewhere.

A WAV file stays what it is, with zeros written over the samples of the stretch. Of everything else
the sound is decoded and written anew as FLAC, which loses nothing more: 16 bits are what the
portal hears of any file. Pictures and titles that a file carries are left behind.

Seconds count samples as `portal.speech.audio` does. Files are read in blocks.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from portal.speech import audio

if TYPE_CHECKING:
    import av

Stretches = Sequence[tuple[float, float]]
"""From when to when, in seconds."""

BLOCK = 1024 * 1024
LONGEST_HEADER = 1024 * 1024
"""Bytes before the samples of a WAV; a recorder's notes are shorter."""

# What silence is in one byte, by the number a WAV gives its coding.
_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_SILENT = {_FLOAT: 0x00, _ALAW: 0xD5, _MULAW: 0xFF}
_CODECS = {_FLOAT: "pcm_f32le", _ALAW: "pcm_alaw", _MULAW: "pcm_mulaw"}


@dataclass(frozen=True, slots=True)
class Silenced:
    """What was written, on disk to last."""

    path: Path
    codec: str
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class _Wav:
    """Where the samples are, and how: ``frame`` is the bytes of one sample of every channel."""

    offset: int
    size: int
    frame: int
    sample_rate: int
    channels: int
    silent: int
    codec: str


def silence(source: Path, target: Path, stretches: Stretches) -> Silenced:
    """Write the sound of ``source`` with nothing to be heard in ``stretches``.

    ``target`` comes without an ending: the file has that of what it is. One that is there already
    is written over. Raises BadAudio, OSError.
    """
    with source.open("rb") as file:
        wav = _wav(file)
    if wav is not None:
        return _write_over(source, target.with_name(f"{target.name}.wav"), stretches, wav)
    return _encode(source, target.with_name(f"{target.name}.flac"), stretches)


def _write_over(source: Path, target: Path, stretches: Stretches, wav: _Wav) -> Silenced:
    shutil.copyfile(source, target)
    target.chmod(0o600)
    with target.open("r+b") as file:
        for start, end in stretches:
            first, after = _samples(start, end, wav.sample_rate)
            begin = min(first * wav.frame, wav.size)
            left = min(after * wav.frame, wav.size) - begin
            file.seek(wav.offset + begin)
            while left > 0:
                left -= file.write(bytes([wav.silent]) * min(left, BLOCK))
        _sync(file)
    return Silenced(target, wav.codec, wav.sample_rate, wav.channels)


def _encode(source: Path, target: Path, stretches: Stretches) -> Silenced:
    import av

    with (
        source.open("rb") as original,
        audio.opened(original) as heard,
        target.open("w+b") as file,
    ):
        os.fchmod(file.fileno(), 0o600)
        written: av.AudioStream | None = None
        with av.open(file, "w", format="flac") as container:
            done = 0
            for frames, _intact in audio.frames_of(heard):
                for frame in frames:
                    if written is None:
                        rate, layout = frame.sample_rate, frame.layout.name
                        written = container.add_stream("flac", rate=rate, layout=layout)
                        to_whole = av.AudioResampler(format="s16", layout=layout, rate=rate)
                    for whole in to_whole.resample(frame):
                        done += _mute(whole, done, stretches)
                        container.mux(written.encode(whole))
            if written is None:
                raise audio.BadAudio("truncated")
            container.mux(written.encode(None))
            made = Silenced(target, "flac", written.rate, written.channels)
        _sync(file)
    return made


def _mute(frame: av.AudioFrame, done: int, stretches: Stretches) -> int:
    """Silence in what of ``frame``, whose first sample is number ``done``, is in a stretch.
    Gives its samples."""
    bytes_each = 2 * frame.layout.nb_channels
    for start, end in stretches:
        first, after = (
            min(max(n - done, 0), frame.samples) for n in _samples(start, end, frame.sample_rate)
        )
        if first < after:
            sound = memoryview(frame.planes[0]).cast("B")
            sound[first * bytes_each : after * bytes_each] = bytes((after - first) * bytes_each)
    return int(frame.samples)


def _samples(start: float, end: float, rate: int) -> tuple[int, int]:
    """The first sample of a stretch and the one after its last, none of it left out."""
    return max(0, math.floor(start * rate)), max(0, math.ceil(end * rate))


def _wav(file: BinaryIO) -> _Wav | None:
    """None for what is no WAV, or none in which the samples can be pointed at."""
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    length = os.fstat(file.fileno()).st_size
    form = b""
    while (at := file.tell()) < min(length, LONGEST_HEADER):
        name, size = file.read(4), int.from_bytes(file.read(4), "little")
        if name == b"data":
            whole = at + 8 + size <= length
            return _samples_of(form, at + 8, size) if whole and size else None
        if name == b"fmt ":
            form = file.read(min(size, 40))
        file.seek(at + 8 + size + size % 2)
    return None


def _samples_of(form: bytes, offset: int, size: int) -> _Wav | None:
    if len(form) < 16:
        return None
    number = [int.from_bytes(form[n : n + 2], "little") for n in range(0, 16, 2)]
    coding, channels, frame, bits = number[0], number[1], number[6], number[7]
    rate = int.from_bytes(form[4:8], "little")
    if coding == _EXTENSIBLE and len(form) >= 26:
        coding = int.from_bytes(form[24:26], "little")
    silent = _SILENT.get(coding, 0x80 if bits == 8 else 0x00)
    if coding not in (_PCM, *_SILENT) or not (rate and channels) or frame != channels * bits // 8:
        return None
    codec = _CODECS.get(coding, f"pcm_{'u' if bits == 8 else 's'}{bits}{'le' if bits > 8 else ''}")
    return _Wav(offset, size, frame, rate, channels, silent, codec)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
