from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from conftest import Cast, expire
from portal.accounts import engines
from portal.conversations.models import (
    Conversation,
    Gap,
    ProcessingStep,
    Recording,
    Speaker,
    Transcript,
    Turn,
)
from portal.conversations.steps import StepName
from portal.participants.models import Consent, Participant

Status = Conversation.Status


def make(consent: Consent, cast: Cast, **fields: object) -> Conversation:
    """A conversation with a recording of which nothing but the row is there."""
    conversation = Conversation.objects.create(
        participant=consent.participant,
        consent=consent,
        created_by=cast.owner,
        engine="local",
        **fields,
    )
    Recording.objects.create(
        conversation=conversation,
        file=f"{conversation.pk}/original.ogg",
        original_name="fatima.ogg",
        size=9,
        sha256=uuid4().hex,
    )
    return conversation


def add_steps(conversation: Conversation, **states: tuple[str, str]) -> None:
    """Every step done, but for those in ``states``: name to (state, reason)."""
    for position, name in enumerate(StepName):
        state, reason = states.get(name, ("done", ""))
        ProcessingStep.objects.create(
            conversation=conversation, name=name, position=position, state=state, reason=reason
        )


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


def read(client: Client, address: str, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


# The person


def test_a_person_without_conversations_is_told_what_to_do(
    client: Client, participant: Participant
) -> None:
    html = read(client, f"/personas/{participant.pk}/")
    assert "Todavía no hay conversaciones" in html
    assert "Sin consentimiento todavía" in html
    assert f"/personas/{participant.pk}/ficha/" not in html


def test_the_newest_card_is_first_and_says_what_it_is(
    client: Client, cast: Cast, consent: Consent
) -> None:
    old = make(consent, cast, title="La primera", status=Status.READY, duration=754.0)
    Conversation.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    make(consent, cast, title="La segunda", description="Vive con su prima.", language="es")
    html = read(client, f"/personas/{consent.participant_id}/")
    assert html.index("La segunda") < html.index("La primera")
    for text in ("Vive con su prima.", "13 minutos", "Español", "En este equipo", "Lista"):
        assert text in html


def test_a_conversation_one_comes_for_is_on_top(
    client: Client, cast: Cast, consent: Consent
) -> None:
    old = make(consent, cast, title="La primera")
    make(consent, cast, title="La segunda")
    html = read(client, f"/personas/{consent.participant_id}/?conversacion={old.pk}")
    assert html.index("La primera") < html.index("La segunda")


@pytest.mark.parametrize("opened", ["x", "", "%00", "0f0e7c5e-5d5c-4a44-9d57-7d7f4f6f0b11"])
def test_an_address_somebody_spoiled_still_shows_the_person(
    client: Client, cast: Cast, consent: Consent, opened: str
) -> None:
    make(consent, cast, title="La primera")
    assert "La primera" in read(
        client, f"/personas/{consent.participant_id}/?conversacion={opened}"
    )


def test_words_of_a_transcript_are_never_markup(
    client: Client, cast: Cast, consent: Consent
) -> None:
    bad = "<script>alert(1)</script>"
    conversation = make(consent, cast, title=bad, description=bad, status=Status.READY)
    add_turns(conversation, ("usuario", bad))
    for address in (f"/personas/{consent.participant_id}/", f"/conversaciones/{conversation.pk}/"):
        html = read(client, address)
        assert bad not in html
        assert "&lt;script&gt;" in html


# The card


def test_a_card_asks_for_itself_only_while_there_is_something_to_wait_for(
    client: Client, cast: Cast, consent: Consent
) -> None:
    conversation = make(consent, cast)
    add_steps(conversation, transcribe=("running", ""), assess=("waiting", ""))
    conversation.steps.filter(name="transcribe").update(progress=0.43)
    html = read(client, f"/conversaciones/{conversation.pk}/tarjeta/")
    assert 'hx-trigger="every 2s"' in html
    assert "Transcribiendo" in html
    assert "43 %" in html
    Conversation.objects.filter(pk=conversation.pk).update(status=Status.READY)
    assert "every 2s" not in read(client, f"/conversaciones/{conversation.pk}/tarjeta/")


def test_a_failure_says_why_that_nothing_is_lost_and_what_to_do(
    client: Client, cast: Cast, consent: Consent
) -> None:
    conversation = make(consent, cast, status=Status.FAILED)
    add_steps(conversation, transcribe=("failed", "No se oye ninguna voz."))
    html = read(client, f"/conversaciones/{conversation.pk}/tarjeta/")
    assert "No se oye ninguna voz." in html
    assert "El archivo está guardado" in html
    assert f"/conversaciones/{conversation.pk}/reintentar/" in html
    assert f"/conversaciones/{conversation.pk}/audio/" in html
    assert "Ver transcripción" not in html


def test_what_worked_is_shown_beside_what_did_not(
    client: Client, cast: Cast, consent: Consent
) -> None:
    conversation = make(consent, cast, status=Status.PARTIAL)
    add_turns(conversation, ("usuario", "Hola"))
    add_steps(conversation, assess=("failed", "El texto era demasiado corto."))
    html = read(client, f"/conversaciones/{conversation.pk}/tarjeta/")
    assert "Ver transcripción" in html
    assert "El texto era demasiado corto." in html
    assert "Reintentar lo que falta" in html


# The dialog


def test_without_consent_it_is_asked_before_the_file(
    client: Client, participant: Participant
) -> None:
    html = read(client, f"/personas/{participant.pk}/subir/")
    assert "Léale este texto" in html
    assert "data-upload" not in html


def test_agreeing_is_kept_with_the_words_that_were_read(
    client: Client, cast: Cast, participant: Participant
) -> None:
    response = client.post(
        f"/personas/{participant.pk}/subir/",
        {"consent_language": "fr", "record": "on", "analyse": "on"},
    )
    consent = participant.consents.get()
    assert f'data-consent="{consent.pk}"' in response.content.decode()
    assert (consent.record, consent.analyse, consent.share) == (True, True, False)
    assert (consent.language, consent.recorded_by) == ("fr", cast.owner)
    assert consent.wording.startswith("Nous aimerions")


def test_what_goes_outside_is_asked_only_where_it_can_be_used(
    client: Client, cast: Cast, participant: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = f"/personas/{participant.pk}/subir/"
    assert 'name="external"' not in read(client, page)
    nube = [("local", "Aquí"), ("nube", "Fuera")]
    monkeypatch.setattr(engines, "choices", lambda: nube)
    html = read(client, page)
    assert 'name="external"' in html and "otra empresa" in html
    cast.team.external_services = False
    cast.team.save()
    assert 'name="external"' not in read(client, page)
    cast.team.external_services = True
    cast.team.save()
    agreed = {"consent_language": "es", "record": "on", "analyse": "on"}
    client.post(page, agreed)
    given = participant.consents.get()
    assert not given.external and "otra empresa" in given.wording  # it was read, and refused


def test_an_engine_that_cannot_be_used_is_shown_with_its_reason(
    client: Client, consent: Consent, participant: Participant
) -> None:
    html = read(client, f"/personas/{participant.pk}/subir/")
    assert "Falta la clave de Deepgram." in html
    assert "Preguntar a la persona" not in html  # it would change nothing


def test_a_person_can_be_asked_for_what_is_outside_later(
    client: Client, consent: Consent, participant: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "choices", lambda: [("local", "Aquí"), ("nube", "Fuera")])
    page = f"/personas/{participant.pk}/subir/"
    html = read(client, page)
    assert "no ha aceptado" in html and f"{page}?consentimiento" in html
    assert 'value="nube"' not in html
    html = read(client, f"{page}?consentimiento")
    assert f'action="{page}?consentimiento"' in html and 'name="external"' in html
    agreed = {"consent_language": "es", "record": "on", "analyse": "on", "external": "on"}
    html = client.post(f"{page}?consentimiento", agreed).content.decode()
    assert 'value="nube"' in html
    assert participant.consents.count() == 2


@pytest.mark.parametrize("agreed", [{}, {"record": "on"}, {"analyse": "on", "share": "on"}])
def test_half_an_agreement_is_none(
    client: Client, participant: Participant, agreed: dict[str, str]
) -> None:
    response = client.post(
        f"/personas/{participant.pk}/subir/", {"consent_language": "es", **agreed}
    )
    assert response.status_code == 422
    assert "Sin su acuerdo" in response.content.decode()
    assert not participant.consents.exists()


def test_a_consent_is_not_asked_twice(
    client: Client, consent: Consent, participant: Participant
) -> None:
    address = f"/personas/{participant.pk}/subir/"
    assert f'data-consent="{consent.pk}"' in read(client, address)
    client.post(address, {"consent_language": "es", "record": "on", "analyse": "on"})
    assert participant.consents.count() == 1


def test_a_withdrawn_consent_is_asked_again(
    client: Client, consent: Consent, participant: Participant
) -> None:
    Consent.objects.filter(pk=consent.pk).update(withdrawn_at=timezone.now())
    assert "Léale este texto" in read(client, f"/personas/{participant.pk}/subir/")


def test_an_expired_consent_is_asked_again(
    client: Client, consent: Consent, participant: Participant
) -> None:
    expire(consent)
    assert "Léale este texto" in read(client, f"/personas/{participant.pk}/subir/")


# The transcript


def add_turns(conversation: Conversation, *lines: tuple[str, str]) -> Transcript:
    transcript = Transcript.objects.create(
        conversation=conversation, engine="local", model="base", language="es", duration=60.0
    )
    for position, (role, text) in enumerate(lines):
        speaker, _ = Speaker.objects.get_or_create(
            transcript=transcript, label=f"S-{role}", defaults={"role": role}
        )
        Turn.objects.create(
            transcript=transcript,
            speaker=speaker,
            position=position,
            start=position * 65.0,
            end=position * 65.0 + 5,
            text=text,
        )
    return transcript


def test_what_was_not_recorded_is_marked_in_its_place(
    client: Client, cast: Cast, consent: Consent
) -> None:
    conversation = make(consent, cast, status=Status.READY)
    add_turns(conversation, ("empleado", "¿Qué tal?"), ("usuario", "Aquí, tirando."))
    for kind, at, seconds in (("private", 5.0, 130.2), ("interrupted", 70.0, 45.0)):
        Gap.objects.create(conversation=conversation, kind=kind, at=at, seconds=seconds)
    html = " ".join(read(client, f"/conversaciones/{conversation.pk}/").split())
    private = html.index("Pausa privada · 2 min 10 s: no se grabó nada")
    cut = html.index("Interrupción · 45 s: no se grabó nada")
    assert html.index("¿Qué tal?") < private < html.index("Aquí, tirando.") < cut
    told = client.get(f"/api/v1/conversations/{conversation.pk}/transcript").json()
    assert told["gaps"] == [
        {"kind": "private", "at": 5.0, "seconds": 130.2},
        {"kind": "interrupted", "at": 70.0, "seconds": 45.0},
    ]


def test_a_transcript_names_who_speaks_and_plays_from_there(
    client: Client, cast: Cast, consent: Consent
) -> None:
    conversation = make(consent, cast, title="La primera", status=Status.READY, duration=70.0)
    add_turns(conversation, ("empleado", "¿Qué tal?"), ("usuario", "Aquí, tirando."))
    html = read(client, f"/conversaciones/{conversation.pk}/")
    assert html.index("¿Qué tal?") < html.index("Aquí, tirando.")
    assert "Ana Robles" in html
    assert "Fátima Belkacem" in html
    assert 'data-play-from="65.00"' in html
    assert "1:05" in html


@pytest.mark.parametrize(
    ("status", "text"),
    [(Status.PROCESSING, "Todavía la estamos transcribiendo"), (Status.FAILED, "Se oye mal.")],
)
def test_without_a_transcript_the_page_says_why(
    client: Client, cast: Cast, consent: Consent, status: str, text: str
) -> None:
    conversation = make(consent, cast, status=status)
    add_steps(conversation, transcribe=("failed", "Se oye mal."))
    html = read(client, f"/conversaciones/{conversation.pk}/")
    assert text in html
    assert "guardada" in html


def test_a_person_costs_the_same_queries_however_many_conversations(
    client: Client,
    cast: Cast,
    consent: Consent,
    django_assert_max_num_queries: object,
) -> None:
    for _ in range(6):
        conversation = make(consent, cast, status=Status.READY)
        add_steps(conversation)
        add_turns(conversation, ("usuario", "Hola"))
    address = f"/personas/{consent.participant_id}/"
    client.get(address)
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        client.get(address)


# Who may


@pytest.mark.parametrize("page", ["{person}", "{person}subir/", "{talk}", "{talk}tarjeta/"])
@pytest.mark.parametrize(
    ("who", "status"), [("owner", 200), ("teammate", 200), ("stranger", 404), (None, 302)]
)
def test_only_the_team_sees_it(
    cast: Cast, consent: Consent, page: str, who: str | None, status: int
) -> None:
    conversation = make(consent, cast)
    address = page.format(
        person=f"/personas/{consent.participant_id}/", talk=f"/conversaciones/{conversation.pk}/"
    )
    employee = getattr(cast, who) if who else None
    assert cast.client(employee).get(address).status_code == status


def test_a_stranger_cannot_consent_for_anybody(cast: Cast, participant: Participant) -> None:
    response = cast.client(cast.stranger).post(
        f"/personas/{participant.pk}/subir/",
        {"consent_language": "es", "record": "on", "analyse": "on"},
    )
    assert response.status_code == 404
    assert not participant.consents.exists()
