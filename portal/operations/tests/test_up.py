"""Real processes: `portal up` as a person runs it, on a data folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

PATIENCE = 120


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    # Not pytest's own folder: each run of it closes that again to the database's user.
    with tempfile.TemporaryDirectory(prefix="portal con eñe ") as data:
        yield {**mine, "PORTAL_DATA": data, "PORTAL_PORT": str(free_port()), "HOME": ""}


@contextmanager
def up(environment: dict[str, str]) -> Iterator[psutil.Popen]:
    process = psutil.Popen(
        [sys.executable, "-m", "portal.cli", "up"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Los datos están en"):
                break
        else:
            raise AssertionError("".join(lines))
        yield process
    finally:
        if process.is_running():
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


def portal(environment: dict[str, str], *arguments: str, text: str = "") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "portal.cli", *arguments],
        env=environment, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout


def status(environment: dict[str, str], path: str) -> int:
    """-> 0 when nobody answers."""
    address = f"http://127.0.0.1:{environment['PORTAL_PORT']}{path}"
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as page:
            return int(page.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def children(process: psutil.Popen, wanted: Callable[[list[str]], bool]) -> list[psutil.Process]:
    """Not psutil's own: it leaves out who seems older than its parent, as the first child does
    when the clock is put right meanwhile."""
    return [
        child
        for child in psutil.process_iter(["ppid", "cmdline"])
        if child.info["ppid"] == process.pid and wanted(child.info["cmdline"])
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_it_serves_and_ends_with_nothing_left(environment: dict[str, str]) -> None:
    with up(environment) as process:
        assert status(environment, "/salud/") == 200
        family = process.children(recursive=True)
        assert len(family) > 2
        process.send_signal(signal.SIGINT)
        output = process.stdout.read()
        assert process.wait(PATIENCE) == 0
    assert "Cerrado. Los datos se conservan." in output
    assert not psutil.wait_procs(family, PATIENCE)[1]


def test_killed_outright_it_leaves_nothing_either(environment: dict[str, str]) -> None:
    with up(environment) as process:
        family = process.children(recursive=True)
        process.kill()
        process.wait(PATIENCE)
    assert not psutil.wait_procs(family, PATIENCE)[1]
    with up(environment):  # and what is left on the disk does not stop the next start
        assert status(environment, "/salud/") == 200


def test_while_it_runs(environment: dict[str, str]) -> None:
    with up(environment) as process:
        code, output = portal(environment, "up", "--port", str(free_port()))
        assert code == 1
        assert "ya está en marcha" in output

        code, output = portal(
            environment, "createadmin", "--email", "Ana@Example.org", "--name", "Ana Robles",
            "--team", "Oficina Centro", "--password-stdin", text="una frase larga para entrar\n",
        )  # fmt: skip
        assert (code, output) == (
            0,
            "Ya puede entrar Ana Robles (ana@example.org), del equipo «Oficina Centro».\n",
        )

        code, output = portal(environment, "doctor")
        for _ in range(PATIENCE):  # worker and recogniser start after the first page
            if code == 0:
                break
            time.sleep(1)
            code, output = portal(environment, "doctor")
        assert code == 0, output
        assert "✓ Proceso de trabajo" in output
        assert "✓ Reconocedor" in output

        code, output = portal({**environment, "PORTAL_WHISPER_MODEL": "/no/hay"}, "doctor")
        assert code == 1
        assert "✗ Modelo de transcripción" in output

        for number, wanted in enumerate(("web", "worker", "recogniser", "postgres")):
            child_named(process, wanted).kill()
            line = process.stdout.readline()
            assert "vuelve a arrancar" in line, (number, line)
            assert status(environment, "/cuenta/login/") in (200, 0, 500)
        # All are back: nothing else reads and writes through all of them.
        while status(environment, "/salud/") != 200:
            assert process.is_running()


def child_named(process: psutil.Popen, wanted: str) -> psutil.Process:
    """Waits for one that is about to be: a process has its parent's name until it has its own."""
    for _ in range(100):
        found = children(process, lambda line: has(line, wanted))
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"no {wanted}")


def has(line: list[str], wanted: str) -> bool:
    return wanted in line[3:4] or "".join(line[:1]).endswith(wanted)


def test_a_port_that_is_taken_is_said(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, output = portal(environment, "up", "--port", str(port))
    assert code == 1
    assert f"127.0.0.1:{port}" in output
    assert "--port" in output


def test_the_demo_is_for_this_computer_only(environment: dict[str, str]) -> None:
    code, output = portal(environment, "up", "--demo", "--host", "192.0.2.1")
    assert code == 2
    assert "solo se sirve en este equipo" in output


@pytest.mark.parametrize("command", ["transcribe", "assess", "ask"])
def test_the_engines_commands_start_without_django(command: str) -> None:
    script = (
        "import sys\nfrom portal.cli import main\n"
        f"main([{command!r}, '--help'], standalone_mode=False)\n"
        "assert 'django' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
