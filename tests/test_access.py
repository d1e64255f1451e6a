"""Every address of the portal, tried by everyone of the cast.

A new address fails `test_every_address_is_in_the_table` until it is written here, in one of
three ways: open to all, open to whoever is signed in, or hanging on one participant, which is
then tried with people of the team (who get in) and others (for whom it does not exist).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse
from django.utils import timezone

from conftest import Cast
from portal.assessments import services as assessments
from portal.assessments.models import Questionnaire
from portal.conversations.models import Conversation, Recording, Speaker, Transcript, Turn, Upload
from portal.corrections.models import Flag, Redaction
from portal.inquiries.models import Inquiry
from portal.live.models import LiveRecording
from portal.notifications.models import Notification
from portal.participants.models import Consent, Participant

OPEN_TO_ALL = {
    "account_login", "account_logout", "account_signup", "account_inactive",
    "account_reset_password", "account_reset_password_done", "account_reset_password_from_key",
    "account_reset_password_from_key_done", "account_confirm_email",
    "account_email_verification_sent", "account_confirm_login_code", "account_request_login_code",
    "health",
    "api:api-root",  # says 404: it only lends its address to others
}  # fmt: skip

SIGNED_IN = {
    "home", "profile",
    "account_change_password", "account_set_password", "account_email", "account_reauthenticate",
    "participants:list", "participants:new",
    "conversations:uploads",
    "search:search",
    "notifications:list", "notifications:activity", "notifications:news",
    "live:bar", "usage:month",
    "assessments:questionnaires",
    "api:openapi-json", "api:openapi-view",
    "api:list_participants", "api:create_participant",
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """One participant of the owner's team with one of everything."""

    participant: Participant
    conversation: Conversation
    upload: Upload
    answer: int
    suggestion: int
    notification: Notification
    turn: int
    flag: int
    live: LiveRecording
    redaction: int
    inquiry: int
    draft: Questionnaire
    domain: int
    question: int


OF_ONE_PARTICIPANT = {
    "participants:edit": lambda s: [s.participant.pk],
    "conversations:participant": lambda s: [s.participant.pk],
    "conversations:upload": lambda s: [s.participant.pk],
    "conversations:upload-detail": lambda s: [s.upload.pk],
    "conversations:transcript": lambda s: [s.conversation.pk],
    "conversations:audio": lambda s: [s.conversation.pk],
    "conversations:sound": lambda s: [s.conversation.pk],
    "conversations:card": lambda s: [s.conversation.pk],
    "conversations:outcome": lambda s: [s.conversation.pk],
    "conversations:retry": lambda s: [s.conversation.pk],
    "conversations:export": lambda s: [s.conversation.pk, "docx"],
    "conversations:export-all": lambda s: [s.participant.pk],
    "conversations:description": lambda s: [s.conversation.pk],
    "corrections:changes": lambda s: [s.conversation.pk],
    "corrections:text": lambda s: [s.conversation.pk, s.turn],
    "corrections:split": lambda s: [s.conversation.pk, s.turn],
    "corrections:merge": lambda s: [s.conversation.pk, s.turn],
    "corrections:move": lambda s: [s.conversation.pk, s.turn],
    "corrections:undo_turn": lambda s: [s.conversation.pk, s.turn],
    "corrections:history": lambda s: [s.conversation.pk, s.turn],
    "corrections:voices": lambda s: [s.conversation.pk],
    "corrections:new_voice": lambda s: [s.conversation.pk],
    "corrections:bar": lambda s: [s.conversation.pk],
    "corrections:undo": lambda s: [s.conversation.pk, 1],
    "corrections:analyse": lambda s: [s.conversation.pk],
    "corrections:flags": lambda s: [s.conversation.pk],
    "corrections:flag": lambda s: [s.flag],
    "corrections:strike": lambda s: [s.conversation.pk],
    "corrections:redactions": lambda s: [s.conversation.pk],
    "corrections:undo_redaction": lambda s: [s.conversation.pk, s.redaction],
    "live:prepare": lambda s: [s.participant.pk],
    "live:start": lambda s: [s.participant.pk],
    "live:open_of": lambda s: [s.participant.pk],
    "live:recording": lambda s: [s.live.pk],
    "live:finish": lambda s: [s.live.pk],
    "live:discard": lambda s: [s.live.pk],
    "live:tick": lambda s: [s.live.pk, "nacionalidad"],
    "inquiries:conversation": lambda s: [s.conversation.pk],
    "inquiries:participant": lambda s: [s.participant.pk],
    "inquiries:inquiry": lambda s: [s.inquiry],
    "inquiries:again": lambda s: [s.inquiry],
    "inquiries:delete": lambda s: [s.inquiry],
    "assessments:sheet": lambda s: [s.participant.pk],
    "assessments:newer_version": lambda s: [s.participant.pk],
    "assessments:answer": lambda s: [s.answer],
    "assessments:decide": lambda s: [s.answer],
    "assessments:history": lambda s: [s.answer],
    "assessments:suggestion": lambda s: [s.suggestion],
    "assessments:changes": lambda s: [s.participant.pk],
    "assessments:accept_domain": lambda s: [s.participant.pk, "personal"],
    "assessments:take": lambda s: [s.participant.pk, "csv"],
    "api:update_participant": lambda s: [s.participant.pk],
    "api:upload_conversation": lambda s: [s.participant.pk],
    "api:read_participant": lambda s: [s.participant.pk],
    "api:record_consent": lambda s: [s.participant.pk],
    "api:list_conversations": lambda s: [s.participant.pk],
    "api:read_conversation": lambda s: [s.conversation.pk],
    "api:read_transcript": lambda s: [s.conversation.pk],
    "api:retry_conversation": lambda s: [s.conversation.pk],
    "api:export_conversation": lambda s: [s.conversation.pk, "docx"],
    "api:export_conversations": lambda s: [s.participant.pk],
    "api:read_sheet": lambda s: [s.participant.pk],
    "api:list_conversation_inquiries": lambda s: [s.conversation.pk],
    "api:list_participant_inquiries": lambda s: [s.participant.pk],
    "api:ask_conversation": lambda s: [s.conversation.pk],
    "api:ask_participant": lambda s: [s.participant.pk],
    "api:delete_inquiry": lambda s: [s.inquiry],
    "api:read_inquiry": lambda s: [s.inquiry],
    "api:write_answer": lambda s: [s.participant.pk, "nacionalidad"],
    "api:accept_answer": lambda s: [s.participant.pk, "nacionalidad"],
    "api:reject_answer": lambda s: [s.participant.pk, "nacionalidad"],
    "api:decide_suggestion": lambda s: [s.participant.pk, "nacionalidad", s.suggestion],
    "api:export_sheet": lambda s: [s.participant.pk, "csv"],
}

# Only for whoever coordinates the team.
OF_A_COORDINATOR = {
    "assessments:take_all": lambda s: [],
    "api:export_sheets": lambda s: [s.participant.team_id, "csv"],
    "assessments:start_draft": lambda s: [s.participant.team_id],
    "assessments:import": lambda s: [s.participant.team_id],
    "assessments:questionnaire": lambda s: [s.draft.pk],
    "assessments:export": lambda s: [s.draft.pk],
    "assessments:rename": lambda s: [s.draft.pk],
    "assessments:publish": lambda s: [s.draft.pk],
    "assessments:discard": lambda s: [s.draft.pk],
    "assessments:new_domain": lambda s: [s.draft.pk],
    "assessments:domain": lambda s: [s.domain],
    "assessments:move_domain": lambda s: [s.domain],
    "assessments:delete_domain": lambda s: [s.domain],
    "assessments:new_question": lambda s: [s.domain],
    "assessments:question": lambda s: [s.question],
    "assessments:move_question": lambda s: [s.question],
    "assessments:delete_question": lambda s: [s.question],
}

# Only whoever it was written for, not even the rest of the team.
OF_ONE_EMPLOYEE = {
    "notifications:open": lambda s: [s.notification.pk],
    "notifications:retry": lambda s: [s.notification.pk],
}

TABLES = [OPEN_TO_ALL, SIGNED_IN, OF_ONE_PARTICIPANT, OF_A_COORDINATOR, OF_ONE_EMPLOYEE]


def addresses(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[str]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            if not inner.startswith("admin:"):  # Django's own, for is_staff only
                yield from addresses(pattern, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}"


def test_every_address_is_in_the_table() -> None:
    known = set().union(*TABLES)
    assert {name for name in addresses() if name not in known} == set()
    assert sum(len(table) for table in TABLES) == len(known), "an address is in two tables"


@pytest.fixture
def scene(cast: Cast, participant: Participant, consent: Consent) -> Scene:
    conversation = Conversation.objects.create(
        participant=participant,
        consent=consent,
        created_by=cast.owner,
        engine="local",
        status=Conversation.Status.FAILED,
        duration=2.0,
    )
    Recording.objects.create(
        conversation=conversation,
        file=ContentFile(b"audio" * 100, name="a.wav"),
        original_name="a.wav",
        size=500,
        sha256="0" * 64,
    )
    transcript = Transcript.objects.create(
        conversation=conversation, engine="local", model="base", language="es", duration=2.0
    )
    speaker = Speaker.objects.create(transcript=transcript, label="S1")
    turn = Turn.objects.create(
        transcript=transcript, speaker=speaker, position=0, start=0, end=1, text="Hola."
    )
    flag = Flag.objects.create(conversation=conversation, kind=Flag.Kind.GAP, start=0.5, end=1)
    upload = Upload.objects.create(
        participant=participant,
        consent=consent,
        created_by=cast.owner,
        filename="b.wav",
        size=10,
        engine="local",
    )
    sheet = assessments.sheet_for(participant)
    answer = sheet.answers.get(question__slug="nacionalidad")
    suggestion = answer.suggestions.create(
        conversation=conversation, state="answered", value="Sí", engine="extractive"
    )
    notification = Notification.objects.create(
        recipient=cast.owner,
        participant=participant,
        conversation=conversation,
        kind=Notification.Kind.FAILED,
    )
    live = LiveRecording.objects.create(
        participant=participant, consent=consent, created_by=cast.owner, engine="local"
    )
    redaction = Redaction.objects.create(
        conversation=conversation,
        start=0,
        end=1,
        made_by=cast.owner,
        final_at=timezone.now(),
        finished_at=timezone.now(),
    )
    inquiry = Inquiry.objects.create(
        participant=participant,
        conversation=conversation,
        question="¿Dónde vive?",
        asked_by=cast.owner,
    )
    draft = Questionnaire.objects.create(team=cast.team, slug="borrador", name="Borrador")
    domain = draft.domains.create(slug="d", name="D", colour="blue", icon="people", position=0)
    question = domain.questions.create(slug="q", text="¿Y?", position=0)
    return Scene(
        participant=participant,
        conversation=conversation,
        upload=upload,
        answer=answer.pk,
        suggestion=suggestion.pk,
        notification=notification,
        turn=turn.pk,
        flag=flag.pk,
        live=live,
        redaction=redaction.pk,
        inquiry=inquiry.pk,
        draft=draft,
        domain=domain.pk,
        question=question.pk,
    )


def turned_away(response: HttpResponse) -> bool:
    """To the sign-in form, or a 401 for a script."""
    if response.status_code == 302:
        return response["Location"].startswith(reverse("account_login"))
    return response.status_code == 401


HANGING = {**OF_ONE_PARTICIPANT, **OF_A_COORDINATOR, **OF_ONE_EMPLOYEE}


# Enough for every call of the API: what is missing must not be what turns a stranger away.
BODY = {
    "name": "X Y",
    "email": "x@example.org",
    "record": True,
    "analyse": True,
    "value": "x",
    "take": True,
    "question": "x",
}


@pytest.mark.parametrize("name", sorted(HANGING))
def test_a_stranger_finds_nothing(scene: Scene, cast: Cast, name: str) -> None:
    address = reverse(name, args=HANGING[name](scene))
    client = cast.client(cast.stranger)
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        data, content_type = json.dumps(BODY).encode(), "application/json"
        if method == "POST" and address.endswith("/conversations"):
            form = {"consent": 1, "file": SimpleUploadedFile("a.wav", b"x")}
            data, content_type = encode_multipart(BOUNDARY, form), MULTIPART_CONTENT
        response = client.generic(
            method, address, data, content_type=content_type, headers={"Tus-Resumable": "1.0.0"}
        )
        assert response.status_code in (404, 405), method
        assert "Fátima" not in b"".join(response).decode(errors="replace")


@pytest.mark.parametrize("name", sorted(SIGNED_IN | set(HANGING)))
def test_nobody_gets_in_without_signing_in(scene: Scene, cast: Cast, name: str) -> None:
    address = reverse(name, args=HANGING[name](scene) if name in HANGING else [])
    client = cast.client(None)
    for response in (client.get(address), client.post(address)):
        assert turned_away(response) or response.status_code == 405


@pytest.mark.parametrize("name", sorted(OF_ONE_PARTICIPANT))
def test_the_team_gets_in(scene: Scene, cast: Cast, name: str) -> None:
    address = reverse(name, args=OF_ONE_PARTICIPANT[name](scene))
    for who in (cast.owner, cast.teammate, cast.coordinator):
        response = cast.client(who).get(address, headers={"Tus-Resumable": "1.0.0"})
        assert response.status_code in (200, 204, 405), who


def test_each_address_leads_to_its_own_view(scene: Scene) -> None:
    for name, args in HANGING.items():
        if not name.startswith("api:"):  # whose calls differ by their methods
            assert resolve(reverse(name, args=args(scene))).view_name == name


@pytest.mark.parametrize("name", sorted(OF_A_COORDINATOR))
def test_who_coordinates_the_team_gets_in_and_the_rest_does_not(
    scene: Scene, cast: Cast, name: str
) -> None:
    address = reverse(name, args=OF_A_COORDINATOR[name](scene))
    assert cast.client(cast.coordinator).get(address).status_code in (200, 405)
    for who in (cast.owner, cast.teammate):
        for method in ("get", "post"):
            response = getattr(cast.client(who), method)(address)
            assert response.status_code in (404, 405)
    assert Questionnaire.objects.filter(team=cast.team, published_at=None).get() == scene.draft


@pytest.mark.parametrize("name", sorted(OF_ONE_EMPLOYEE))
def test_a_notification_is_for_its_recipient_only(scene: Scene, cast: Cast, name: str) -> None:
    address = reverse(name, args=OF_ONE_EMPLOYEE[name](scene))
    assert cast.client(cast.teammate).post(address).status_code in (404, 405)
    assert cast.client(cast.teammate).get(address).status_code in (404, 405)


@pytest.mark.parametrize("name", sorted(OF_ONE_PARTICIPANT))
def test_what_does_not_exist_looks_like_what_one_may_not_see(
    scene: Scene, cast: Cast, name: str
) -> None:
    missing = {int: 10**9, str: None}
    ids = [missing.get(type(a), uuid4()) or a for a in OF_ONE_PARTICIPANT[name](scene)]
    response = cast.client(cast.owner).get(reverse(name, args=ids), HTTP_TUS_RESUMABLE="1.0.0")
    assert response.status_code in (404, 405)
