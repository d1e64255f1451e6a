"""What one browser recorded, on disk: a file of entries that is only ever appended to.

Each entry is framed by its length and its CRC-32 (``<II``), then `protocol.pack_entry`. A crash or
a full disk can only leave a torn tail, which has no valid frame: it was never acknowledged, so
`Journal.open` cuts it off and the browser sends it again. Files are 0600, folders 0700.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from portal.conversations.partfiles import BLOCK, FULL, KEEP_FREE
from portal.live.protocol import (
    MOST_AUDIO_BYTES,
    MOST_ENTRY_BYTES,
    Audio,
    BadEntry,
    Entry,
    pack_entry,
    parse_entry,
)

_FRAME = struct.Struct("<II")
WRITER_LOCK = "writer.lock"


class Busy(Exception):
    """Somebody else, in this process or another, is writing there.

    ``holder``: what they said of themselves to `lock_recording`.
    """

    def __init__(self, holder: str = "") -> None:
        super().__init__(holder)
        self.holder = holder


class DiskFull(Exception):
    """Nothing of this append was kept; everything before it was."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a journal goes: its entries, the samples in them, and its valid bytes."""

    next_seq: int = 0
    samples: int = 0
    end: int = 0


def read(path: Path, *, offset: int = 0) -> Iterator[tuple[Entry, int]]:
    """Whole entries from byte ``offset`` on, each with the offset after it.

    Ends at the first that is incomplete, which may be complete at the next call: somebody may be
    appending meanwhile. A file that is not there has no entries. ``offset`` is 0 or one of those
    given before.
    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb", buffering=BLOCK))
        except FileNotFoundError:
            return
        file.seek(offset)
        expected = 0 if offset == 0 else None
        while (found := _next_entry(file)) is not None:
            entry, length = found
            if expected is not None and entry.seq != expected:
                return
            expected = entry.seq + 1
            offset += length
            yield entry, offset


def _next_entry(file: BinaryIO) -> tuple[Entry, int] | None:
    head = file.read(_FRAME.size)
    if len(head) < _FRAME.size:
        return None
    length, crc = _FRAME.unpack(head)
    if length > MOST_ENTRY_BYTES:
        return None
    body = file.read(length)
    if len(body) < length or zlib.crc32(body) != crc:
        return None
    try:
        return parse_entry(body), _FRAME.size + length
    except BadEntry:
        return None


def extent(path: Path, *, since: Extent | None = None) -> Extent:
    """How far the journal goes now; with what it was ``since``, only what is new is read."""
    since = since or Extent()
    next_seq, samples, end = since.next_seq, since.samples, since.end
    for entry, after in read(path, offset=end):
        next_seq, end = entry.seq + 1, after
        if isinstance(entry, Audio):
            samples += entry.samples
    return Extent(next_seq, samples, end)


class _Locked:
    """A file that this object alone holds until it is closed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        # A descriptor closed under a thread that writes could be another file's by then.
        self._at_work = threading.Lock()

    def close(self) -> None:
        """Let go, after what another thread is writing. Closing again does nothing."""
        with self._at_work:
            if self._descriptor >= 0:
                descriptor, self._descriptor = self._descriptor, -1
                os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class WriterLock(_Locked):
    """The right to record: of all browsers, only one at a time has it. See `lock_recording`."""

    def say(self, holder: str) -> None:
        os.ftruncate(self._descriptor, 0)
        try:
            os.pwrite(self._descriptor, holder.encode(), 0)
        except OSError as error:
            if error.errno in FULL:
                raise DiskFull from error
            raise


def lock_recording(folder: Path, *, holder: str = "") -> WriterLock:
    """``holder`` is told to whoever comes too late.

    Raises Busy, DiskFull, OSError.
    """
    path = folder / WRITER_LOCK
    try:
        lock = WriterLock(_open_locked(path))
    except Busy:
        with contextlib.suppress(FileNotFoundError):
            raise Busy(path.read_text()) from None
        raise
    try:
        lock.say(holder)
    except BaseException:
        lock.close()
        raise
    return lock


class Journal(_Locked):
    """The one writer of a journal."""

    def __init__(self, descriptor: int, valid: Extent) -> None:
        super().__init__(descriptor)
        self._extent = valid

    @classmethod
    def open(cls, path: Path) -> Journal:
        """To go on after the last valid entry; makes the file when it is not there.

        Raises Busy, DiskFull, OSError.
        """
        descriptor = _open_locked(path)
        try:
            valid = extent(path)
            if os.fstat(descriptor).st_size > valid.end:
                os.ftruncate(descriptor, valid.end)
                os.fsync(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor, valid)

    @property
    def next_seq(self) -> int:
        return self._extent.next_seq

    @property
    def samples(self) -> int:
        """Of all audio in it."""
        return self._extent.samples

    def append(self, entries: Sequence[Entry]) -> None:
        """On disk when this returns, all of them. ``entries`` follow each other from `next_seq`.

        Raises DiskFull, OSError; then none of them counts.
        """
        following = itertools.count(self.next_seq)
        if any(entry.seq != seq for entry, seq in zip(entries, following, strict=False)):
            raise ValueError("entries must follow each other")
        data = b"".join(map(_framed, entries))
        end = self._extent.end
        try:
            self._check_room(len(data))
            _write(self._descriptor, data, end)
            os.fdatasync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, end)
            if error.errno in FULL:
                raise DiskFull from error
            raise
        samples = sum(entry.samples for entry in entries if isinstance(entry, Audio))
        self._extent = Extent(self.next_seq + len(entries), self.samples + samples, end + len(data))

    def _check_room(self, size: int) -> None:
        disk = os.fstatvfs(self._descriptor)
        if disk.f_bavail * disk.f_frsize < size + KEEP_FREE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _framed(entry: Entry) -> bytes:
    if isinstance(entry, Audio) and len(entry.pcm) > MOST_AUDIO_BYTES:
        raise ValueError("too much audio for one entry")
    body = pack_entry(entry)
    return _FRAME.pack(len(body), zlib.crc32(body)) + body


def _write(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _open_locked(path: Path) -> int:
    """A descriptor that holds the lock of ``path``, which is made if need be, to last."""
    while True:
        try:
            _make_folder(path.parent)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno in FULL:
                raise DiskFull from error
            raise
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status = os.fstat(descriptor)
            if status.st_size == 0:
                _sync_folder(path.parent)
            if os.path.samestat(status, path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise Busy from None
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # the file was taken away between opening and locking: a new one


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
