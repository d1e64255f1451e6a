"""The box, its questions one by one, and the API."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from conftest import Cast
from portal.conversations.models import Conversation, Turn
from portal.inquiries import answering
from portal.inquiries.models import Inquiry
from portal.inquiries.tests.conftest import Scripted
from portal.participants.models import Participant

HTMX = {"HX-Request": "true"}
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


def box(conversation: Conversation) -> str:
    return f"/conversaciones/{conversation.pk}/saber-mas/"


def test_from_a_question_to_its_quote(
    client: Client, conversation: Conversation, engine: Scripted
) -> None:
    asked = client.post(box(conversation), {"question": "¿Dónde vive?"}, headers=HTMX)
    inquiry = Inquiry.objects.get()
    page = asked.content.decode()
    assert "Buscando en lo que se dijo" in page
    assert f'name="since" value="{inquiry.pk}"' in page
    waiting = client.get(f"/preguntas/{inquiry.pk}/", headers=HTMX)
    assert (waiting.status_code, waiting.content) == (204, b"")
    answering.answer(inquiry.pk)
    shown = client.get(f"/preguntas/{inquiry.pk}/", headers=HTMX).content.decode()
    assert "every" not in shown
    assert f'href="/conversaciones/{conversation.pk}/#turno-1"' in shown
    assert 'data-play-from="11.50"' in shown
    here = {**HTMX, "HX-Current-URL": f"http://testserver/conversaciones/{conversation.pk}/#a"}
    shown = client.get(f"/preguntas/{inquiry.pk}/", headers=here).content.decode()
    assert 'href="#turno-1"' in shown


def test_without_scripts_it_is_a_page(
    client: Client, conversation: Conversation, engine: Scripted
) -> None:
    asked = client.post(box(conversation), {"question": "¿Dónde vive?"})
    inquiry = Inquiry.objects.get()
    assert asked["Location"] == f"{box(conversation)}#pregunta-{inquiry.pk}"
    answering.answer(inquiry.pk)
    page = client.get(box(conversation)).content.decode()
    assert f'id="pregunta-{inquiry.pk}"' in page
    assert "calle Olmo" in page
    deleted = client.post(f"/preguntas/{inquiry.pk}/borrar/")
    assert deleted["Location"] == box(conversation)


@pytest.mark.parametrize("question", ["", "   ", "a" * 301])
def test_what_is_refused_keeps_what_was_written(
    client: Client, conversation: Conversation, question: str
) -> None:
    response = client.post(box(conversation), {"question": question}, headers=HTMX)
    assert response.status_code == 422
    assert question.strip() in response.content.decode()
    assert not Inquiry.objects.exists()


def test_what_stood_open_stays_open_and_the_rest_is_counted(
    client: Client, conversation: Conversation, inquiry: Inquiry, cast: Cast
) -> None:
    client.post(box(conversation), {"question": "¿Con quién?"}, headers=HTMX)
    second = Inquiry.objects.first()
    assert second
    data = {"question": "¿Desde cuándo?", "since": second.pk}
    page = client.post(box(conversation), data, headers=HTMX).content.decode()
    assert re.findall("¿Con quién|¿Desde cuándo|¿Dónde vive", page.partition("<details")[0]) == [
        "¿Desde cuándo", "¿Desde cuándo", "¿Con quién", "¿Con quién",
    ]  # fmt: skip
    assert "1 pregunta anterior" in page
    older = client.get(f"{box(conversation)}?antes={second.pk}", headers=HTMX).content.decode()
    assert "¿Dónde vive?" in older
    assert "¿Con quién?" not in older


def test_a_slow_answer_is_said_to_be_slow_once(client: Client, inquiry: Inquiry) -> None:
    address = f"/preguntas/{inquiry.pk}/"
    Inquiry.objects.update(asked_at=timezone.now() - timedelta(minutes=1))
    told = client.get(address, headers=HTMX)
    assert "Está tardando más de lo normal" in told.content.decode()
    assert client.get(f"{address}?lenta", headers=HTMX).status_code == 204
    again = client.post(f"{address}repetir/", headers=HTMX).content.decode()
    assert "Buscando en lo que se dijo" in again


def test_hostile_words_are_shown_as_words(
    client: Client, conversation: Conversation, engine: Scripted
) -> None:
    Turn.objects.filter(position=1).update(text=f"{HOSTILE} en la calle Olmo", words=[])
    client.post(box(conversation), {"question": HOSTILE})
    answering.answer(Inquiry.objects.get().pk)
    page = client.get(box(conversation)).content.decode()
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


def test_words_that_are_gone_are_not_shown_as_an_answer(
    client: Client, inquiry: Inquiry, engine: Scripted
) -> None:
    answering.answer(inquiry.pk)
    Turn.objects.filter(position=1).update(text="No.", words=[])
    page = client.get(f"/preguntas/{inquiry.pk}/", headers=HTMX).content.decode()
    assert "se apoyaba la respuesta ya no están" in page
    assert "Olmo" not in page
    assert "Volver a preguntar" in page


def test_a_person_with_several_talks_can_be_asked_as_a_whole(
    client: Client, participant: Participant, conversation: Conversation, engine: Scripted
) -> None:
    address = f"/personas/{participant.pk}/saber-mas/"
    client.post(address, {"question": "¿Dónde vive?"})
    answering.answer(Inquiry.objects.get().pk)
    page = client.get(address).content.decode()
    assert "Padrón y dinero en casa ·" in page
    cards = client.get(f"/personas/{participant.pk}/").content.decode()
    assert "Saber más de esta conversación" in cards
    assert "todas sus conversaciones" not in cards


# The API


def test_the_api_asks_follows_and_deletes(
    client: Client, conversation: Conversation, engine: Scripted
) -> None:
    base = f"/api/v1/conversations/{conversation.pk}/inquiries"
    body = {"question": "¿Dónde vive?"}
    made = client.post(base, body, content_type="application/json")
    assert made.status_code == 202
    assert (made.json()["state"], made.json()["replies"]) == ("waiting", [])
    one = f"/api/v1/inquiries/{made.json()['id']}"
    answering.answer(made.json()["id"])
    found = client.get(one).json()
    assert (found["state"], found["changed"]) == ("found", False)
    assert found["replies"] == [
        {
            "conversation_id": str(conversation.pk),
            "answer": "En la calle Olmo",
            "evidence": [{"turn": 1, "quote": "calle Olmo", "start": 11.5, "end": 12.5}],
        }
    ]
    assert client.get(base).json()["items"] == [found]
    whole = f"/api/v1/participants/{conversation.participant_id}/inquiries"
    assert client.get(whole).json()["count"] == 0
    assert client.post(whole, body, content_type="application/json").status_code == 202
    refused = client.post(base, {"question": " "}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (422, "question_empty")
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404
