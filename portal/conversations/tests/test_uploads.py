"""The tus 1.0 protocol as a client sees it, one request after another."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from conftest import Cast, expire
from portal.conversations import partfiles, services
from portal.conversations.models import Conversation, ProcessingStep, Recording, Upload
from portal.conversations.steps import StepName
from portal.participants.models import Consent, Participant

pytestmark = pytest.mark.usefixtures("media")
BODY = bytes(range(256)) * 40


@pytest.fixture
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


class Tus:
    """A client that knows the protocol's headers and nothing of Django."""

    def __init__(self, client: Client, consent: Consent, **metadata: str) -> None:
        self.client = client
        self.metadata = {
            "filename": "entrevista de Fátima.wav",
            "participant": str(consent.participant_id),
            "consent": str(consent.pk),
            "engine": "local",
            "language": "es",
            "speakers": "3",
            **metadata,
        }
        self.url = ""

    def ask(self, method: str, url: str = "", body: bytes = b"", **headers: str) -> HttpResponse:
        sent = {
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
            **headers,
        }
        kept = {name: value for name, value in sent.items() if value}
        return self.client.generic(method, url or self.url, body, headers=kept)

    def create(self, size: object = len(BODY), **headers: str) -> HttpResponse:
        pairs = [f"{k} {b64encode(v.encode()).decode()}" for k, v in self.metadata.items()]
        response = self.ask(
            "POST",
            reverse("conversations:uploads"),
            **{"Upload-Length": str(size), "Upload-Metadata": ",".join(pairs), **headers},
        )
        self.url = response.headers.get("Location", "")
        return response

    def patch(self, offset: int, body: bytes, **headers: str) -> HttpResponse:
        return self.ask("PATCH", "", body, **{"Upload-Offset": str(offset), **headers})

    def send(self, body: bytes = BODY) -> HttpResponse:
        assert self.create(len(body)).status_code == 201
        return self.patch(0, body)


@pytest.fixture
def tus(cast: Cast, consent: Consent) -> Tus:
    return Tus(cast.client(cast.owner), consent)


def test_says_what_it_can_do(tus: Tus) -> None:
    response = tus.ask("OPTIONS", reverse("conversations:uploads"), **{"Tus-Resumable": ""})
    assert response.status_code == 204
    assert response["Tus-Version"] == "1.0.0"
    assert response["Tus-Extension"] == "creation,termination"
    assert response["Tus-Max-Size"] == str(settings.ENV.upload_max_bytes)


def test_creates_an_empty_upload(tus: Tus) -> None:
    response = tus.create()
    upload = Upload.objects.get()
    assert response.status_code == 201
    assert response["Location"] == f"/subidas/{upload.pk}/"
    assert (upload.size, upload.offset, upload.language) == (len(BODY), 0, "es")
    assert upload.speakers == 3
    assert upload.filename == "entrevista de Fátima.wav"


def test_head_tells_how_much_is_here(tus: Tus) -> None:
    tus.create()
    tus.patch(0, BODY[:1000])
    response = tus.ask("HEAD")
    assert response.status_code == 200
    assert response["Upload-Offset"] == "1000"
    assert response["Upload-Length"] == str(len(BODY))
    assert response["Cache-Control"] == "no-store"
    assert response["Tus-Resumable"] == "1.0.0"


def test_a_whole_file_becomes_a_conversation_with_its_job(
    tus: Tus, cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = tus.send()
    conversation = Conversation.objects.get()
    recording = Recording.objects.get()
    assert response.status_code == 204
    assert response["Upload-Offset"] == str(len(BODY))
    assert response["Portal-Conversation"] == str(conversation.pk)
    assert response["Portal-Conversation-Url"] == reverse(
        "conversations:transcript", args=[conversation.pk]
    )
    assert "Portal-Duplicate" not in response
    assert Path(recording.file.path).read_bytes() == BODY
    assert recording.sha256 == hashlib.sha256(BODY).hexdigest()
    assert recording.file.name == f"{conversation.pk}/original.wav"
    assert (conversation.created_by, conversation.speakers) == (cast.owner, 3)
    assert [step.name for step in conversation.steps.all()] == list(StepName)
    job = ProcrastinateJob.objects.get(task_name="portal.pipeline.process")
    assert job.args == {"conversation_id": str(conversation.pk)}
    assert not partfiles.path_of(Upload.objects.get().pk).exists()


def test_asking_again_gives_the_same_answer(tus: Tus) -> None:
    first = tus.send()
    for response in (tus.ask("HEAD"), tus.patch(len(BODY), b""), tus.ask("GET")):
        assert response["Portal-Conversation"] == first["Portal-Conversation"]
    answer = tus.ask("GET", **{"Tus-Resumable": ""}).json()
    assert answer["conversation"] == {
        "id": first["Portal-Conversation"],
        "url": first["Portal-Conversation-Url"],
        "duplicate": False,
    }
    assert Conversation.objects.count() == 1


def test_the_same_file_again_leads_to_the_old_conversation(
    tus: Tus, django_capture_on_commit_callbacks: Any
) -> None:
    first = tus.send()
    tus.metadata["filename"] = "copia.wav"
    with django_capture_on_commit_callbacks(execute=True):
        again = tus.send()
    assert again["Portal-Conversation"] == first["Portal-Conversation"]
    assert again["Portal-Duplicate"] == "true"
    assert Conversation.objects.count() == 1
    assert Path(Recording.objects.get().file.path).read_bytes() == BODY
    assert not list(Path(settings.MEDIA_ROOT).rglob("*.part"))
    assert tus.ask("HEAD")["Portal-Duplicate"] == "true"


def test_the_same_file_for_someone_else_is_a_conversation_of_its_own(
    tus: Tus, cast: Cast, consent: Consent
) -> None:
    tus.send()
    other = Participant.objects.create(
        team=cast.team, name="Iván Petrov", email="ivan@example.org", created_by=cast.owner
    )
    consent.pk = None
    consent.participant = other
    consent.save()
    Tus(tus.client, consent).send()
    assert Conversation.objects.count() == 2


def test_what_broke_off_half_way_is_finished_by_asking_again(
    tus: Tus, monkeypatch: pytest.MonkeyPatch
) -> None:
    tus.create()

    def broken(_conversation: Conversation) -> None:
        raise RuntimeError("the queue is away")

    with monkeypatch.context() as patch:
        patch.setattr(services, "enqueue", broken)
        with pytest.raises(RuntimeError):
            tus.patch(0, BODY)
    assert not Conversation.objects.exists()
    assert Upload.objects.get().offset == len(BODY)
    response = tus.ask("HEAD")
    assert response["Portal-Conversation"] == str(Conversation.objects.get().pk)
    assert Path(Recording.objects.get().file.path).read_bytes() == BODY
    assert ProcrastinateJob.objects.count() == 1


def test_what_broke_off_half_way_is_finished_by_itself(
    tus: Tus, monkeypatch: pytest.MonkeyPatch
) -> None:
    tus.create()
    with monkeypatch.context() as patch:
        patch.setattr(services, "create", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tus.patch(0, BODY)
    assert services.finish_complete_uploads() == 1
    assert services.finish_complete_uploads() == 0
    assert Path(Recording.objects.get().file.path).read_bytes() == BODY


def test_delete_forgets_an_unfinished_upload(
    tus: Tus, django_capture_on_commit_callbacks: Any
) -> None:
    tus.create()
    tus.patch(0, BODY[:5])
    part = partfiles.path_of(Upload.objects.get().pk)
    with django_capture_on_commit_callbacks(execute=True):
        assert tus.ask("DELETE").status_code == 204
    assert not part.exists()
    assert tus.ask("HEAD").status_code == 404


def test_delete_leaves_a_finished_conversation_alone(tus: Tus) -> None:
    tus.send()
    response = tus.ask("DELETE")
    assert (response.status_code, response.json()["code"]) == (409, "finished")
    assert Conversation.objects.exists()


@pytest.mark.parametrize("offset", [0, 999, 1001])
def test_wrong_offset(tus: Tus, offset: int) -> None:
    tus.create()
    tus.patch(0, BODY[:1000])
    response = tus.patch(offset, b"x" * 10)
    assert response.status_code == 409
    assert response.json()["code"] == "wrong_offset"
    assert response["Upload-Offset"] == "1000"
    assert tus.patch(1000, BODY[1000:]).status_code == 204
    assert Path(Recording.objects.get().file.path).read_bytes() == BODY


def test_more_than_announced(tus: Tus) -> None:
    tus.create(10)
    response = tus.patch(0, BODY[:11])
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert tus.ask("HEAD")["Upload-Offset"] == "0"


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("PATCH", {"Tus-Resumable": ""}, 412),
        ("PATCH", {"Tus-Resumable": "0.2.2"}, 412),
        ("HEAD", {"Tus-Resumable": "2.0.0"}, 412),
        ("PATCH", {"Content-Type": "audio/wav"}, 415),
        ("PATCH", {"Upload-Offset": ""}, 400),
        ("PATCH", {"Upload-Offset": "-1"}, 400),
        ("PATCH", {"Upload-Offset": "٣"}, 400),
        ("PUT", {}, 405),
        ("POST", {}, 405),
    ],
)
def test_requests_that_break_the_protocol(
    tus: Tus, method: str, headers: dict[str, str], status: int
) -> None:
    tus.create()
    if method == "HEAD":
        response = tus.ask(method, **headers)
    else:
        response = tus.ask(method, "", b"abc", **{"Upload-Offset": "0", **headers})
    assert response.status_code == status
    assert tus.ask("HEAD")["Upload-Offset"] == "0"


@pytest.mark.parametrize("length", ["", "abc", "-5", "9" * 19])
def test_upload_length_must_be_a_number(tus: Tus, length: str) -> None:
    assert tus.create(length).status_code == 400


@pytest.mark.parametrize("metadata", ["participant !!!", "participant", "consent /w==", ""])
def test_metadata_must_be_readable(tus: Tus, metadata: str) -> None:
    response = tus.create(**{"Upload-Metadata": metadata})
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("metadata", "size", "status", "code", "says"),
    [
        ({}, 0, 422, "empty", "vacío"),
        ({}, 3 * 1024**3, 413, "too_large", "el máximo es"),
        ({"filename": "Informe.PDF"}, 9, 422, "not_audio", ".pdf no es una grabación"),
        ({"filename": "foto.jpg"}, 9, 422, "not_audio", ".jpg"),
        ({"filename": "acta.docx"}, 9, 422, "not_audio", ".docx"),
        ({"consent": ""}, 9, 409, "consent_missing", "Falta el consentimiento"),
        ({"consent": "²"}, 9, 409, "consent_missing", "Falta el consentimiento"),
        ({"consent": "999999"}, 9, 409, "consent_missing", "Falta el consentimiento"),
        ({"consent": "9" * 30}, 9, 409, "consent_missing", "Falta el consentimiento"),
        ({"engine": "nadie"}, 9, 409, "engine_unavailable", "no está disponible"),
        ({"language": "español"}, 9, 422, "language", "idioma"),
        ({"speakers": "5"}, 9, 422, "speakers", "cuántas personas"),
        ({"speakers": "-2"}, 9, 422, "speakers", "cuántas personas"),
        ({"participant": "x"}, 9, 400, "bad_request", ""),
        ({"filename": "a\0.wav"}, 9, 400, "bad_request", ""),
    ],
)
def test_refused_before_sending(
    tus: Tus, metadata: dict[str, str], size: int, status: int, code: str, says: str
) -> None:
    tus.metadata |= metadata
    response = tus.create(size)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert says in response.json()["message"]
    assert not Upload.objects.exists()


@pytest.mark.parametrize("scope", ["record", "analyse"])
def test_consent_without_its_scopes(tus: Tus, consent: Consent, scope: str) -> None:
    setattr(consent, scope, False)
    consent.save()
    response = tus.create()
    assert (response.status_code, response.json()["code"]) == (409, "consent_missing")


def test_expired_consent_begins_nothing_and_what_has_begun_ends(tus: Tus, consent: Consent) -> None:
    tus.create()
    expire(consent)
    assert tus.patch(0, BODY).status_code == 204
    assert Conversation.objects.count() == 1
    response = tus.create()
    assert (response.status_code, response.json()["code"]) == (409, "consent_expired")


def test_withdrawn_consent_stops_a_sending(tus: Tus, consent: Consent) -> None:
    tus.create()
    consent.withdrawn_at = consent.given_at
    consent.save()
    for response in (tus.patch(0, BODY), tus.create()):
        assert (response.status_code, response.json()["code"]) == (409, "consent_withdrawn")
    assert not Conversation.objects.exists()


def test_no_room_for_the_file(tus: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partfiles, "free_bytes", lambda: 1000)
    response = tus.create()
    assert (response.status_code, response.json()["code"]) == (507, "disk_full")


def test_a_part_file_that_is_gone(tus: Tus) -> None:
    tus.create()
    tus.patch(0, BODY[:10])
    partfiles.path_of(Upload.objects.get().pk).unlink()
    response = tus.patch(10, BODY[10:])
    assert (response.status_code, response.json()["code"]) == (410, "gone")


def test_scripts_of_other_sites_cannot_send(cast: Cast, consent: Consent) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.owner)
    tus = Tus(client, consent)
    assert tus.create().status_code == 403
    client.cookies["csrftoken"] = token = "a" * 32
    assert tus.create(**{"X-CSRFToken": token}).status_code == 201
    assert tus.patch(0, BODY).status_code == 403
    assert tus.patch(0, BODY, **{"X-CSRFToken": token}).status_code == 204


@pytest.mark.parametrize(
    ("who", "status"), [("owner", 200), ("teammate", 200), ("coordinator", 200), ("stranger", 404)]
)
def test_who_sees_an_upload(tus: Tus, cast: Cast, consent: Consent, who: str, status: int) -> None:
    tus.create()
    other = Tus(cast.client(getattr(cast, who)), consent)
    other.url = tus.url
    assert other.ask("HEAD").status_code == status
    if who == "stranger":
        assert other.create().status_code == 404
        other.url = tus.url
        assert other.patch(0, BODY).status_code == 404
        assert other.ask("DELETE").status_code == 404
        assert tus.ask("HEAD")["Upload-Offset"] == "0"


def test_nobody_signed_in(tus: Tus, cast: Cast, consent: Consent) -> None:
    tus.create()
    nobody = Tus(cast.client(None), consent)
    nobody.url = tus.url
    assert nobody.patch(0, BODY).status_code == 401
    assert nobody.create().status_code == 401


def test_a_consent_of_somebody_else_is_none(tus: Tus, cast: Cast, consent: Consent) -> None:
    other = Participant.objects.create(
        team=cast.team, name="Iván Petrov", email="ivan@example.org", created_by=cast.owner
    )
    tus.metadata["participant"] = str(other.pk)
    assert tus.create().json()["code"] == "consent_missing"


def test_steps_wait_in_order(tus: Tus) -> None:
    tus.send()
    assert {step.state for step in ProcessingStep.objects.all()} == {"waiting"}
