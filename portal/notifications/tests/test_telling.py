"""Suggestions, consents that expire, trying again from the bell, and the e-mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from smtplib import SMTPServerDisconnected
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.utils import timezone

from conftest import Cast, expire
from portal.accounts.models import Employee, Membership
from portal.assessments import services as assessments
from portal.assessments.models import Suggestion
from portal.conversations.consent_view import valid_consent
from portal.conversations.models import Conversation
from portal.notifications import digest, queries, reminders, services
from portal.notifications.models import Notification
from portal.notifications.tests.test_views import HTMX, end, processing
from portal.participants.models import Consent

Kind = Notification.Kind


def kinds(employee: Employee) -> list[str]:
    return sorted(queries.unopened(employee).values_list("kind", flat=True))


def suggest(conversation: Conversation, reviewer: Employee | None) -> Suggestion:
    sheet = assessments.sheet_for(conversation.participant)
    answer = sheet.answers.get(question__slug="nacionalidad")
    answer.reviewed_by = reviewer
    answer.save()
    made: Suggestion = answer.suggestions.create(
        conversation=conversation, state="answered", value="Sí", engine="extractive"
    )
    return made


# Suggestions


def test_a_suggestion_is_told_to_who_brought_it_and_to_who_answers_for_the_answer(
    cast: Cast, consent: Consent
) -> None:
    conversation = processing(consent, cast)
    suggestion = suggest(conversation, cast.teammate)
    end(conversation)
    services.notify(conversation)
    assert kinds(cast.owner) == [Kind.READY, Kind.SUGGESTION]
    assert kinds(cast.teammate) == [Kind.SUGGESTION]
    assert kinds(cast.coordinator) == []
    client = cast.client(cast.teammate)
    page = client.get("/notificaciones/", headers=HTMX).content.decode()
    assert "1 sugerencia en la ficha" in page
    told = queries.unopened(cast.teammate).get()
    opened = client.post(f"/notificaciones/{told.pk}/abrir/")
    assert opened["Location"] == f"/personas/{conversation.participant_id}/ficha/"
    suggestion.taken = True
    suggestion.save()
    assert kinds(cast.owner) == [Kind.READY]


def test_who_left_the_team_hears_of_no_suggestion(cast: Cast, consent: Consent) -> None:
    conversation = processing(consent, cast)
    suggest(conversation, cast.stranger)
    end(conversation)
    assert not Notification.objects.filter(recipient=cast.stranger).exists()


# What failed


def test_what_failed_is_tried_again_from_the_bell(cast: Cast, consent: Consent) -> None:
    conversation = processing(consent, cast)
    conversation.steps.update(state="failed")
    Conversation.objects.filter(pk=conversation.pk).update(status="failed")
    conversation.refresh_from_db()
    told = services.notify(conversation)
    client = cast.client(cast.owner)
    address = f"/notificaciones/{told.pk}/reintentar/"
    assert address in client.get("/notificaciones/", headers=HTMX).content.decode()
    answer = client.post(address)
    assert answer["Location"].endswith(f"#c-{conversation.pk}")
    conversation.refresh_from_db()
    assert conversation.status == "processing"
    assert kinds(cast.owner) == []
    assert address not in client.get("/notificaciones/").content.decode()
    page = client.post(address, follow=True).content.decode()
    assert "ya se está procesando" in page


# Consents


@pytest.fixture
def expiring(consent: Consent, settings: Any) -> Consent:
    """In ten days."""
    consent.given_at = timezone.now() - timedelta(days=settings.ENV.consent_days - 10)
    consent.save()
    return consent


def test_a_consent_that_expires_is_told_once_to_who_asked_for_it(
    cast: Cast, expiring: Consent
) -> None:
    assert reminders.tell_of_consents() == 1
    assert reminders.tell_of_consents() == 0
    assert kinds(cast.owner) == [Kind.CONSENT]
    told = queries.unopened(cast.owner).get()
    opened = cast.client(cast.owner).post(f"/notificaciones/{told.pk}/abrir/")
    assert opened["Location"] == f"/personas/{expiring.participant_id}/"
    assert reminders.tell_of_consents() == 0


def test_when_who_asked_has_left_the_coordinators_are_told(cast: Cast, expiring: Consent) -> None:
    Membership.objects.filter(employee=cast.owner).delete()
    assert reminders.tell_of_consents() == 1
    assert kinds(cast.coordinator) == [Kind.CONSENT]
    assert kinds(cast.teammate) == []


def test_a_consent_given_anew_settles_it(cast: Cast, expiring: Consent) -> None:
    reminders.tell_of_consents()
    expiring.pk = None
    expiring.given_at = timezone.now()
    expiring.save()
    assert kinds(cast.owner) == []
    assert reminders.tell_of_consents() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"given_at": timezone.now()},
        {"withdrawn_at": timezone.now()},
        {"analyse": False},
    ],
)
def test_of_other_consents_nobody_is_told(expiring: Consent, changes: dict[str, object]) -> None:
    Consent.objects.update(**changes)
    assert reminders.tell_of_consents() == 0


def test_of_people_who_come_no_more_nobody_is_told(expiring: Consent) -> None:
    expiring.participant.last_interaction_at = timezone.now() - timedelta(days=400)
    expiring.participant.save()
    assert reminders.tell_of_consents() == 0


def test_an_expired_consent_is_asked_anew(consent: Consent, settings: Any) -> None:
    assert valid_consent(consent.participant) == consent
    expire(consent)
    assert valid_consent(consent.participant) is None
    assert consent.is_valid, "what was said with it stays"
    settings.ENV = settings.ENV.model_copy(update={"consent_days": 0})
    assert valid_consent(consent.participant) == consent
    assert reminders.tell_of_consents() == 0


@pytest.mark.parametrize("no", [{"withdrawn_at": timezone.now()}, {"record": False}])
def test_the_last_word_of_a_person_counts(consent: Consent, no: dict[str, object]) -> None:
    said = {"wording": "…", "language": "es", "record": True, "analyse": True} | no
    Consent.objects.create(participant=consent.participant, recorded_by=consent.recorded_by, **said)
    assert valid_consent(consent.participant) is None


# The e-mail

MORNING = datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("Europe/Madrid"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Its one element is the time."""
    now = [MORNING]
    monkeypatch.setattr(timezone, "now", lambda: now[0])
    return now


@pytest.fixture
def asked(cast: Cast) -> Employee:
    cast.owner.email_digest = True
    cast.owner.save()
    return cast.owner


def test_the_mail_counts_and_names_nobody(
    cast: Cast, asked: Employee, consent: Consent, clock: list[datetime]
) -> None:
    end(processing(consent, cast))
    end(processing(consent, cast))
    assert digest.send_due() == 1
    [sent] = mail.outbox
    assert sent.to == [asked.email]
    assert sent.subject.startswith("2 notificaciones sin abrir")
    assert "http://127.0.0.1:8000/notificaciones/" in sent.body
    for personal in ("Fátima", "Belkacem", "Padrón", "Ana", "Robles"):
        assert personal not in sent.body + sent.subject


def test_one_a_day_and_only_for_news(
    cast: Cast, asked: Employee, consent: Consent, clock: list[datetime]
) -> None:
    assert digest.send_due() == 0
    end(processing(consent, cast))
    assert digest.send_due() == 1
    clock[0] += timedelta(hours=3)
    end(processing(consent, cast))
    assert digest.send_due() == 0
    clock[0] = MORNING + timedelta(days=1)
    assert digest.send_due() == 1
    clock[0] = MORNING + timedelta(days=2)
    assert digest.send_due() == 0, "the same two as yesterday"
    assert [len(mail.outbox), mail.outbox[-1].subject[:1]] == [2, "2"]


def test_nobody_gets_it_at_night_unasked_or_for_what_was_opened(
    cast: Cast, asked: Employee, consent: Consent, clock: list[datetime]
) -> None:
    told = end(processing(consent, cast))
    clock[0] = MORNING.replace(hour=6)
    assert digest.send_due() == 0
    clock[0] = MORNING
    Employee.objects.update(email_digest=False)
    assert digest.send_due() == 0
    Employee.objects.update(email_digest=True)
    services.mark_opened(told)
    assert digest.send_due() == 0


def test_a_mail_that_cannot_be_sent_is_sent_later(
    cast: Cast,
    asked: Employee,
    consent: Consent,
    clock: list[datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end(processing(consent, cast))

    def fails(*args: object) -> None:
        raise SMTPServerDisconnected

    with monkeypatch.context() as broken:
        broken.setattr(digest, "send_mail", fails)
        assert digest.send_due() == 0
    assert digest.send_due() == 1


def test_it_speaks_the_language_of_who_gets_it(
    cast: Cast, asked: Employee, consent: Consent, clock: list[datetime]
) -> None:
    Employee.objects.update(language="en")
    end(processing(consent, cast))
    assert digest.send_due() == 1
    assert mail.outbox[0].subject.startswith("1 unopened notification ")
