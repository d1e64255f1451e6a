"""Deepgram's live WebSocket at ``/v1/listen``, by its documented messages."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from itertools import groupby
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from portal.speech.audio import SAMPLE_RATE
from tests.servers.deepgram import word_as_json
from tests.servers.hearing import Heard, words_in

SETTLED = 0.3
"""Seconds after a sentence at which it is final."""


class DeepgramLive:
    """``queries`` is what each connection asked for. ``breaks_after``: seconds of sound after which
    it hangs up. ``deaf_after``: after which it says nothing more. ``refuses``: the status of those
    that come next. ``nonsense``: in its answers."""

    def __init__(self, *, key: str = "dg-test-key") -> None:
        self.key = key
        self.calm()
        self._server = serve(self._serve, "127.0.0.1", 0, process_request=self._let_in)
        self.url = f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def calm(self) -> None:
        self.queries: list[dict[str, list[str]]] = []
        self.heard = 0.0
        self.breaks_after: float | None = None
        self.deaf_after: float | None = None
        self.refuses: HTTPStatus | None = None
        self.nonsense = False

    @contextmanager
    def running(self) -> Iterator[DeepgramLive]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()

    def _let_in(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.refuses is not None:
            return connection.respond(self.refuses, "no")
        if request.headers.get("Authorization") != f"Token {self.key}":
            return connection.respond(HTTPStatus.UNAUTHORIZED, "Invalid credentials.")
        return None

    def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        query = parse_qs(urlsplit(socket.request.path).query)
        self.queries.append(query)
        pcm, told = b"", 0.0
        for message in socket:
            if isinstance(message, bytes):
                pcm += message
                self.heard += len(message) / 2 / SAMPLE_RATE
                if self.breaks_after is not None and self.heard > self.breaks_after:
                    socket.close(1011, "NET-0000")
                    return
                if self.deaf_after is None or self.heard <= self.deaf_after:
                    told = self._tell(socket, query, pcm, told, at_end=False)
            elif json.loads(message)["type"] == "CloseStream":
                self._tell(socket, query, pcm, told, at_end=True)
                socket.send(json.dumps({"type": "Metadata", "request_id": "0"}))
                return

    def _tell(
        self,
        socket: ServerConnection,
        query: dict[str, list[str]],
        pcm: bytes,
        told: float,
        *,
        at_end: bool,
    ) -> float:
        """Say what is new; seconds up to which it is final."""
        seconds = len(pcm) / 2 / SAMPLE_RATE
        words = [word for word in words_in(pcm) if word.start >= told - 0.05]
        for _, turn in groupby(words, key=lambda word: word.turn):
            said = list(turn)
            ended = seconds - said[-1].end > SETTLED and said[-1].text[-1] in ".?"
            final = ended or at_end
            until = said[-1].end + 0.1 if ended else seconds
            body = results(said, query, start=told, until=until, final=final)
            socket.send(json.dumps({"type": "Results"} if self.nonsense else body))
            if final:
                told = until
        return told


def results(
    said: list[Heard], query: dict[str, list[str]], *, start: float, until: float, final: bool
) -> dict[str, Any]:
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "start": start,
        "duration": until - start,
        "is_final": final,
        "speech_final": final,
        "channel": {
            "alternatives": [
                {
                    "transcript": " ".join(word.text for word in said),
                    "confidence": 0.98,
                    "words": [word_as_json(word, query) for word in said],
                }
            ]
        },
        "metadata": {
            "request_id": "0",
            "model_info": {"name": "general-nova-3", "version": "0", "arch": "nova-3"},
            "model_uuid": "0",
        },
    }
