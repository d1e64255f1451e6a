"""What is played: its file and row together, and what the player is told of it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.urls import reverse

from conftest import Cast
from portal.conversations import playback, queries
from portal.conversations.models import (
    Conversation,
    Playback,
    Recording,
    Speaker,
    Transcript,
)
from portal.participants.models import Consent
from portal.speech.playback import Sound

SOUND = Sound(9.5, (0, 50, 100))


@pytest.fixture
def conversation(cast: Cast, consent: Consent, tmp_path: Path, settings: Any) -> Conversation:
    settings.MEDIA_ROOT = str(tmp_path)
    conversation = Conversation.objects.create(
        participant=consent.participant, consent=consent, created_by=cast.owner, engine="local"
    )
    recording = Recording(conversation=conversation, original_name="a.mp3", size=8, sha256="0" * 64)
    recording.file.save("a.mp3", ContentFile(b"original"))
    return conversation


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


def keep(conversation: Conversation, content: bytes) -> Playback:
    draft = playback.draft_path(conversation)
    draft.write_bytes(content)
    return playback.save(conversation=conversation, draft=draft, sound=SOUND)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_new_one_takes_the_place_of_the_old(
    conversation: Conversation, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = keep(conversation, b"first")
    assert first.sha256 == hashlib.sha256(b"first").hexdigest()
    assert (first.size, first.duration, first.peaks) == (5, 9.5, [0, 50, 100])
    with django_capture_on_commit_callbacks(execute=True):
        second = keep(conversation, b"second")
        assert len(files(tmp_path)) == 3  # until it is certain
    assert second.pk == first.pk
    assert files(tmp_path) == sorted(["original.mp3", Path(second.file.name).name])
    with django_capture_on_commit_callbacks(execute=True):
        keep(conversation, b"second")
    assert second.file.read() == b"second"


def test_one_that_is_not_kept_leaves_what_was(
    conversation: Conversation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        kept = keep(conversation, b"first")
    before = files(tmp_path)

    def fail(**_fields: object) -> None:
        raise OSError

    monkeypatch.setattr(Playback.objects, "update_or_create", fail)
    with pytest.raises(OSError), transaction.atomic():
        keep(conversation, b"second")
    assert files(tmp_path) == before
    kept.refresh_from_db()
    assert kept.file.read() == b"first"


def test_it_is_what_is_served_with_its_own_validator(
    conversation: Conversation, client: Client
) -> None:
    url = reverse("conversations:audio", args=[conversation.pk])
    assert client.head(url)["Content-Type"] == "audio/mpeg"
    made = keep(conversation, b"small and seekable")
    answer = client.head(url)
    assert answer["Content-Type"] == "audio/webm"
    assert answer["ETag"] == f'"{made.sha256}"'
    assert answer["Content-Length"] == "18"


def test_the_original_never_stands_in_for_one_that_is_lost(
    conversation: Conversation, client: Client
) -> None:
    Path(keep(conversation, b"struck out").file.path).unlink()
    assert client.get(reverse("conversations:audio", args=[conversation.pk])).status_code == 404


def test_what_the_player_is_told(conversation: Conversation, client: Client) -> None:
    url = reverse("conversations:sound", args=[conversation.pk])
    bare = client.get(url).json()
    assert (bare["peaks"], bare["spans"], bare["duration"]) == ([], [], None)
    keep(conversation, b"sound")
    told = client.get(url).json()
    assert (told["peaks"], told["duration"]) == ([0, 50, 100], 9.5)
    assert told["person"] == "Fátima Belkacem"
    assert told["page"] == reverse("conversations:transcript", args=[conversation.pk])
    assert told["title"].startswith("Conversación del")


@pytest.mark.parametrize(("who", "status"), [("teammate", 200), ("stranger", 404)])
def test_who_is_told(conversation: Conversation, cast: Cast, who: str, status: int) -> None:
    url = reverse("conversations:sound", args=[conversation.pk])
    assert cast.client(getattr(cast, who)).get(url).status_code == status


def test_who_speaks_when(conversation: Conversation) -> None:
    transcript = Transcript.objects.create(
        conversation=conversation, engine="local", model="base", language="es", duration=20
    )
    ours, theirs = (
        Speaker.objects.create(transcript=transcript, label=label, role=role)
        for label, role in (("S1", "empleado"), ("S2", "usuario"))
    )
    said = [(ours, 0, 2), (ours, 2.5, 4), (theirs, 4, 9), (theirs, 5, 6), (theirs, 12, 13)]
    for position, (speaker, start, end) in enumerate(said):
        transcript.turns.create(speaker=speaker, position=position, start=start, end=end, text="a")
    assert queries.spans(conversation) == [
        (0, 4, "empleado"),
        (4, 9, "usuario"),
        (12, 13, "usuario"),
    ]
