"""The address of the socket, beside the pages' in `urls.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from portal.live.consumers import LiveConsumer

UVICORN: dict[str, Any] = {
    # A message of a live recording has at most 16 kB, of what no compressor makes smaller.
    "ws_max_size": 64 * 1024,
    "ws_per_message_deflate": False,
    # Who is gone without a word is noticed within 20 seconds.
    "ws_ping_interval": 10,
    "ws_ping_timeout": 10,
}
"""How uvicorn is to speak WebSocket."""


async def _nowhere(
    scope: Mapping[str, Any],
    receive: Callable[[], Awaitable[Mapping[str, Any]]],
    send: Callable[[Mapping[str, Any]], Awaitable[None]],
) -> None:
    """Refused before it is accepted (HTTP 403)."""
    await send({"type": "websocket.close"})


sockets = URLRouter(
    [
        path("grabaciones/<uuid:pk>/socket/", LiveConsumer.as_asgi()),
        re_path("", _nowhere),  # type: ignore[arg-type]  # Django knows views only
    ]
)
