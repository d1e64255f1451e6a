"""The addresses of the recording page, for scripts and for forms."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from conftest import Cast, expire
from portal.assessments import services as assessments
from portal.assessments.models import Answer
from portal.conversations.models import Conversation
from portal.live import queries, services
from portal.live.models import LiveRecording, VoiceSample
from portal.live.protocol import GapKind
from portal.live.tests.scene import PADRON, find, hear, pcm, record
from portal.participants.models import Consent, Participant

SCRIPT = {"Accept": "application/json"}
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


@pytest.fixture
def recording(cast: Cast, consent: Consent) -> LiveRecording:
    return services.start(
        employee=cast.owner,
        participant=consent.participant,
        consent=consent,
        engine="local",
        voices={},
    )


def prepare(participant: Participant) -> str:
    return f"/personas/{participant.pk}/grabar/"


# Before


def test_without_consent_it_is_asked_for_and_then_the_page_is_there(
    client: Client, participant: Participant
) -> None:
    address = prepare(participant)
    asked = client.get(address).content.decode()
    assert f'action="{address}"' in asked
    assert "Léale este texto en voz alta" in asked
    assert client.post(address, {"consent_language": "es"}).status_code == 422
    given = {"consent_language": "es", "record": "on", "analyse": "on"}
    assert client.post(address, given)["Location"] == address
    assert Consent.objects.get().is_valid
    page = client.get(address)
    assert page.templates[0].name == "live/record.html"
    assert page.context["recording"] is None
    assert page.context["addresses"] == {"start": f"/personas/{participant.pk}/grabaciones/"}
    assert not LiveRecording.objects.exists()


def test_from_a_dialog_the_whole_page_is_opened(client: Client, consent: Consent) -> None:
    address = prepare(consent.participant)
    assert client.get(address, headers={"HX-Request": "true"})["HX-Redirect"] == address


# Starting


def start(client: Client, participant: Participant, **fields: Any) -> Any:
    fields = {"engine": "local", "language": "es", **fields}
    return client.post(f"/personas/{participant.pk}/grabaciones/", fields, headers=SCRIPT)


def test_starting_tells_where_to_send_what(client: Client, consent: Consent) -> None:
    voice = SimpleUploadedFile("blob", pcm(5))
    response = start(client, consent.participant, voice_empleado=voice)
    made = LiveRecording.objects.get()
    page = f"/grabaciones/{made.pk}/"
    assert (response.status_code, response.json()) == (
        201,
        {
            "id": str(made.pk),
            "page": page,
            "socket": f"{page}socket/",
            "finish": f"{page}terminar/",
            "discard": f"{page}descartar/",
            "tick": f"{page}preguntas/__pregunta__/",
        },
    )
    assert bytes(VoiceSample.objects.get(role="empleado").pcm) == pcm(5)


def test_a_second_one_is_refused_with_the_way_to_the_first(
    client: Client, recording: LiveRecording
) -> None:
    response = start(client, recording.participant)
    refusal = response.json()
    assert (response.status_code, refusal["code"]) == (409, "open")
    assert refusal["page"] == f"/grabaciones/{recording.pk}/"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"engine": ""}, 409, "engine_unavailable"),
        ({"language": "\0"}, 422, "language"),
        ({"speakers": "many"}, 422, "speakers"),
        ({"voice_usuario": SimpleUploadedFile("blob", pcm(12))}, 422, "voice"),
        ({"voice_usuario": SimpleUploadedFile("blob", b"")}, 422, "voice"),
    ],
)
def test_refusals_to_start_are_sentences(
    client: Client, consent: Consent, fields: dict[str, Any], status: int, code: str
) -> None:
    response = start(client, consent.participant, **fields)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["message"].endswith(".")


def test_without_consent_nothing_starts(client: Client, participant: Participant) -> None:
    response = start(client, participant)
    assert (response.status_code, response.json()["code"]) == (409, "consent_missing")


def test_when_the_consent_expires_it_is_asked_for_again(client: Client, consent: Consent) -> None:
    expire(consent)
    assert "Léale este texto" in client.get(prepare(consent.participant)).content.decode()
    response = start(client, consent.participant)
    assert (response.status_code, response.json()["code"]) == (409, "consent_expired")


# The page


def test_the_page_knows_all_so_far(client: Client, cast: Cast, recording: LiveRecording) -> None:
    assessments.sheet_for(recording.participant)
    before = Answer.objects.get(question__slug="nacionalidad")
    assessments.edit_answer(answer=before, employee=cast.owner, value="Marruecos")
    hear(record(recording, pcm(2), (GapKind.PRIVATE, 5000), pcm(1)))
    find(recording, PADRON)
    context = client.get(f"/grabaciones/{recording.pk}/").context
    assert context["turns"][1]["text"] == "Sí, en la calle Olmo, desde marzo."
    assert context["gaps"] == [{"kind": "private", "at": 2.0, "seconds": 5.0}]
    questions = {q.slug: q for group in context["domains"] for q in group.questions}
    ticked, settled, blank = (
        questions[slug] for slug in ("empadronamiento", "nacionalidad", "ingresos")
    )
    assert (ticked.state, ticked.value, ticked.quote) == ("answered", "Sí", "calle Olmo")
    assert (settled.settled_before, settled.state, settled.value) == (True, "unasked", "Marruecos")
    assert (blank.settled_before, blank.state, blank.value) == (False, "unasked", "")
    assert context["domains"][0].domain.slug == "personal"
    assert len(questions) == 16


def test_the_page_of_what_is_stored_leads_to_the_conversation(
    client: Client, recording: LiveRecording
) -> None:
    record(recording, pcm(3))
    services.finish(recording=recording)
    response = client.get(f"/grabaciones/{recording.pk}/")
    assert response["Location"].endswith(f"?conversacion={recording.pk}")


# Ending


def test_ending_and_discarding_for_a_script(client: Client, recording: LiveRecording) -> None:
    person = f"/personas/{recording.participant_id}/"
    short = client.post(f"/grabaciones/{recording.pk}/terminar/", headers=SCRIPT)
    assert (short.status_code, short.json()["code"]) == (422, "too_short")
    record(recording, pcm(3))
    for _twice in range(2):
        done = client.post(f"/grabaciones/{recording.pk}/terminar/", headers=SCRIPT)
        assert done.json() == {"url": f"{person}?conversacion={recording.pk}"}
    late = client.post(f"/grabaciones/{recording.pk}/descartar/", headers=SCRIPT)
    assert (late.status_code, late.json()["code"]) == (409, "stored")


def test_ending_and_discarding_for_a_form(client: Client, recording: LiveRecording) -> None:
    page = f"/grabaciones/{recording.pk}/"
    short = client.post(f"{page}terminar/", headers=PAGE, follow=True)
    assert short.redirect_chain[0][0] == page
    assert "La grabación dura menos de dos segundos" in short.content.decode()
    gone = client.post(f"{page}descartar/", headers=PAGE)
    assert gone["Location"] == f"/personas/{recording.participant_id}/"
    assert not LiveRecording.objects.exists()
    assert not Conversation.objects.exists()


def test_a_teammate_may_end_it_but_it_stays_its_owners(
    cast: Cast, recording: LiveRecording
) -> None:
    record(recording, pcm(3))
    address = f"/grabaciones/{recording.pk}/terminar/"
    assert cast.client(cast.teammate).post(address, headers=SCRIPT).status_code == 200
    assert Conversation.objects.get().created_by == cast.owner


# Ticks


def test_ticking_by_hand(client: Client, recording: LiveRecording) -> None:
    address = f"/grabaciones/{recording.pk}/preguntas/ingresos/"
    assert client.post(address, {"state": "declined"}, headers=SCRIPT).json() == {
        "question": "ingresos",
        "state": "declined",
        "origin": "person",
        "value": "",
        "quote": "",
        "start": None,
    }
    wrong = client.post(address, {"state": "x"}, headers=SCRIPT)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "state")


# Fragments


def test_the_bar_has_ones_own_that_wait(
    client: Client, cast: Cast, recording: LiveRecording
) -> None:
    assert "Fátima" not in client.get("/grabaciones/barra/").content.decode()
    LiveRecording.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    assert "Fátima" in client.get("/grabaciones/barra/").content.decode()
    theirs = cast.client(cast.teammate).get("/grabaciones/barra/").content.decode()
    assert "Fátima" not in theirs
    assert queries.interrupted_for(cast.owner) == [recording]


def test_the_persons_page_has_what_colleagues_record(cast: Cast, recording: LiveRecording) -> None:
    address = f"/personas/{recording.participant_id}/grabaciones/abiertas/"
    shown = cast.client(cast.teammate).get(address)
    assert list(shown.context["recordings"]) == [recording]
    assert "Ana Robles" in shown.content.decode()
