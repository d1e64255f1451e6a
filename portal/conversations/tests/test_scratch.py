"""Temporary copies of recordings end with the process that made them, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from portal.conversations import scratch

AUDIO = Path(__file__).parents[3] / "tests" / "audio" / "participant_first.ogg"
OTHER = """
import sys
from django.conf import settings
settings.configure(MEDIA_ROOT=sys.argv[1])
from pathlib import Path
from portal.conversations import scratch
from portal.speech.outgoing import outgoing
with scratch.own(), outgoing(Path(sys.argv[2]), speakers=1) as sound:
    print(sound.parts[0].path, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "recordings")
    return tmp_path


@contextmanager
def another(media: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process in the middle of its work, and the copy that it made."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(media / "recordings"), str(AUDIO)],
        env={**os.environ, "TMPDIR": str(media)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, Path(process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate()


def left() -> list[Path]:
    return [path for path in scratch.root().iterdir() if path.is_dir()]


def test_of_a_killed_process_nothing_is_left_once_another_begins(media: Path) -> None:
    with another(media) as (process, copy):
        assert copy.is_relative_to(scratch.root())
        process.kill()
        process.wait()
        assert copy.stat().st_size > 10_000
        with scratch.own() as mine:
            assert left() == [mine]
    assert left() == []
    assert list(media.rglob("*.flac")) == []


def test_what_a_living_process_has_is_left_alone(media: Path) -> None:
    with another(media) as (process, copy):
        scratch.tidy()
        with scratch.own():
            assert len(left()) == 2
        assert copy.exists()
        process.communicate("")
        assert process.returncode == 0
    assert left() == []


def test_only_the_owner_can_look(media: Path) -> None:
    before = tempfile.gettempdir()
    with scratch.own() as mine, tempfile.NamedTemporaryFile() as file:
        assert Path(file.name).parent == mine
        modes = [path.stat().st_mode & 0o777 for path in (scratch.root(), mine, Path(file.name))]
        assert modes == [0o700, 0o700, 0o600]
    assert tempfile.gettempdir() == before


def test_without_any_there_is_nothing_to_tidy() -> None:
    scratch.tidy()
    assert not scratch.root().exists()
