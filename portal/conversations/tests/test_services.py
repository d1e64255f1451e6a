from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage
from django.urls import reverse

from conftest import Cast
from portal.conversations import queries, results, services
from portal.conversations.models import Conversation, Recording, Speaker, Transcript
from portal.conversations.steps import StepName, status_of
from portal.participants.models import Consent
from portal.speech.engines.base import Transcript as Heard
from portal.speech.engines.base import Turn, Word


class Elsewhere(Storage):
    """As S3: without paths on this machine, and with addresses of its own."""

    kept: ClassVar[dict[str, bytes]] = {}

    def _save(self, name: str, content: File[bytes]) -> str:
        self.kept[name] = content.read()
        return name

    def _open(self, name: str, mode: str) -> File[bytes]:
        return ContentFile(self.kept[name])

    def exists(self, name: str) -> bool:
        return name in self.kept

    def size(self, name: str) -> int:
        return len(self.kept[name])

    def url(self, name: str | None, **_as_s3_takes_them: object) -> str:
        return f"https://elsewhere.example/{name}?signed"


@pytest.fixture
def conversation(cast: Cast, consent: Consent, tmp_path: Path, settings: Any) -> Conversation:
    settings.MEDIA_ROOT = str(tmp_path)
    return services.receive(
        employee=cast.owner,
        participant=consent.participant,
        consent=consent,
        file=ContentFile(b"sound", "a.wav"),
        engine="local",
    )


def heard(*texts: str) -> Heard:
    turns = tuple(
        Turn(f"S{number % 2 + 1}", number, number + 0.5, text, (Word(text, number, 1.5, 0.9),))
        for number, text in enumerate(texts)
    )
    return Heard(turns, "es", float(len(texts)), "local", "base")


def test_a_transcript_takes_the_place_of_the_one_before(conversation: Conversation) -> None:
    results.save_transcript(conversation=conversation, transcript=heard("Hola", "Buenas", "Bien"))
    results.save_transcript(conversation=conversation, transcript=heard("Hola", "Adiós"))
    transcript = Transcript.objects.get()
    assert [(t.speaker.label, t.text, t.position) for t in transcript.turns.all()] == [
        ("S1", "Hola", 0),
        ("S2", "Adiós", 1),
    ]
    assert transcript.turns.first().words == [["Hola", 0, 1.5, 0.9]]
    assert Speaker.objects.count() == 2


def test_nobody_said_anything(conversation: Conversation) -> None:
    results.save_transcript(conversation=conversation, transcript=heard())
    assert not Transcript.objects.get().turns.exists()


def test_roles_are_those_given_and_other_for_the_rest(conversation: Conversation) -> None:
    results.save_transcript(conversation=conversation, transcript=heard("Hola", "Buenas"))
    results.save_roles(conversation=conversation, roles={"S1": "empleado"})
    assert dict(Speaker.objects.values_list("label", "role")) == {"S1": "empleado", "S2": "otro"}


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, "ready"),
        ({"notify": "failed"}, "ready"),
        ({"notify": "waiting"}, "ready"),
        ({"describe": "failed"}, "partial"),
        ({"attribute": "skipped"}, "partial"),
        ({"transcribe": "failed"}, "failed"),
        ({"probe": "failed", "transcribe": "skipped"}, "failed"),
        ({"assess": "running"}, "processing"),
        ({"describe": "failed", "assess": "waiting"}, "processing"),
    ],
)
def test_status(conversation: Conversation, changed: dict[str, str], status: str) -> None:
    steps = list(conversation.steps.all())
    for step in steps:
        step.state = changed.get(step.name, "done")
    assert status_of(steps) == status


def test_who_waits_for_what(conversation: Conversation, cast: Cast) -> None:
    assert list(queries.in_progress(cast.owner)) == [conversation]
    assert not queries.in_progress(cast.teammate).exists()
    Conversation.objects.update(status="ready")
    assert not queries.in_progress(cast.owner).exists()


def test_receiving_moves_the_person_to_the_top(conversation: Conversation) -> None:
    assert conversation.participant.last_interaction_at >= conversation.participant.created_at


def test_trying_again_from_the_page(conversation: Conversation, cast: Cast) -> None:
    conversation.steps.update(state="done")
    conversation.steps.filter(name=StepName.ASSESS).update(state="failed")
    url = reverse("conversations:retry", args=[conversation.pk])
    assert cast.client(cast.stranger).post(url).status_code == 404
    assert cast.client(cast.teammate).get(url).status_code == 405
    response = cast.client(cast.teammate).post(url, headers={"HX-Request": "true"})
    assert f'id="c-{conversation.pk}"' in response.content.decode()
    again = cast.client(cast.owner).post(url)  # it is running: said on the page
    assert again["Location"] == reverse(
        "conversations:participant", args=[conversation.participant_id]
    )
    assert conversation.steps.get(name=StepName.ASSESS).state == "waiting"


def test_on_a_storage_that_is_elsewhere(cast: Cast, consent: Consent, settings: Any) -> None:
    away = {"BACKEND": f"{__name__}.Elsewhere"}
    settings.STORAGES = {**settings.STORAGES, "default": away}
    conversation = services.receive(
        employee=cast.owner,
        participant=consent.participant,
        consent=consent,
        file=ContentFile(b"sound", "a.wav"),
        engine="local",
    )
    name = str(Recording.objects.get().file.name)
    with default_storage.open(name) as file:
        assert file.read() == b"sound"
    response = cast.client(cast.owner).get(reverse("conversations:audio", args=[conversation.pk]))
    assert (response.status_code, response["Location"]) == (302, default_storage.url(name))
    assert (
        cast.client(cast.stranger)
        .get(reverse("conversations:audio", args=[conversation.pk]))
        .status_code
        == 404
    )
