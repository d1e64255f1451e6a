"""Ranges by RFC 9110: every row a request and what it must get."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils.http import http_date

from conftest import Cast
from portal.conversations.models import Conversation, Recording
from portal.participants.models import Consent

BODY = bytes(range(100))
ETAG = f'"{hashlib.sha256(BODY).hexdigest()}"'


@pytest.fixture
def conversation(cast: Cast, consent: Consent, tmp_path: Path, settings: Any) -> Conversation:
    settings.MEDIA_ROOT = str(tmp_path)
    conversation = Conversation.objects.create(
        participant=consent.participant, consent=consent, created_by=cast.owner, engine="local"
    )
    recording = Recording(
        conversation=conversation, original_name="a.mp3", size=len(BODY), sha256=ETAG.strip('"')
    )
    recording.file.save("a.mp3", ContentFile(BODY))
    return conversation


@pytest.fixture
def url(conversation: Conversation) -> str:
    return reverse("conversations:audio", args=[conversation.pk])


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


def body_of(response: HttpResponse) -> bytes:
    if not response.streaming:
        return bytes(response.content)

    async def collect() -> bytes:
        return b"".join([block async for block in response.streaming_content])

    return asyncio.run(collect())


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-9", 0, 9),
        ("bytes=10-", 10, 99),
        ("bytes=99-", 99, 99),
        ("bytes=90-1000", 90, 99),
        ("bytes=-1", 99, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-1000", 0, 99),
        ("BYTES=5-6", 5, 6),
        ("bytes=0-99", 0, 99),
        ("bytes = 7-8", 7, 8),
        ("bytes=0-999999999999999999", 0, 99),
    ],
)
def test_satisfiable(client: Client, url: str, asked: str, first: int, last: int) -> None:
    response = client.get(url, headers={"Range": asked})
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/100"
    assert response["Content-Length"] == str(last - first + 1)
    assert body_of(response) == BODY[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_unsatisfiable(client: Client, url: str, asked: str) -> None:
    response = client.get(url, headers={"Range": asked})
    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */100"
    assert body_of(response) == b""


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "bytes=",
        "bytes=-",
        "bytes=9-5",
        "bytes=a-b",
        "lines=0-9",
        "bytes=0-1,5-6",
        "bytes=-5,0-1",
        "bytes=٣-",
        "bytes=" + "9" * 5000 + "-",
        "bytes=-" + "9" * 5000,
    ],
)
def test_ignored(client: Client, url: str, asked: str) -> None:
    response = client.get(url, headers={"Range": asked} if asked else {})
    assert response.status_code == 200
    assert response["Content-Length"] == "100"
    assert "Content-Range" not in response
    assert body_of(response) == BODY


@pytest.mark.parametrize(
    ("validator", "status"),
    [
        (ETAG, 206),
        ("the date", 206),
        ('"another"', 200),
        (f"W/{ETAG}", 200),
        (http_date(0), 200),
        ("nonsense", 200),
    ],
)
def test_if_range(client: Client, url: str, validator: str, status: int) -> None:
    if validator == "the date":
        validator = client.head(url)["Last-Modified"]
    response = client.get(url, headers={"Range": "bytes=0-9", "If-Range": validator})
    assert response.status_code == status
    assert len(body_of(response)) == (10 if status == 206 else 100)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": ETAG}, 304),
        ({"If-None-Match": '"another"'}, 200),
        ({"If-None-Match": ETAG, "Range": "bytes=0-9"}, 304),
        ({"If-Match": '"another"'}, 412),
        ({"If-Modified-Since": http_date(4102444800)}, 304),
    ],
)
def test_conditions(client: Client, url: str, headers: dict[str, str], status: int) -> None:
    response = client.get(url, headers=headers)
    assert response.status_code == status
    assert response["ETag"] == ETAG


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        # A part is asked of another file: all of this one, even where the part would be none of it.
        ("get", {"Range": "bytes=500-", "If-Range": '"another"'}, 200),
        ("get", {"Range": "bytes=500-", "If-Range": ETAG}, 416),
        # Preconditions come first (section 13.2.2).
        ("get", {"Range": "bytes=500-", "If-None-Match": ETAG}, 304),
        ("get", {"Range": "bytes=0-9", "If-Match": ETAG}, 206),
        ("get", {"Range": "bytes=0-9", "If-Match": f"W/{ETAG}"}, 412),
        ("get", {"Range": "bytes=0-9", "If-Unmodified-Since": http_date(86400)}, 412),
        ("get", {"If-Range": '"another"'}, 200),
        # Ranges are a matter of GET alone (section 14.2).
        ("head", {"Range": "bytes=500-"}, 200),
        ("post", {}, 405),
    ],
)
def test_together(
    client: Client, url: str, method: str, headers: dict[str, str], status: int
) -> None:
    assert getattr(client, method)(url, headers=headers).status_code == status


def test_head(client: Client, url: str) -> None:
    response = client.head(url, headers={"Range": "bytes=0-9"})
    assert response.status_code == 200
    assert response["Content-Length"] == "100"
    assert response["Accept-Ranges"] == "bytes"
    assert body_of(response) == b""


def test_headers_that_keep_it_private_and_harmless(client: Client, url: str) -> None:
    response = client.get(url)
    assert response["Content-Type"] == "audio/mpeg"
    assert response["Content-Disposition"] == "inline"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"].startswith("private")
    assert body_of(response) == BODY


def test_an_unknown_ending_is_no_page(client: Client, url: str, conversation: Conversation) -> None:
    conversation.recording.file.save("a.html", ContentFile(BODY))
    assert client.head(url)["Content-Type"] == "application/octet-stream"


def test_only_blocks_are_in_memory(
    cast: Cast, url: str, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.conversations import audio_view

    monkeypatch.setattr(audio_view, "BLOCK", 30)
    response = cast.client(cast.owner).get(url)

    async def sizes() -> list[int]:
        return [len(block) async for block in response.streaming_content]

    assert response.is_async
    assert asyncio.run(sizes()) == [30, 30, 30, 10]


@pytest.mark.django_db(transaction=True)
def test_through_asgi(cast: Cast, url: str) -> None:
    cookies = cast.client(cast.owner).cookies

    async def ask() -> bytes:
        client = AsyncClient()
        client.cookies = cookies
        response = await client.get(url, headers={"Range": "bytes=-10"})
        body = b"".join([block async for block in response.streaming_content])
        await sync_to_async(response.close)()
        return body

    assert asyncio.run(ask()) == BODY[-10:]


def test_a_file_that_is_gone(client: Client, url: str, conversation: Conversation) -> None:
    Path(conversation.recording.file.path).unlink()
    assert client.get(url).status_code == 404


@pytest.mark.parametrize(
    ("who", "status"), [("owner", 200), ("teammate", 200), ("coordinator", 200), ("stranger", 404)]
)
def test_who_may_listen(cast: Cast, url: str, who: str, status: int) -> None:
    client = cast.client(getattr(cast, who))
    assert client.head(url).status_code == status
    assert cast.client(None).get(url).status_code == 302
