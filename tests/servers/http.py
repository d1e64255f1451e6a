"""A server on this machine that can be slow, refuse, cut its answer or make no sense of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Faults:
    """``statuses``: one is taken for each of the next requests. ``cut``: half of an answer, and
    then nothing. ``nonsense``: JSON of another shape; ``garbage``: none at all."""

    statuses: list[int] = field(default_factory=list)
    delay: float = 0.0
    cut: bool = False
    nonsense: bool = False
    garbage: bool = False


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Server:
    """``requests`` is what came. A subclass gives ``answer``."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.faults = Faults()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                service._serve(self)

            do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError

    @contextmanager
    def running(self) -> Iterator[Server]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()

    def calm(self) -> None:
        """Forget what came, and work well again."""
        self.requests.clear()
        self.faults = Faults()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        address = urlsplit(handler.path)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = _body(handler, headers)
        request = Request(handler.command, address.path, parse_qs(address.query), headers, body)
        self.requests.append(request)
        faults = self.faults
        if faults.delay:
            time.sleep(faults.delay)
        if faults.statuses:
            answer = Answer({"error": {"message": "no"}}, faults.statuses.pop(0))
        else:
            answer = self.answer(request)
        if faults.nonsense:
            answer = Answer({"results": None, "unexpected": [1, 2]})
        text = b"<html>" if faults.garbage else json.dumps(answer.body).encode()
        handler.send_response(answer.status)
        handler.send_header("Content-Type", "application/json")
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        if faults.cut:
            handler.wfile.write(text[: len(text) // 2])
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.close()
            return
        with suppress(ConnectionError):  # who asked waited no longer
            handler.wfile.write(text)


def _body(handler: BaseHTTPRequestHandler, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        blocks = []
        while size := int(handler.rfile.readline().strip(), 16):
            blocks.append(handler.rfile.read(size))
            handler.rfile.readline()
        handler.rfile.readline()
        return b"".join(blocks)
    return handler.rfile.read(int(headers.get("content-length", 0)))
