"""Recordings in S3: the same way in, through the pipeline and to the player, on moto's server."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from zipfile import ZipFile

import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from moto.server import ThreadedMotoServer

from conftest import Cast
from portal.conversations import services
from portal.conversations.models import Conversation
from portal.environment import Environment
from portal.participants.models import Consent
from portal.pipeline import steps

AUDIO = Path(__file__).parent / "audio" / "dialogue.ogg"
BUCKET = "grabaciones"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, settings: Any, tmp_path: Path) -> Any:
    """The installation's storage, set up as `portal.settings` does from the environment."""
    from portal import settings as ours

    env = Environment(
        s3_bucket=BUCKET, s3_endpoint=endpoint, s3_key_id="key", s3_secret_key="secret"
    )
    settings.STORAGES = {**settings.STORAGES, "default": ours.recordings(env)}
    settings.MEDIA_ROOT = str(tmp_path)
    access = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    client = boto3.client("s3", endpoint_url=endpoint, region_name=env.s3_region, **access)
    client.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": env.s3_region}
    )
    made = boto3.resource("s3", endpoint_url=endpoint, region_name=env.s3_region, **access).Bucket(
        BUCKET
    )
    yield made
    made.objects.all().delete()
    made.delete()


@pytest.fixture
def conversation(
    bucket: Any, cast: Cast, consent: Consent, django_capture_on_commit_callbacks: Any
) -> Conversation:
    with django_capture_on_commit_callbacks(execute=True):
        return services.receive(
            employee=cast.owner,
            participant=consent.participant,
            consent=consent,
            file=ContentFile(AUDIO.read_bytes(), "entrevista.ogg"),
            engine="local",
        )


def prepared(conversation: Conversation, callbacks: Any) -> Conversation:
    with callbacks(execute=True):
        for step in (steps.probe, steps.prepare_playback):
            step(conversation, lambda share: None)
    return Conversation.objects.get(pk=conversation.pk)


def fetched(url: str, headers: dict[str, str]) -> Any:
    try:
        return urlopen(Request(url, headers=headers))  # noqa: S310  # of the server above
    except HTTPError as refused:
        return refused


def test_from_upload_to_playback(
    conversation: Conversation,
    bucket: Any,
    tmp_path: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    assert [item.key for item in bucket.objects.all()] == [f"{conversation.pk}/original.ogg"]
    assert conversation.recording.file.read() == AUDIO.read_bytes()
    made = prepared(conversation, django_capture_on_commit_callbacks)
    assert made.duration == pytest.approx(29.9, abs=0.5)
    assert {item.key for item in bucket.objects.all()} == {
        f"{conversation.pk}/original.ogg",
        made.playback.file.name,
    }
    assert default_storage.size(made.playback.file.name) == made.playback.size
    # Nothing stays behind on this machine.
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    prepared(made, django_capture_on_commit_callbacks)
    assert len(list(bucket.objects.all())) == 2


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("", 200, 0, -1),
        ("bytes=0-9", 206, 0, 9),
        ("bytes=10-", 206, 10, -1),
        ("bytes=-10", 206, -10, -1),
        ("bytes=99999999-", 416, 0, 0),
    ],
)
def test_players_are_sent_there_and_get_ranges(
    conversation: Conversation,
    cast: Cast,
    django_capture_on_commit_callbacks: Any,
    asked: str,
    status: int,
    first: int,
    last: int,
) -> None:
    made = prepared(conversation, django_capture_on_commit_callbacks).playback
    sent = cast.client(cast.owner).get(reverse("conversations:audio", args=[conversation.pk]))
    assert sent.status_code == 302
    assert "X-Amz-Expires=900" in sent["Location"]
    assert "no-store" in sent["Cache-Control"]
    with fetched(sent["Location"], {"Range": asked} if asked else {}) as answer:
        assert answer.status == status
        if status == 416:
            return
        assert answer.headers["Content-Type"] == "audio/webm"
        content = made.file.read()
        end = len(content) if last == -1 else last + 1
        assert answer.read() == content[first:end]


def test_what_is_taken_away_has_its_name(
    conversation: Conversation, cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    made = prepared(conversation, django_capture_on_commit_callbacks).playback
    content = made.file.read()
    client = cast.client(cast.owner)
    sent = client.get(reverse("conversations:export", args=[conversation.pk, "audio"]))
    with fetched(sent["Location"], {}) as answer:
        name = answer.headers["Content-Disposition"]
        assert answer.read() == content
    assert name.startswith("attachment; filename*=utf-8''")
    assert "F%C3%A1tima%20Belkacem" in name
    sent = client.get(reverse("conversations:export-all", args=[conversation.participant_id]))
    with ZipFile(BytesIO(b"".join(sent))) as zipped:
        assert zipped.read(zipped.infolist()[0]) == content


def test_strangers_are_not_sent(conversation: Conversation, cast: Cast) -> None:
    url = reverse("conversations:audio", args=[conversation.pk])
    assert cast.client(cast.stranger).get(url).status_code == 404


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ({}, None),
        ({"s3_bucket": "voces"}, "https://voces.s3.eu-south-2.amazonaws.com"),
        ({"s3_bucket": "voces", "s3_endpoint": "https://s3.local"}, "https://s3.local"),
    ],
)
def test_the_pages_policy_names_where_the_sound_comes_from(
    given: dict[str, str], origin: str | None
) -> None:
    from portal import settings as ours

    env = Environment(**given, s3_key_id="key", s3_secret_key="secret")
    assert env.s3_origin == origin
    if origin is None:
        return
    from storages.backends.s3 import S3Storage

    options: Any = ours.recordings(env)["OPTIONS"]
    assert S3Storage(**options).url("a/b.webm").startswith(f"{origin}/")
