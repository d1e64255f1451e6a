"""Whatever happens to the process or the disk: what was acknowledged is there, byte for byte."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.conversations import partfiles
from portal.live import journal
from portal.live.journal import Busy, DiskFull, Extent, Journal, extent, lock_recording, read
from portal.live.protocol import MOST_AUDIO_BYTES, Audio, Entry, Gap, GapKind

many = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def entry_of(seq: int, content: bytes | int) -> Entry:
    if isinstance(content, bytes):
        return Audio(seq, content)
    return Gap(seq, list(GapKind)[content % 3], content)


contents = st.one_of(
    st.binary(min_size=1, max_size=40).map(lambda pcm: pcm + pcm),
    st.integers(min_value=0, max_value=2**32 - 1),
)
# What happens, in order: something is appended, or everything dies and leaves that tail.
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.lists(contents, min_size=1, max_size=5)),
        st.tuples(st.just("torn"), st.lists(contents, min_size=1, max_size=3), st.integers(0, 300)),
        st.tuples(st.just("garbage"), st.binary(max_size=60)),
        st.tuples(st.just("zeros"), st.integers(0, 9000)),
    ),
    max_size=12,
)


@many
@given(happenings=happenings)
def test_what_was_acknowledged_is_there_after_any_crashes(
    happenings: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("live") / "001.journal"
    acknowledged: list[Entry] = []
    opened = Journal.open(path)
    for kind, *rest in happenings:
        if kind in ("append", "torn"):
            batch = [entry_of(opened.next_seq + i, content) for i, content in enumerate(rest[0])]
            before = path.stat().st_size
            opened.append(batch)
            if kind == "append":
                acknowledged += batch
                continue
            # Died in the middle of it: any part of it may have come to the disk.
            opened.close()
            whole = path.stat().st_size
            os.truncate(path, min(before + rest[1], whole))
        else:
            opened.close()
            tail = rest[0] if kind == "garbage" else bytes(rest[0])
            with path.open("ab") as file:
                file.write(tail)
        survived = [entry for entry, _ in read(path)]
        assert survived[: len(acknowledged)] == acknowledged
        opened = Journal.open(path)
        acknowledged = survived
        assert opened.next_seq == len(survived)
        assert path.stat().st_size == extent(path).end
    opened.close()
    assert [entry for entry, _ in read(path)] == acknowledged
    assert opened.samples == sum(e.samples for e in acknowledged if isinstance(e, Audio))


@many
@given(
    batches=st.lists(st.lists(contents, min_size=1, max_size=4), min_size=1, max_size=6),
    cut=st.integers(min_value=0),
)
def test_a_reader_stops_before_what_is_not_whole_and_goes_on_when_it_is(
    batches: list[list[bytes | int]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("live") / "001.journal"
    with Journal.open(path) as writing:
        for batch in batches:
            writing.append([entry_of(writing.next_seq + i, c) for i, c in enumerate(batch)])
    everything = list(read(path))
    whole = path.read_bytes()
    cut %= len(whole) + 1
    partly = path.with_name("002.journal")
    partly.write_bytes(whole[:cut])
    first = list(read(partly))
    assert first == [(entry, end) for entry, end in everything if end <= cut]
    so_far = extent(partly)

    partly.write_bytes(whole)
    rest = list(read(partly, offset=first[-1][1] if first else 0))
    assert first + rest == everything
    assert extent(partly, since=so_far) == extent(path)


def test_a_changed_byte_ends_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "001.journal"
    with Journal.open(path) as writing:
        writing.append([Audio(0, b"\x01\x02" * 500)])
        writing.append([Audio(1, b"\x03\x04" * 500)])
        writing.append([Audio(2, b"\x05\x06" * 500)])
    content = bytearray(path.read_bytes())
    content[1500] ^= 1
    path.write_bytes(content)
    assert [entry.seq for entry, _ in read(path)] == [0]


def test_a_valid_entry_that_is_not_the_next_is_left_over_and_no_part_of_it(tmp_path: Path) -> None:
    path, other = tmp_path / "001.journal", tmp_path / "002.journal"
    for each, entries in ((path, [Audio(0, b"\1\1")]), (other, [Audio(0, b"\2\2")])):
        with Journal.open(each) as writing:
            writing.append(entries)
    path.write_bytes(path.read_bytes() + other.read_bytes())
    assert [entry for entry, _ in read(path)] == [Audio(0, b"\1\1")]
    with Journal.open(path) as writing:
        assert writing.next_seq == 1


def test_entries_out_of_their_order_are_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "001.journal") as writing:
        for wrong in ([Audio(1, b"\0\0")], [Audio(0, b"\0\0"), Audio(2, b"\0\0")]):
            with pytest.raises(ValueError, match="follow"):
                writing.append(wrong)
        with pytest.raises(ValueError, match="too much"):
            writing.append([Audio(0, bytes(MOST_AUDIO_BYTES + 2))])
        assert writing.next_seq == 0


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "live" / "a recording" / "001.journal"
    Journal.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_two_writers_exclude_each_other_in_one_process(tmp_path: Path) -> None:
    path = tmp_path / "001.journal"
    with Journal.open(path), pytest.raises(Busy):
        Journal.open(path)
    with Journal.open(path) as again:
        assert again.next_seq == 0
    with lock_recording(tmp_path), pytest.raises(Busy):
        lock_recording(tmp_path)
    lock_recording(tmp_path).close()


HOLD = """
import sys
from pathlib import Path
import django
django.setup()
from portal.live.journal import Journal
held = Journal.open(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_process(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "001.journal")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_two_processes_exclude_each_other_and_a_killed_one_lets_go(
    other_process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    with pytest.raises(Busy):
        Journal.open(tmp_path / "001.journal")
    other_process.kill()
    other_process.wait()
    Journal.open(tmp_path / "001.journal").close()


def test_a_file_taken_away_meanwhile_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "001.journal"
    path.touch()
    lock = journal.fcntl.flock

    def discarded_just_before(descriptor: int, how: int) -> None:
        monkeypatch.setattr(journal.fcntl, "flock", lock)
        path.unlink()
        lock(descriptor, how)

    monkeypatch.setattr(journal.fcntl, "flock", discarded_just_before)
    with Journal.open(path) as writing:
        writing.append([Audio(0, b"\1\0")])
    assert [entry for entry, _ in read(path)] == [Audio(0, b"\1\0")]


@pytest.mark.parametrize("room", [0, 700])
def test_a_disk_that_fills_up_keeps_what_was_before(
    room: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "001.journal"
    left = 1300 + room
    write = os.pwrite

    def on_a_small_disk(descriptor: int, data: memoryview, offset: int) -> int:
        nonlocal left
        if left == 0:
            raise OSError(errno.ENOSPC, "full")
        written = write(descriptor, data[:left], offset)
        left -= written
        return written

    monkeypatch.setattr(journal.os, "pwrite", on_a_small_disk)
    with Journal.open(path) as writing:
        writing.append([Audio(0, bytes(1000))])
        kept = extent(path)
        with pytest.raises(DiskFull):
            writing.append([Audio(1, bytes(500)), Audio(2, bytes(500))])
        assert extent(path) == kept == Extent(1, 500, path.stat().st_size)
        left = 10_000  # somebody made room
        writing.append([Audio(1, bytes(500)), Audio(2, bytes(500))])
    assert extent(path).next_seq == 3


def test_a_disk_that_says_only_when_syncing_that_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "001.journal"
    with Journal.open(path) as writing:

        def full(descriptor: int) -> None:
            raise OSError(errno.EDQUOT, "full")

        monkeypatch.setattr(journal.os, "fdatasync", full)
        with pytest.raises(DiskFull):
            writing.append([Audio(0, bytes(500))])
    assert path.stat().st_size == 0


def test_room_is_left_for_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = os.statvfs(tmp_path)
    monkeypatch.setattr(journal, "KEEP_FREE", disk.f_bavail * disk.f_frsize + 2**40)
    assert partfiles.KEEP_FREE > 0
    with Journal.open(tmp_path / "001.journal") as writing, pytest.raises(DiskFull):
        writing.append([Audio(0, bytes(500))])
