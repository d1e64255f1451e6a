from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from conftest import Cast
from portal.accounts.models import Membership
from portal.conversations.models import Conversation, ProcessingStep
from portal.conversations.steps import StepName
from portal.corrections.models import Flag
from portal.notifications import queries, services
from portal.notifications.models import Notification
from portal.participants.models import Consent

HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


@pytest.fixture
def conversation(consent: Consent, cast: Cast) -> Conversation:
    """Of the owner, being transcribed."""
    return processing(consent, cast)


def processing(consent: Consent, cast: Cast) -> Conversation:
    made = Conversation.objects.create(
        participant=consent.participant, consent=consent, created_by=cast.owner, engine="local"
    )
    for position, name in enumerate(StepName):
        state = {"probe": "done", "transcribe": "running"}.get(name, "waiting")
        ProcessingStep.objects.create(
            conversation=made,
            name=name,
            position=position,
            state=state,
            progress=0.5 if state == "running" else 0,
        )
    return made


def end(conversation: Conversation) -> Notification:
    conversation.status = Conversation.Status.READY
    conversation.title = "Padrón y salud"
    conversation.save()
    conversation.steps.update(state="done")
    return services.notify(conversation)


def test_one_that_ends_while_it_is_looked_up_breaks_nothing(
    cast: Cast, conversation: Conversation
) -> None:
    def end_after_the_first(execute: Any, sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if sql.startswith("SELECT DISTINCT"):
            conversation.steps.update(state="done")
        return found

    with connection.execute_wrapper(end_after_the_first):
        assert queries.in_progress(cast.owner) == []


def test_it_says_how_many_moments_there_are_to_review(
    client: Client, conversation: Conversation
) -> None:
    end(conversation)
    assert "que revisar" not in client.get("/notificaciones/").content.decode()
    for start in (1.0, 2.0):
        Flag.objects.create(
            conversation=conversation, kind=Flag.Kind.NAME, start=start, end=start + 0.5
        )
    Flag.objects.create(
        conversation=conversation, kind="gap", start=3.0, end=9.0, resolved_at=timezone.now()
    )
    assert "2 momentos que revisar" in client.get("/notificaciones/").content.decode()


def activity(client: Client, *watched: object) -> str:
    return client.get("/en-proceso/", {"de": list(watched)}, headers=HTMX).content.decode()


# The bar


def test_nothing_in_process_shows_nothing_and_asks_no_more(client: Client) -> None:
    assert activity(client).strip() == ""


def test_one_conversation_says_its_step_and_how_far_all_is(
    client: Client, conversation: Conversation
) -> None:
    html = activity(client)
    assert "Transcribiendo" in html
    assert "Fátima Belkacem" in html
    # Of what it takes in all, the transcription is nearly everything, and half of it is done.
    assert "45 %" in html
    assert "queda" not in html, "its length is not known"
    assert f"de={conversation.pk}" in html
    assert 'hx-trigger="progress from:body' in html


def test_several_fold_into_one_line(
    client: Client, cast: Cast, consent: Consent, conversation: Conversation
) -> None:
    processing(consent, cast)
    assert "2 conversaciones en proceso" in activity(client)


def test_it_goes_on_asking_until_the_notification_is_there(
    client: Client, conversation: Conversation
) -> None:
    conversation.steps.exclude(name="notify").update(state="done")
    Conversation.objects.filter(pk=conversation.pk).update(status=Conversation.Status.READY)
    assert "progress from:body" in activity(client, conversation.pk)


def test_what_ended_is_told_once_with_its_link_and_the_bell_rings(
    client: Client, conversation: Conversation
) -> None:
    notification = end(conversation)
    response = client.get("/en-proceso/", {"de": [conversation.pk]}, headers=HTMX)
    html = response.content.decode()
    assert "Padrón y salud" in html
    assert f"/notificaciones/{notification.pk}/abrir/" in html
    assert "progress from:body" not in html
    assert "notifications" in response["HX-Trigger"]
    assert "Padrón y salud" not in activity(client)


@pytest.mark.parametrize("watched", ["x", "", "0f0e7c5e-5d5c-4a44-9d57-7d7f4f6f0b11"])
def test_an_address_somebody_spoiled_is_no_error(client: Client, watched: str) -> None:
    assert activity(client, watched).strip() == ""


def test_a_teammate_is_not_bothered(cast: Cast, conversation: Conversation) -> None:
    end(conversation)
    assert activity(cast.client(cast.teammate), conversation.pk).strip() == ""


# The bell


def test_the_bell_counts_what_was_not_opened(client: Client, conversation: Conversation) -> None:
    assert "badge-count" not in client.get("/notificaciones/", headers=HTMX).content.decode()
    end(conversation)
    html = client.get("/notificaciones/", headers=HTMX).content.decode()
    assert "Notificaciones: 1 sin abrir" in html
    assert "Padrón y salud" in html


def test_the_newest_is_on_top(client: Client, cast: Cast, consent: Consent) -> None:
    for day in range(1, 6):
        notification = end(processing(consent, cast))
        # Their keys say nothing of their order.
        told = timezone.now() - timedelta(days=(day * 3) % 5)
        Notification.objects.filter(pk=notification.pk).update(created_at=told)
    days = [
        timezone.localtime(told).date().isoformat()
        for told in Notification.objects.order_by("-created_at").values_list(
            "created_at", flat=True
        )
    ]
    html = client.get("/notificaciones/").content.decode()
    assert re.findall(r'<time datetime="(\d{4}-\d\d-\d\d)', html) == days


def test_opening_clears_it_and_goes_to_the_conversation(
    client: Client, conversation: Conversation
) -> None:
    notification = end(conversation)
    response = client.post(f"/notificaciones/{notification.pk}/abrir/")
    person = conversation.participant_id
    assert response["Location"] == (
        f"/personas/{person}/?conversacion={conversation.pk}#c-{conversation.pk}"
    )
    assert "badge-count" not in client.get("/notificaciones/", headers=HTMX).content.decode()
    assert "Padrón y salud" in client.get("/notificaciones/").content.decode()


def test_the_page_teaches_when_there_is_nothing(client: Client) -> None:
    assert "Todavía no hay nada" in client.get("/notificaciones/").content.decode()


@pytest.mark.parametrize("who", ["teammate", "stranger"])
def test_a_notification_is_its_recipient_s_alone(
    cast: Cast, conversation: Conversation, who: str
) -> None:
    notification = end(conversation)
    other = cast.client(getattr(cast, who))
    assert other.post(f"/notificaciones/{notification.pk}/abrir/").status_code == 404
    assert "Padrón y salud" not in other.get("/notificaciones/").content.decode()
    notification.refresh_from_db()
    assert notification.opened_at is None


def test_who_left_the_team_reads_nothing_of_it_any_more(
    client: Client, cast: Cast, conversation: Conversation
) -> None:
    notification = end(conversation)
    Membership.objects.filter(employee=cast.owner).delete()
    assert "Padrón y salud" not in client.get("/notificaciones/").content.decode()
    assert client.post(f"/notificaciones/{notification.pk}/abrir/").status_code == 404


@pytest.mark.parametrize("address", ["/notificaciones/", "/en-proceso/"])
def test_nobody_is_asked_to_sign_in(cast: Cast, address: str) -> None:
    assert cast.client(None).get(address).status_code == 302
