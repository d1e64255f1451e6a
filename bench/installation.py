"""A portal of its own for a bench or for pictures: in a temporary folder, gone at the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.client import Portal

PROJECT = Path(__file__).resolve().parent.parent
MODELS = Path(os.environ.get("PORTAL_DATA", PROJECT / "var")) / "models"


@contextmanager
def installation() -> Iterator[tuple[Path, dict[str, str]]]:
    """-> (data folder, environment for its processes). The checkout's models are linked in."""
    with tempfile.TemporaryDirectory(prefix="portal-") as folder:
        data = Path(folder)
        (data / "models").symlink_to(MODELS)
        yield data, {**os.environ, "PORTAL_DATA": folder}


@contextmanager
def running(
    environment: dict[str, str], *, demo: bool = False
) -> Iterator[tuple[Portal, psutil.Process, float]]:
    """`make run`, from the command to the first page and to its end.

    -> (a client, the supervisor's process, seconds to the first page)
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.perf_counter()
    process = subprocess.Popen(
        ["make", "--no-print-directory", "run", f"DEMO={'--demo' if demo else ''}"],
        cwd=PROJECT,
        env={**environment, "PORTAL_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _first_page(f"http://127.0.0.1:{port}/cuenta/login/", process)
        seconds = time.perf_counter() - started
        yield Portal("127.0.0.1", port), psutil.Process(process.pid), seconds
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def _first_page(address: str, process: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as page:  # noqa: S310  # our own http address
                page.read()
                return
        except OSError:
            if process.poll() is not None:
                raise SystemExit("the portal did not start") from None
            time.sleep(0.05)


def command(arguments: list[str], environment: dict[str, str], *, text: str = "") -> None:
    """`portal` with ``arguments``, and ``text`` on its standard input."""
    subprocess.run(
        [sys.executable, "-m", "portal.cli", *arguments],
        input=text.encode(),
        env=environment,
        cwd=PROJECT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
