"""Where a process of the portal has its temporary files: copies of recordings among them, which
are not to outlive it in a folder of the system's that nobody tidies.

Each process has a folder of its own beside the recordings, and holds a lock in it as long as it
lives: what is not locked is of one that was killed. `portal transcribe` keeps nothing in the
portal's folders, and has the system's.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

_LOCK = ".lock"


def root() -> Path:
    return Path(settings.MEDIA_ROOT) / "scratch"


@contextmanager
def own() -> Iterator[Path]:
    """This process's temporary files are there for the block, whoever makes them; what dead
    processes left goes first."""
    folder = root()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    tidy()
    with _locked(folder):  # or another's `tidy` would take it for abandoned
        mine = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=folder))
        lock = os.open(mine / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    before, tempfile.tempdir = tempfile.tempdir, str(mine)
    try:
        yield mine
    finally:
        tempfile.tempdir = before
        shutil.rmtree(mine, ignore_errors=True)
        os.close(lock)


def tidy() -> None:
    """Remove what processes left that have gone."""
    folder = root()
    if not folder.exists():
        return
    with _locked(folder):
        for left in [path for path in folder.iterdir() if path.is_dir()]:
            if not _is_in_use(left):
                shutil.rmtree(left, ignore_errors=True)


def _is_in_use(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False  # killed before it had its lock, or in the middle of removing
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time."""
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
