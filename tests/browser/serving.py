"""The portal's own web process (`portal web`) on the test database: for pages that need a
WebSocket, and for tests that kill it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

STARTS_WITHIN = 60.0


class AsgiServer:
    """Always at the same address, also after it was killed; its log is in ``log``."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / "web.log"
        self._process: subprocess.Popen[bytes] | None = None
        url = urlsplit(os.environ["PORTAL_DATABASE_URL"])
        database = str(connection.settings_dict["NAME"])
        self._environment = {
            **os.environ,
            "PORTAL_DATABASE_URL": urlunsplit(url._replace(path=f"/{database}")),
            "PORTAL_ORIGIN": self.address,
        }

    def __str__(self) -> str:
        return self.address

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def collect(self) -> None:
        """Put the pages' files where the web process serves them from."""
        command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--clear"]
        subprocess.run(
            command,
            cwd=settings.PROJECT,
            env=self._environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Returns when it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "portal.cli", "web", "--port", str(self.port)],
                cwd=settings.PROJECT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if not self.running or time.monotonic() > deadline:
                    raise RuntimeError(self.log.read_text()) from None
                time.sleep(0.05)

    def kill(self) -> None:
        """As a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
