"""The zip of a person: read back by Python's own reader, made while it is sent."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import pytest
from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from conftest import Cast
from portal.conversations import archive
from portal.conversations.models import Conversation
from portal.conversations.tests import told
from portal.conversations.tests.test_services import Elsewhere
from portal.participants.models import Consent, Participant
from portal.speech import formats

# It says that it is not read piece by piece here, which only an asynchronous server does.
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")


@pytest.fixture(autouse=True)
def recordings(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


@pytest.fixture
def talks(cast: Cast, consent: Consent) -> list[Conversation]:
    """Of one day: two that are called the same but for case, and one without a transcript."""
    made = [
        told.conversation(consent, cast, title=title)
        for title in ("Padrón y salud", "PADRÓN y salud", "")
    ]
    for number, talk in enumerate(made):
        when = timezone.now() + timedelta(seconds=number)
        Conversation.objects.filter(pk=talk.pk).update(created_at=when)
        if talk.title:
            told.transcribed(talk)
    return made


def address(participant: Participant) -> str:
    return reverse("conversations:export-all", args=[participant.pk])


def opened(client: Client, participant: Participant) -> ZipFile:
    response = client.get(address(participant))
    assert response["Content-Type"] == "application/zip"
    return ZipFile(BytesIO(b"".join(response)))


def test_everything_is_in_it_by_names_that_differ(
    client: Client, talks: list[Conversation], participant: Participant
) -> None:
    zipped = opened(client, participant)
    assert zipped.testzip() is None
    day = f"{timezone.localdate()}"
    first, second = f"{day} Padrón y salud", f"{day} PADRÓN y salud (2)"
    assert zipped.namelist() == [
        *(f"{first}/{day} Fátima Belkacem - Padrón y salud.{suffix}" for suffix in SUFFIXES),
        *(f"{second}/{day} Fátima Belkacem - PADRÓN y salud.{suffix}" for suffix in SUFFIXES),
        f"{day}/{day} Fátima Belkacem.ogg",
        "Contenido.txt",
    ]
    sound = next(info for info in zipped.infolist() if info.filename.endswith(".ogg"))
    assert (zipped.read(sound), sound.compress_type) == (told.SOUND, ZIP_STORED)
    data = next(name for name in zipped.namelist() if name.endswith(".json"))
    assert len(formats.from_json(zipped.read(data).decode()).turns) == len(told.LINES)
    contents = zipped.read("Contenido.txt").decode()
    assert "Conversaciones de Fátima Belkacem" in contents
    assert "Son datos personales" in contents
    assert "todavía no tiene transcripción" in contents


SUFFIXES = ("docx", "txt", "vtt", "srt", "json", "ogg")


def test_it_is_called_after_the_person(
    client: Client, talks: list[Conversation], participant: Participant
) -> None:
    Participant.objects.update(name='../Fá"tima\n')
    for response in (client.get(address(participant)), client.head(address(participant))):
        assert response["Content-Disposition"] == (
            "attachment; filename*=utf-8''F%C3%A1%20tima%20-%20conversaciones.zip"
        )
    assert client.head(address(participant)).content == b""


def test_nothing_is_made_before_it_is_wanted(
    cast: Cast, talks: list[Conversation], participant: Participant
) -> None:
    pieces = archive.of_participant(employee=cast.owner, participant=participant)
    for _ in range(3):
        next(pieces)
    # What is withdrawn now is not in what follows, and that is said.
    Consent.objects.update(withdrawn_at=timezone.now())
    zipped = ZipFile(BytesIO(b"".join(pieces)))  # the first pieces are missing from it
    contents = zipped.read("Contenido.txt").decode()
    assert contents.count("Padrón y salud.docx") == 1
    assert "PADRÓN" not in contents
    assert "No están 2 conversaciones" in contents


def test_a_recording_is_read_block_by_block(
    cast: Cast, consent: Consent, participant: Participant
) -> None:
    talk = told.conversation(consent, cast)
    talk.recording.file.storage.delete(talk.recording.file.name)
    talk.recording.file.storage.save(talk.recording.file.name, ContentFile(b"x" * 5_000_000))
    pieces = list(archive.of_participant(employee=cast.owner, participant=participant))
    assert max(len(piece) for piece in pieces) <= archive.BLOCK
    assert ZipFile(BytesIO(b"".join(pieces))).infolist()[0].file_size == 5_000_000


def test_a_recording_that_is_gone_hides_nothing_else(
    client: Client, talks: list[Conversation], participant: Participant
) -> None:
    file = talks[0].recording.file
    file.storage.delete(file.name)
    zipped = opened(client, participant)
    assert len(zipped.namelist()) == 2 * len(SUFFIXES) + 1
    assert "El audio no se encuentra." in zipped.read("Contenido.txt").decode()


def test_what_is_kept_elsewhere_is_in_it_too(
    client: Client, cast: Cast, consent: Consent, participant: Participant, settings: Any
) -> None:
    name = f"{Elsewhere.__module__}.{Elsewhere.__name__}"
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": name}}
    told.conversation(consent, cast)
    assert not hasattr(default_storage, "location")
    zipped = opened(client, participant)
    assert zipped.read(zipped.infolist()[0]) == told.SOUND
    talk = participant.conversations.get()
    audio = client.get(reverse("conversations:export", args=[talk.pk, "audio"]))
    assert audio["Location"] == default_storage.url(str(talk.recording.file.name))


def test_only_what_is_still_agreed_to_leaves(
    client: Client, cast: Cast, talks: list[Conversation], participant: Participant
) -> None:
    later = Consent.objects.create(
        participant=participant, wording="¿?", language="es", record=True, analyse=True,
        recorded_by=cast.owner,
    )  # fmt: skip
    Conversation.objects.filter(pk=talks[1].pk).update(consent=later)
    Consent.objects.exclude(pk=later.pk).update(withdrawn_at=timezone.now())
    names = opened(client, participant).namelist()
    assert len(names) == len(SUFFIXES) + 1
    assert all("PADRÓN" in name for name in names[:-1])


def test_nothing_to_take_away_is_said(client: Client, participant: Participant) -> None:
    page = client.get(address(participant), follow=True)
    assert "todavía no tiene conversaciones" in page.content.decode()


def test_consent_that_was_withdrawn_is_said(
    client: Client, talks: list[Conversation], participant: Participant
) -> None:
    Consent.objects.update(withdrawn_at=timezone.now())
    page = client.get(address(participant), follow=True)
    assert "ha retirado su consentimiento" in page.content.decode()
    refused = client.get(f"/api/v1/participants/{participant.pk}/export")
    assert (refused.status_code, refused.json()["code"]) == (409, "consent_withdrawn")


def test_the_log_names_nobody(
    client: Client,
    talks: list[Conversation],
    participant: Participant,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        opened(client, participant)
    assert f"participant {participant.pk} exported as zip" in caplog.text
    for secret in ("Fátima", "Robles", "Padrón"):
        assert secret not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_it_is_sent_piece_by_piece_by_an_asynchronous_server(
    cast: Cast, consent: Consent, participant: Participant
) -> None:
    talk = told.conversation(consent, cast)
    told.transcribed(talk)

    cookies = cast.client(cast.owner).cookies

    async def collect() -> bytes:
        client = AsyncClient()
        client.cookies = cookies
        response = await client.get(address(participant))
        pieces = [piece async for piece in response.streaming_content]
        await sync_to_async(response.close)()
        assert len(pieces) > len(SUFFIXES)
        return b"".join(pieces)

    assert ZipFile(BytesIO(asyncio.run(collect()))).testzip() is None
