"""Serving what is played of a conversation in pieces, as players ask for it (RFC 9110, section 14),
and what a player shows of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe
from django.views.decorators.http import require_safe

from portal.accounts.queries import signed_in
from portal.conversations import playback, queries
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation
from portal.conversations.templatetags.conversations import shown_title

BLOCK = 256 * 1024

# What a person calls a file decides nothing but this, and never more than "some audio".
TYPES = {
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".mp4": "audio/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".webm": "audio/webm",
}
# No file has a position of more digits, and to turn thousands of them into a number is refused.
RANGE = re.compile(
    r"bytes\s*=\s*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))\s*", re.ASCII | re.IGNORECASE
)


@require_safe
def audio(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    conversation = get_object_or_404(
        queries.visible_to(signed_in(request)).select_related("recording", "playback"),
        pk=pk,
        recording__isnull=False,
    )
    return serve(request, conversation)


def serve(
    request: HttpRequest, conversation: Conversation, *, disposition: str = "inline"
) -> HttpResponseBase:
    """Raises Http404 when the file is gone, Recording.DoesNotExist when there never was one."""
    try:
        file, sha256 = playback.played(conversation)
    except Refused as refused:
        return HttpResponse(refused.public_message, status=refused.status)
    content_type = TYPES.get(PurePath(str(file.name)).suffix, "application/octet-stream")
    try:
        path = Path(file.path)
    except NotImplementedError:
        return _elsewhere(request, file, content_type, disposition)
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise Http404 from None
    # Other sound has another file, so the hash is a strong validator.
    etag, modified = f'"{sha256}"', int(stat.st_mtime)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=0, must-revalidate",
        "Content-Disposition": disposition,
        "ETag": etag,
        "Last-Modified": http_date(modified),
        "X-Content-Type-Options": "nosniff",
    }
    unchanged = get_conditional_response(request, etag, modified)
    if unchanged is not None:
        for name, value in headers.items():
            unchanged.headers.setdefault(name, value)
        return unchanged
    headers["Content-Type"] = content_type
    first, last, status = 0, stat.st_size - 1, 200
    if request.method == "GET" and _if_range(request, etag, modified):
        asked = requested(request.headers.get("Range", ""), stat.st_size)
        if asked == UNSATISFIABLE:
            headers["Content-Range"] = f"bytes */{stat.st_size}"
            return HttpResponse(status=416, headers=headers)
        if asked is not None:
            (first, last), status = asked, 206
            headers["Content-Range"] = f"bytes {first}-{last}/{stat.st_size}"
    headers["Content-Length"] = str(last - first + 1)
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    return StreamingHttpResponse(
        _blocks(path, first, last - first + 1), status=status, headers=headers
    )


@require_safe
def sound(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the player shows beside the sound: whose it is, its waveform, who speaks when.

    ``{"title", "person", "page", "duration", "peaks": [0..100, ...], "spans": [[start, end,
    role], ...]}``; seconds; ``peaks`` is empty until there is a waveform.
    """
    conversation = get_object_or_404(
        queries.visible_to(signed_in(request)).select_related("participant", "playback"),
        pk=pk,
        recording__isnull=False,
    )
    made = getattr(conversation, "playback", None)
    return JsonResponse(
        {
            "title": shown_title(conversation),
            "person": conversation.participant.name,
            "page": reverse("conversations:transcript", args=[conversation.pk]),
            "duration": made.duration if made else conversation.duration,
            "peaks": made.peaks if made else [],
            "spans": queries.spans(conversation),
        }
    )


def _elsewhere(
    request: HttpRequest, file: FieldFile, content_type: str, disposition: str
) -> HttpResponse:
    """To the storage, which serves ranges itself, by an address that is good for a while."""
    storage: Any = file.storage  # S3: of those that can be set, the one without paths
    address = storage.url(
        file.name,
        parameters={"ResponseContentType": content_type, "ResponseContentDisposition": disposition},
        http_method=request.method,
    )
    return HttpResponseRedirect(address)


UNSATISFIABLE = (-1, -1)


def requested(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte that ``header`` asks of ``size`` bytes; UNSATISFIABLE; or None to send
    everything, which is the answer to no range, to several (one may ignore them) and to
    something that is none."""
    match = RANGE.fullmatch(header.strip())
    if match is None:
        return None
    if match[3] is not None:
        suffix = int(match[3])
        return (max(size - suffix, 0), size - 1) if suffix and size else UNSATISFIABLE
    first = int(match[1])
    last = min(int(match[2]), size - 1) if match[2] else size - 1
    if match[2] and int(match[2]) < first:
        return None  # not a range at all
    return (first, last) if first < size else UNSATISFIABLE


def _if_range(request: HttpRequest, etag: str, modified: int) -> bool:
    """Whether a range may be answered: the client's part is of this very file."""
    validator = request.headers.get("If-Range")
    if validator is None:
        return True
    return validator == etag or parse_http_date_safe(validator) == modified


async def _blocks(path: Path, first: int, length: int) -> AsyncIterator[bytes]:
    # Asynchronous, since under ASGI Django would read a plain iterator whole into memory.
    file = await asyncio.to_thread(path.open, "rb")
    try:
        file.seek(first)
        while length > 0:
            block = await asyncio.to_thread(file.read, min(BLOCK, length))
            if not block:
                break
            length -= len(block)
            yield block
    finally:
        file.close()
