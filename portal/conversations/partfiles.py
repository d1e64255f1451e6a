"""The bytes of an upload on their way in: one file per upload, only ever appended to."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path
from typing import Protocol
from uuid import UUID

from django.conf import settings

BLOCK = 1024 * 1024
"""Bytes held in memory at a time."""

KEEP_FREE = 256 * 1024 * 1024
"""Bytes of the disk left to the database and to whatever else lives there."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class ByteStream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Shorter(Exception):
    """The file holds fewer bytes than were acknowledged: somebody took them away."""


class TooLong(Exception):
    """More bytes than were announced. None of this request's bytes was kept."""


def path_of(upload_id: UUID) -> Path:
    return Path(settings.MEDIA_ROOT) / "uploads" / f"{upload_id}.part"


def create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)


def free_bytes() -> int:
    """Room left where uploads go."""
    folder = Path(settings.MEDIA_ROOT)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free


def append(path: Path, *, offset: int, stream: ByteStream, size: int) -> tuple[int, bool]:
    """Write what ``stream`` gives at ``offset``, up to ``size`` bytes in all.

    Returns the new length, safely on disk, and whether the disk had room for everything.
    Bytes beyond ``offset`` from a request that was never acknowledged are overwritten.

    Raises Shorter, TooLong, OSError.
    """
    with path.open("r+b", buffering=0) as file:
        if os.fstat(file.fileno()).st_size < offset:
            raise Shorter
        file.truncate(offset)
        file.seek(offset)
        length, roomy = offset, True
        while block := stream.read(BLOCK):
            if length + len(block) > size:
                file.truncate(offset)
                raise TooLong
            written, roomy = _write(file.fileno(), block)
            length += written
            if not roomy:
                break
        try:
            os.fsync(file.fileno())
        except OSError as error:
            # A full disk may say so only now; then nothing of this request counts.
            if error.errno not in FULL:
                raise
            file.truncate(offset)
            return offset, False
    return length, roomy


def _write(descriptor: int, block: bytes) -> tuple[int, bool]:
    view = memoryview(block)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except OSError as error:
            if error.errno not in FULL:
                raise
            return len(block) - len(view), False
    return len(block), True


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
