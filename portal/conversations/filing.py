"""Putting what was received where recordings are kept, so that a second try finds what the first
one left: names are made of ids, and until the rows are there nothing else has them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from tempfile import NamedTemporaryFile

from django.core.files import File
from django.core.files.storage import default_storage

from portal.conversations import partfiles


def sha256(part: Path, name: str) -> str:
    """Of a received file, wherever an earlier try may have left it. Raises FileNotFoundError."""
    return partfiles.sha256(part if part.exists() else Path(default_storage.path(name)))


def put(part: Path, name: str) -> str:
    """Move it there, to last; on the file system nothing is copied. Gives the name it has there."""
    try:
        target = Path(default_storage.path(name))
    except NotImplementedError:
        if default_storage.exists(name):
            default_storage.delete(name)
        with part.open("rb") as file:
            return default_storage.save(name, File(file))
    if part.exists():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.replace(target)
        for folder in (target.parent, target.parent.parent):
            _sync(folder)
    return name


@contextmanager
def at_hand(name: str) -> Iterator[Path]:
    """The file of that name on this machine; fetched for the while from a storage elsewhere, into
    this process's temporary files (`scratch`)."""
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:
        with (
            NamedTemporaryFile(suffix=PurePath(name).suffix) as copy,
            default_storage.open(name) as original,
        ):
            for block in original.chunks(partfiles.BLOCK):
                copy.write(block)
            copy.flush()
            yield Path(copy.name)
    else:
        yield path


def _sync(folder: Path) -> None:
    """The file was synced by who wrote it; this is for its name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
