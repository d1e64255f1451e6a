"""The panel of a transcript's page, and trying again with the same or another engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conftest import Cast
from portal.accounts import engines
from portal.conversations import retrying
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation
from portal.conversations.tests import told
from portal.participants.models import Consent

HTMX = {"HX-Request": "true"}
REASON = "No se oye ninguna voz."


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


@pytest.fixture
def failed(cast: Cast, consent: Consent, tmp_path: Path, settings: Any) -> Conversation:
    settings.MEDIA_ROOT = str(tmp_path)
    conversation = told.conversation(consent, cast, status="failed")
    told.steps(
        conversation,
        transcribe=("failed", REASON),
        **dict.fromkeys(("attribute", "describe", "assess"), ("skipped", "")),
    )
    return conversation


@pytest.fixture
def two_engines(monkeypatch: pytest.MonkeyPatch, consent: Consent) -> None:
    consent.external = True
    consent.save()
    monkeypatch.setattr(engines, "choices", lambda: [("local", "Aquí"), ("other", "Allí")])


@pytest.fixture
def one_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "choices", lambda: [("local", "Aquí")])


def address(name: str, conversation: Conversation) -> str:
    return reverse(f"conversations:{name}", args=[conversation.pk])


def read(client: Client, name: str, conversation: Conversation, **query: str) -> str:
    return client.get(address(name, conversation), query, headers=HTMX).content.decode()


# Which engine


def test_another_engine_can_be_chosen_where_there_is_one(
    client: Client, failed: Conversation, two_engines: None
) -> None:
    html = read(client, "card", failed)
    assert '<option value="local" selected>' in html
    client.post(address("retry", failed), {"engine": "other"})
    failed.refresh_from_db()
    assert (failed.engine, failed.status) == ("other", "processing")
    again = failed.steps.filter(name__in=["transcribe", "attribute", "describe", "assess"])
    assert set(again.values_list("state", flat=True)) == {"waiting"}


def test_what_may_not_leave_is_offered_nowhere(
    client: Client, failed: Conversation, two_engines: None
) -> None:
    Consent.objects.update(external=False)
    assert "<select" not in read(client, "card", failed)
    response = client.post(address("retry", failed), {"engine": "other"}, headers=HTMX)
    assert "no ha aceptado" in json.loads(response["HX-Trigger"])["toast"]["message"]


def test_with_one_engine_nothing_is_asked(
    client: Client, failed: Conversation, one_engine: None
) -> None:
    assert "<select" not in read(client, "card", failed)
    Conversation.objects.update(engine="gone")  # what it was sent to is here no more
    client.post(address("retry", failed), {"engine": "local"})
    failed.refresh_from_db()
    assert (failed.engine, failed.status) == ("local", "processing")


def test_an_engine_is_chosen_for_a_transcription_only(
    cast: Cast, failed: Conversation, client: Client, two_engines: None
) -> None:
    failed.steps.filter(name="transcribe").update(state="done")
    retrying.settle(conversation=failed)
    assert "<select" not in read(client, "card", failed)
    with pytest.raises(Refused) as refused:
        retrying.retry(conversation=failed, employee=cast.owner, engine="other")
    assert refused.value.code == "transcribed"
    failed.refresh_from_db()
    assert (failed.engine, failed.status) == ("local", "partial")


def test_what_cannot_be_tried_is_said_and_changes_nothing(
    client: Client, failed: Conversation, two_engines: None
) -> None:
    response = client.post(address("retry", failed), {"engine": "gone"}, headers=HTMX)
    said = json.loads(response["HX-Trigger"])["toast"]
    assert "no está disponible" in said["message"]
    assert REASON in response.content.decode()
    page = client.post(address("retry", failed), {"engine": "gone"}, follow=True)
    assert "no está disponible" in page.content.decode()
    Consent.objects.update(withdrawn_at=timezone.now())
    response = client.post(address("retry", failed), {}, headers=HTMX)
    assert "consentimiento" in json.loads(response["HX-Trigger"])["toast"]["message"]
    failed.refresh_from_db()
    assert (failed.engine, failed.status) == ("local", "failed")


def test_the_api_takes_an_engine_too(
    client: Client, failed: Conversation, two_engines: None
) -> None:
    url = f"/api/v1/conversations/{failed.pk}/retry"
    gone = client.post(f"{url}?engine=gone")
    assert (gone.status_code, gone.json()["code"]) == (409, "engine_unavailable")
    other = client.post(f"{url}?engine=other")
    assert (other.status_code, other.json()["engine"]) == (202, "other")


def test_the_api_takes_no_engine_as_the_same(client: Client, failed: Conversation) -> None:
    again = client.post(f"/api/v1/conversations/{failed.pk}/retry")
    assert (again.status_code, again.json()["engine"]) == (202, "local")


# The panel


def test_the_panel_asks_only_while_there_is_something_to_wait_for(
    client: Client, failed: Conversation
) -> None:
    page = read(client, "transcript", failed)
    assert REASON in page
    assert "every 2s" not in page
    response = client.post(
        address("retry", failed) + "?visto=", headers={**HTMX, "HX-Target": "outcome"}
    )
    html = response.content.decode()
    assert html.count('id="outcome"') == 1
    assert "<article" not in html
    assert "every 2s" in html
    failed.steps.update(state="done")
    Conversation.objects.update(status="ready")
    assert "every 2s" not in read(client, "outcome", failed)


def test_what_is_retried_from_a_card_gives_the_card(client: Client, failed: Conversation) -> None:
    response = client.post(
        address("retry", failed), headers={**HTMX, "HX-Target": f"c-{failed.pk}"}
    )
    assert "<article" in response.content.decode()


def test_a_transcript_is_brought_to_a_page_that_has_none(
    client: Client, failed: Conversation
) -> None:
    Conversation.objects.update(status="processing")
    assert "hx-select" not in read(client, "outcome", failed, visto="")
    transcript = told.transcribed(failed)
    assert 'hx-select="#conversation"' in read(client, "outcome", failed, visto="")
    # One that somebody reads is not taken away from them; a newer one is told.
    html = read(client, "outcome", failed, visto=f"{transcript.pk - 1}")
    assert "hx-select" not in html
    assert "Hay una transcripción más nueva" in html
    html = read(client, "outcome", failed, visto=f"{transcript.pk}")
    assert "más nueva" not in html


def test_what_was_described_meanwhile_comes_with_the_end(
    client: Client, failed: Conversation
) -> None:
    failed.steps.update(state="done")
    Conversation.objects.update(status="ready", title="Otro título")
    html = read(client, "outcome", failed)
    assert 'hx-swap-oob="true"' in html
    assert "Otro título" in html


def test_a_step_that_waits_for_another_try_says_why(client: Client, failed: Conversation) -> None:
    failed.steps.filter(name="transcribe").update(state="waiting", reason="Está ocupada.")
    Conversation.objects.update(status="processing")
    assert "Está ocupada. Se volverá a intentar solo." in read(client, "outcome", failed)


def test_every_step_says_its_state(client: Client, failed: Conversation) -> None:
    html = " ".join(read(client, "card", failed).split())
    for product, state in (
        ("Audio", "Hecho"),
        ("Transcripción", "No ha funcionado"),
        ("Quién habla", "No se ha intentado"),
        ("Ficha", "No se ha intentado"),
    ):
        assert f'<span class="step-name">{product}</span> <span class="step-state">{state}' in html


def test_what_was_heard_live_is_there_when_the_final_pass_fails(
    client: Client, failed: Conversation
) -> None:
    told.transcribed(failed)
    html = read(client, "card", failed)
    assert "Lo que se escribió mientras se grababa sigue aquí" in html
    assert "Ver transcripción" in html
