"""What views that hand out files share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.utils.http import content_disposition_header


def attached(name: str) -> str:
    """Content-Disposition of a file that is kept under ``name``."""
    return content_disposition_header(True, name) or "attachment"


async def in_turn(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """``pieces``, each made in the thread of this request, which has its database connection.
    Asynchronous, since under ASGI Django would read a plain iterator whole into memory."""
    following = sync_to_async(lambda: next(pieces, None))
    while (piece := await following()) is not None:
        if piece:
            yield piece
