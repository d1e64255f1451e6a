"""Bodies that are too long are refused while they arrive.

Django keeps a request's whole body on disk before any view, so before anybody asked who is
sending: without a limit here, a stranger could fill the disk.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

FORM_BYTES = 2 * 1024 * 1024
"""Enough for any form; what carries recordings has a limit of its own."""

SENTENCE = "Lo que se envía es demasiado grande. No se ha guardado nada de este envío."


class BodyLimit:
    """``recordings``: most bytes for addresses that begin like one of ``carriers``."""

    def __init__(self, app: App, *, recordings: int, carriers: tuple[str, ...]) -> None:
        self._app = app
        self._recordings = recordings
        self._carriers = carriers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._recordings if scope["path"].startswith(self._carriers) else FORM_BYTES
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if stated.isdigit() and int(stated) > limit:
            await _refuse(send)
            return
        left = limit

        async def counted() -> Mapping[str, Any]:
            nonlocal left
            event = await receive()
            if event["type"] == "http.request":
                left -= len(event["body"])
            if left < 0:  # nobody said how long it would be
                return {"type": "http.disconnect"}
            return event

        await self._app(scope, counted, send)
        if left < 0:
            await _refuse(send)


async def _refuse(send: Send) -> None:
    body = SENTENCE.encode()
    await send(
        {
            "type": "http.response.start",
            "status": 413,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ],
            "trailers": False,
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
