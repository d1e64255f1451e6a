"""The audio of a recording's journals as one file."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.conversations.partfiles import BLOCK
from portal.live.journal import read
from portal.live.protocol import SAMPLE_RATE, Audio, Gap, GapKind

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


@dataclass(frozen=True, slots=True)
class Missing:
    """What is not in the audio: its place in it and its length, in seconds."""

    kind: GapKind
    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Sound:
    """``begins``: where each journal's audio begins, in seconds."""

    begins: tuple[float, ...]
    seconds: float
    missing: tuple[Missing, ...]
    size: int
    sha256: str


def join(journals: Sequence[Path], target: Path, *, samples: int) -> Sound:
    """Write their audio, one after another, as a WAV file that is on disk when this returns.

    ``samples`` is how many there are in all: nobody may be writing. Uses the memory of one entry,
    however long the recording. Raises OSError, EOFError when there is less.
    """
    digest = hashlib.sha256()
    begins, missing, done = [], list[Missing](), 0
    with target.open("wb", buffering=BLOCK) as file:
        os.fchmod(file.fileno(), 0o600)
        header = _header(samples)
        file.write(header)
        digest.update(header)
        for journal in journals:
            begins.append(done / SAMPLE_RATE)
            for entry, _offset in read(journal):
                if isinstance(entry, Audio):
                    file.write(entry.pcm)
                    digest.update(entry.pcm)
                    done += entry.samples
                else:
                    _note(missing, entry, done / SAMPLE_RATE)
        if done != samples:
            raise EOFError
        file.flush()
        os.fsync(file.fileno())
    return Sound(
        begins=tuple(begins),
        seconds=samples / SAMPLE_RATE,
        missing=tuple(missing),
        size=_HEADER.size + 2 * samples,
        sha256=digest.hexdigest(),
    )


def missing_in(journals: Sequence[Path]) -> tuple[Missing, ...]:
    """The gaps alone. Works while somebody appends."""
    missing, done = list[Missing](), 0
    for journal in journals:
        for entry, _offset in read(journal):
            if isinstance(entry, Audio):
                done += entry.samples
            else:
                _note(missing, entry, done / SAMPLE_RATE)
    return tuple(missing)


def _note(missing: list[Missing], gap: Gap, at: float) -> None:
    """Gaps of one kind that follow each other are one: each reconnection tells a piece."""
    seconds = gap.ms / 1000
    if missing and (missing[-1].kind, missing[-1].at) == (gap.kind, at):
        seconds += missing.pop().seconds
    if seconds:
        missing.append(Missing(gap.kind, at, seconds))


def _header(samples: int) -> bytes:
    """Of a canonical WAV file, mono s16le."""
    length = 2 * samples
    return _HEADER.pack(
        b"RIFF", _HEADER.size - 8 + length, b"WAVE",
        b"fmt ", 16, 1, 1, SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16,
        b"data", length,
    )  # fmt: skip
