"""The real server, and a browser's side of its socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import uvicorn
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import translation
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from portal.accounts.models import Employee
from portal.live.journal import read
from portal.live.models import LiveRecording
from portal.live.protocol import SENTENCES, Audio, CloseCode, Entry, pack_entry
from portal.live.routing import UVICORN

PATIENCE = 20.0


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """The application under uvicorn in a thread. -> host:port"""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        "portal.asgi:application", lifespan="off", log_config=None, access_log=False, **UVICORN
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    yield "{}:{}".format(*listener.getsockname())
    server.should_exit = True
    thread.join()


class PortalWeb:
    """`portal web` as a process of its own, on the test's database; it can be killed."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._listener.getsockname())
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        descriptor = self._listener.fileno()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "portal.cli", "web", "--fd", str(descriptor)],
            env={
                **os.environ,
                "PORTAL_DATA": str(settings.ENV.data),
                "PORTAL_DATABASE_URL": database_url(),
            },
            pass_fds=(descriptor,),
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self._listener.close()


def database_url() -> str:
    """Of the database that the tests made, as PORTAL_DATABASE_URL takes it."""
    place = connection.settings_dict
    parts = {key: place[key.upper()] for key in ("user", "password", "host", "port")}
    query = urlencode({key: value for key, value in parts.items() if value})
    return f"postgresql:///{place['NAME']}?{query}"


def session_of(employee: Employee) -> str:
    client = Client()
    client.force_login(employee)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Tab:
    """One connection of a browser. ``session``: the cookie, if any."""

    def __init__(
        self,
        address: str,
        recording: UUID,
        session: str | None,
        *,
        origin: str | None = "http://127.0.0.1",
    ) -> None:
        cookie = {} if session is None else {"Cookie": f"sessionid={session}"}
        self._held = contextlib.ExitStack()
        self.socket: ClientConnection = self._held.enter_context(
            connect(
                f"ws://{address}/grabaciones/{recording}/socket/",
                additional_headers=cookie,
                origin=origin,  # type: ignore[arg-type]
                open_timeout=PATIENCE,
            )
        )

    def close(self) -> None:
        self._held.close()

    def tell(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def hello(
        self, part: UUID | None = None, *, mode: str = "record", takeover: bool = False
    ) -> dict[str, Any]:
        """-> the welcome"""
        self.tell(type="hello", part=str(part or uuid4()), mode=mode, takeover=takeover)
        return self.hear("welcome")

    def send(self, *entries: Entry) -> None:
        # To one that was closed meanwhile, a browser sends nothing and says nothing.
        with contextlib.suppress(ConnectionClosed):
            for entry in entries:
                self.socket.send(pack_entry(entry))

    def hear(self, kind: str) -> dict[str, Any]:
        """The next message of that type; others before it are passed over."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            message: dict[str, Any] = json.loads(self.socket.recv(PATIENCE))
            if message["type"] == kind:
                return message
        raise TimeoutError(kind)

    def acknowledged(self, seq: int) -> dict[str, Any]:
        """The acknowledgement that reaches ``seq``."""
        while (ack := self.hear("ack"))["seq"] < seq:
            pass
        return ack

    def end(self) -> tuple[int | None, list[dict[str, Any]]]:
        """-> the code it was closed with, and all that was said before that"""
        said = []
        try:
            while True:
                said.append(json.loads(self.socket.recv(PATIENCE)))
        except ConnectionClosed:
            return self.socket.protocol.close_code, said

    def refused(self) -> tuple[int | None, str]:
        """-> the code it was closed with, and the sentence of the error (empty without one)"""
        code, said = self.end()
        errors = [message for message in said if message["type"] == "error"]
        assert all(error["code"] == code for error in errors)
        return code, errors[-1]["message"] if errors else ""


FRAME_BYTES = 8000


def frame(seq: int) -> Audio:
    """A quarter of a second that is like no other."""
    return Audio(seq, bytes([seq % 251, seq // 251]) * (FRAME_BYTES // 2))


def frames(first: int, beyond: int) -> list[Entry]:
    return [frame(seq) for seq in range(first, beyond)]


def stored(recording: LiveRecording, part: UUID) -> list[Entry]:
    return [entry for entry, _ in read(recording.parts.get(token=part).journal)]


def sentence(code: CloseCode, language: str = "es") -> str:
    with translation.override(language):
        return str(SENTENCES[code])
