from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from portal.operations import database

STARTER = """
import pathlib, sys, time
from portal.operations import database
process = database.ensure_running(pathlib.Path(sys.argv[1]))
print(process.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    # Not pytest's own folder: each run of it closes that again to the database's user.
    with tempfile.TemporaryDirectory(prefix="carpeta con espacios y eñe ñ ") as folder:
        yield Path(folder)


@pytest.fixture
def data(place: Path) -> Iterator[Path]:
    folder = place / ("larga" * 25)
    yield folder
    database.stop(folder)


def start(data: Path) -> subprocess.Popen[bytes] | None:
    return database.ensure_running(data, options=database.UNSAFE_BUT_FAST)


def value(data: Path, query: str) -> object:
    with psycopg.connect(database.embedded_url(data)) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_it_starts_in_any_folder_with_what_the_portal_needs(data: Path) -> None:
    start(data)
    assert (
        value(
            data,
            "select count(*) from pg_available_extensions where name in ('unaccent', 'pg_trgm')",
        )
        == 2
    )
    assert value(data, "select upper('ñandú')") == "ÑANDÚ"


def test_it_never_runs_as_root_and_nobody_else_gets_in(data: Path) -> None:
    process = start(data)
    assert process is not None
    assert Path(f"/proc/{process.pid}").stat().st_uid != 0
    assert (data / "database" / "access.json").stat().st_mode & 0o077 == 0
    assert (data / "database" / "cluster").stat().st_mode & 0o077 == 0
    access = database.embedded_url(data)
    password = access.split(":")[2].split("@")[0]
    for url in (
        access.replace(password, "otra"),
        access.replace(f":{password}", ""),
        access.replace(f"portal:{password}", "postgres"),
    ):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)


def test_the_role_of_the_portal_is_no_superuser(data: Path) -> None:
    start(data)
    assert value(data, "select rolsuper from pg_roles where rolname = current_user") is False


def extensions(data: Path) -> object:
    return value(data, "select count(*) from pg_extension where extname = 'vector'")


def test_vectors_are_there_and_come_to_a_cluster_that_is_older(data: Path) -> None:
    start(data)
    with psycopg.connect(database.embedded_url(data), autocommit=True) as connection:
        assert extensions(data) == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("drop extension vector")
        connection.execute("create database made_later")
        connection.execute("create table kept (n int)")
    later = database.embedded_url(data).replace("/portal?", "/made_later?")
    with psycopg.connect(later) as connection:
        assert connection.execute("select '[1]'::vector").fetchone() == ("[1]",)
    database.stop(data)
    # As a cluster was before there were any.
    cluster, programs = data / "database" / "cluster", database._programs()
    user = database._unprivileged_user()
    for name in ("template1", "portal"):
        database._as_superuser(cluster, programs, user, name, "drop extension vector;\n\n")
    (data / "database" / "extension").unlink()
    start(data)
    assert extensions(data) == 1
    assert value(data, "select count(*) from kept") == 0


def test_a_second_start_uses_the_first(data: Path) -> None:
    assert start(data) is not None
    assert start(data) is None


def test_many_starters_at_once_make_one_server(data: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        started = list(pool.map(start, [data] * 4))
    assert sum(process is not None for process in started) == 1


def test_a_killed_server_starts_again_with_its_data(data: Path) -> None:
    process = database.ensure_running(data)
    assert process is not None
    with psycopg.connect(database.embedded_url(data)) as connection:
        connection.execute("create table kept (n int)")
        connection.execute("insert into kept values (7)")
    process.kill()
    process.wait()
    assert (data / "database" / "cluster" / "postmaster.pid").exists()
    start(data)
    assert value(data, "select n from kept") == 7


def test_a_moved_and_a_copied_folder_are_themselves(data: Path, place: Path) -> None:
    start(data)
    with psycopg.connect(database.embedded_url(data)) as connection:
        connection.execute("create table origin (name text)")
        connection.execute("insert into origin values ('first')")
    database.stop(data)
    copied = place / "copia"
    shutil.copytree(data, copied)
    moved = data.rename(place / "otra parte")
    try:
        start(moved)
        # The copy has the port and the password of the one that runs, and must not use it.
        assert not database.is_running(copied)
        start(copied)
        with psycopg.connect(database.embedded_url(copied)) as connection:
            connection.execute("update origin set name = 'copy'")
        assert value(moved, "select name from origin") == "first"
        assert value(copied, "select name from origin") == "copy"
    finally:
        database.stop(moved)
        database.stop(copied)


def test_it_ends_with_whoever_started_it_even_by_kill_9(data: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(data)], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    server = int(starter.stdout.readline())
    descriptor = os.pidfd_open(server)
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    wait_for_end(descriptor)


def wait_for_end(descriptor: int) -> None:
    import select

    ended, _, _ = select.select([descriptor], [], [], 60)
    os.close(descriptor)
    assert ended


def test_failing_statements_leave_no_data_in_the_log(data: Path) -> None:
    start(data)
    with psycopg.connect(database.embedded_url(data), autocommit=True) as connection:
        connection.execute("create table people (email text unique)")
        connection.execute("insert into people values ('fatima@example.org')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into people values ('fatima@example.org')")
    log = (data / "log" / "database.log").read_text()
    assert "people_email_key" in log
    assert "fatima" not in log
