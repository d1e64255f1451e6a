"""The address of the socket, beside the pages' in `urls.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from portal.live.consumers import LiveConsumer


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
