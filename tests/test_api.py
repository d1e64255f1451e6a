"""The API as a script uses it: signed in, with the same rules as the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from conftest import PASSWORD, Cast, expire
from portal.assessments import services as assessments
from portal.assessments.models import Answer
from portal.conversations.models import Conversation
from portal.participants.models import Consent, Participant

AUDIO = Path(__file__).parent / "audio" / "monologue.ogg"


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


def send(client: Client, method: str, path: str, data: dict[str, Any]) -> Any:
    return client.generic(
        method, f"/api/v1{path}", json_bytes(data), content_type="application/json"
    )


def json_bytes(data: dict[str, Any]) -> bytes:
    import json

    return json.dumps(data).encode()


def test_a_person_is_added_read_changed_and_found(client: Client) -> None:
    made = send(client, "POST", "/participants", {"name": "Noor  Haddad", "email": "NOOR@x.org"})
    assert made.status_code == 201
    person = made.json()
    assert (person["name"], person["email"], person["team"]) == (
        "Noor Haddad", "noor@x.org", "Oficina Centro",
    )  # fmt: skip
    changed = send(client, "PATCH", f"/participants/{person['id']}", {"phone": "600 11 22 33"})
    assert changed.json()["phone"] == "600112233"
    found = client.get("/api/v1/participants", {"filter": "hadd"}).json()
    assert [item["id"] for item in found["items"]] == [person["id"]]


@pytest.mark.parametrize(
    "data",
    [
        {"name": "", "email": "a@example.org"},
        {"name": "Ana", "email": "sin arroba"},
        {"name": "Ana", "email": "a@example.org", "phone": "llámame"},
        {"name": "Ana"},
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    client: Client, data: dict[str, str]
) -> None:
    before = Participant.objects.count()
    response = send(client, "POST", "/participants", data)
    assert response.status_code == 422
    assert response.json()["detail"]
    assert Participant.objects.count() == before


def test_a_recording_is_accepted_and_its_steps_can_be_followed(
    client: Client, participant: Participant
) -> None:
    base = f"/participants/{participant.pk}"
    consent = send(client, "POST", f"{base}/consents", {"record": True, "analyse": True}).json()
    assert "grab" in consent["wording"]
    file = SimpleUploadedFile("entrevista.ogg", AUDIO.read_bytes())
    response = client.post(
        f"/api/v1{base}/conversations", {"consent": consent["id"], "file": file, "language": "es"}
    )
    assert response.status_code == 202, response.content
    conversation = response.json()
    assert conversation["status"] == "processing"
    assert [step["name"] for step in conversation["steps"]] == [
        "probe", "transcribe", "attribute", "assess", "describe", "review", "notify",
        "playback",
    ]  # fmt: skip
    audio = client.get(conversation["audio"], headers={"Range": "bytes=0-3"})
    assert audio.status_code == 206
    kept = Conversation.objects.get(pk=conversation["id"]).recording
    assert kept.file.read() == AUDIO.read_bytes()
    assert client.get(f"/api/v1/conversations/{kept.conversation_id}/transcript").status_code == 404


def test_a_recording_without_consent_is_refused(client: Client, participant: Participant) -> None:
    file = SimpleUploadedFile("entrevista.ogg", AUDIO.read_bytes())
    response = client.post(
        f"/api/v1/participants/{participant.pk}/conversations", {"consent": 99, "file": file}
    )
    assert (response.status_code, response.json()["code"]) == (409, "consent_missing")
    assert not Conversation.objects.exists()


def test_a_recording_with_an_expired_consent_is_refused(client: Client, consent: Consent) -> None:
    expire(consent)
    response = client.post(
        f"/api/v1/participants/{consent.participant_id}/conversations",
        {"consent": consent.pk, "file": SimpleUploadedFile("entrevista.ogg", AUDIO.read_bytes())},
    )
    assert (response.status_code, response.json()["code"]) == (409, "consent_expired")
    assert not Conversation.objects.exists()


def test_an_answer_written_by_api_is_a_persons(
    client: Client, participant: Participant, cast: Cast
) -> None:
    sheet = assessments.sheet_for(participant)
    address = f"/participants/{participant.pk}/sheet"
    answer = send(client, "PUT", f"{address}/nacionalidad", {"value": "No, marroquí"})
    assert answer.status_code == 200
    kept = sheet.answers.get(question__slug="nacionalidad")
    assert (kept.value, kept.origin, kept.edited_by) == (
        "No, marroquí", Answer.Origin.PERSON, cast.owner,
    )  # fmt: skip
    read = client.get(f"/api/v1{address}").json()
    assert (read["answered"], read["total"], len(read["answers"])) == (1, 16, 16)
    assert send(client, "PUT", f"{address}/nacionalidad", {"value": ""}).status_code == 422
    assessments.edit_answer(answer=kept, employee=cast.teammate, value="Sí")
    stale = {"value": "No", "version": answer.json()["version"]}
    refused = send(client, "PUT", f"{address}/nacionalidad", stale)
    assert (refused.status_code, refused.json()["code"]) == (409, "changed")
    kept.refresh_from_db()
    current = {"value": "No", "version": kept.version}
    assert send(client, "PUT", f"{address}/nacionalidad", current).json()["value"] == "No"


def test_proposals_and_suggestions_are_decided_by_api(
    client: Client, participant: Participant, consent: Consent, cast: Cast
) -> None:
    answer = assessments.sheet_for(participant).answers.get(question__slug="nacionalidad")
    Answer.objects.filter(pk=answer.pk).update(origin="machine", state="answered", value="No")
    talk = Conversation.objects.create(
        participant=participant, consent=consent, created_by=cast.owner, engine="local"
    )
    answer.suggestions.create(conversation=talk, state="answered", value="Sí", engine="extractive")
    sheet = f"/participants/{participant.pk}/sheet"
    read = client.get(f"/api/v1{sheet}").json()["answers"][0]
    [suggestion] = read["suggestions"]
    address = f"{sheet}/nacionalidad"
    stale = send(client, "POST", f"{address}/accept", {"version": "another"})
    assert (stale.status_code, stale.json()["code"]) == (409, "changed")
    seen = {"version": read["version"]}
    accepted = send(client, "POST", f"{address}/accept", seen)
    assert (accepted.status_code, accepted.json()["reviewed_at"] is None) == (200, False)
    taken = send(client, "POST", f"{address}/suggestions/{suggestion['id']}", {"take": True})
    assert (taken.json()["value"], taken.json()["suggestions"]) == ("Sí", [])
    assert client.get(f"/api/v1{sheet}").json()["reviewed"] == 1
    assert send(client, "POST", f"{address}/reject", {}).json()["state"] == "unasked"
    assert send(client, "POST", f"{address}/reject", {}).status_code == 409


def test_a_character_that_postgresql_cannot_keep_breaks_nothing(
    client: Client, participant: Participant
) -> None:
    assessments.sheet_for(participant)
    assert client.get("/api/v1/participants?filter=%00f").json()["count"] == 1
    address = f"/participants/{participant.pk}/sheet/nacionalidad"
    assert send(client, "PUT", address, {"value": "No\x00, marroquí"}).json()["value"] == (
        "No, marroquí"
    )


def test_writing_needs_the_sessions_csrf_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.owner)
    data = {"name": "Noor Haddad", "email": "noor@example.org"}
    assert send(client, "POST", "/participants", data).status_code == 403
    assert not Participant.objects.exists()


def test_the_api_says_401_to_nobody(cast: Cast) -> None:
    assert Client().get("/api/v1/participants").status_code == 401


def test_the_description_is_for_those_who_are_signed_in(client: Client) -> None:
    assert client.get("/api/docs").status_code == 200
    paths = client.get("/api/openapi.json").json()["paths"]
    assert "/api/v1/conversations/{conversation_id}/transcript" in paths
    assert Client().get("/api/openapi.json").status_code == 302


def test_the_cast_can_sign_in_with_their_password(cast: Cast) -> None:
    client = Client()
    data = {"login": cast.owner.email, "password": PASSWORD}
    assert client.post("/cuenta/login/", data).status_code == 302


def test_consent_in_a_language_without_wording_is_refused(
    client: Client, participant: Participant
) -> None:
    data = {"record": True, "analyse": True, "language": "xx"}
    response = send(client, "POST", f"/participants/{participant.pk}/consents", data)
    assert response.status_code == 422
    assert not Consent.objects.exists()
