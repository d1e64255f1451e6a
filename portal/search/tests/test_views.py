from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conftest import Cast
from portal.inquiries.models import Inquiry
from portal.participants.models import Consent, Participant
from portal.search import queries
from portal.search.backends.base import SearchDown
from tests.contracts.search import SAID, Office

PAGE = reverse("search:search")


@pytest.fixture
def office(cast: Cast, participant: Participant, consent: Consent) -> Office:
    return Office(cast, participant, consent)


@pytest.fixture
def ask(cast: Cast, office: Office) -> Callable[..., str]:
    client = cast.client(cast.owner)

    def asked(q: str, client: Client = client, **more: Any) -> str:
        headers = {"HX-Request": "true", "HX-Target": "search-results"}
        response = client.get(PAGE, {"q": q, **more}, headers=headers)
        assert response.status_code == 200
        return response.content.decode()

    return asked


def test_what_is_found_leads_to_where_it_is(ask: Callable[..., str], office: Office) -> None:
    found = ask("fresa")
    transcript = reverse("conversations:transcript", args=[office.conversation.pk])
    assert f'href="{transcript}#turno-0"' in found
    assert "<mark>fresa</mark>" in found
    assert "minuto 0:00" in found
    assert "Fátima Belkacem:" in found
    person = reverse("conversations:participant", args=[office.participant.pk])
    assert f'href="{person}?conversacion={office.conversation.pk}#c-' in ask("campo")
    assert f'href="{person}"' in ask("belkacem")


def test_what_was_said_is_never_markup(ask: Callable[..., str]) -> None:
    found = ask("mañana")
    assert "&lt;b&gt;<mark>Mañana</mark>&lt;/b&gt;" in found
    assert "<b>" not in found
    assert 'data-q="&quot;&gt;&lt;script&gt;"' in ask('"><script>')


def test_more_of_one_kind(ask: Callable[..., str], office: Office) -> None:
    turn = office.turns[0]
    for position in range(10, 30):
        turn.pk, turn.position = None, position
        turn.save()
    few = ask("fresa")
    assert few.count("#turno-") == 8
    assert "Ver más: lo que se dijo" in few
    assert ask("fresa", de="turn").count("#turno-") == 21


def test_what_is_not_right_yet_narrows_nothing(ask: Callable[..., str], office: Office) -> None:
    for more in (
        {"desde": "2026-1"},
        {"persona": "x"},
        {"empleado": "0"},
        {"ambito": "otro"},
        {"de": "otro"},
        {"hasta": "9999-12-31"},
        {"desde": "0001-01-01"},
    ):
        assert "#turno-0" in ask("fresa", **more), more
    for pk in (office.cast.stranger.pk,):
        assert "#turno-0" in ask("fresa", empleado=pk)


def test_no_answer_and_no_question_help(ask: Callable[..., str]) -> None:
    assert "Escriba un nombre" in ask("")
    assert "No hemos encontrado nada" in ask("zapato")
    assert "quitar algún filtro" in ask("fresa", hasta="2001-01-01")


def test_the_rest_works_while_the_engine_does_not(
    ask: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_asked: object, **_more: object) -> None:
        raise SearchDown

    monkeypatch.setattr(queries, "find", down)
    assert "Ahora mismo no se puede buscar" in ask("fresa")


def test_the_page_offers_whom_one_was_with_unless_they_are_another_teams(
    cast: Cast, office: Office
) -> None:
    here = {"aqui": str(office.participant.pk)}
    assert "Solo de Fátima" in cast.client(cast.owner).get(PAGE, here).content.decode()
    for asked in (here, {"persona": here["aqui"]}, {"aqui": "x"}):
        assert "Fátima" not in cast.client(cast.stranger).get(PAGE, asked).content.decode()


def test_what_is_of_one_person_can_be_looked_for_from_whom_is_found(
    ask: Callable[..., str], cast: Cast, office: Office
) -> None:
    pk = office.participant.pk
    link = f'href="{PAGE}?persona={pk}"'
    assert link in ask("fatima")
    assert link not in ask("fatima", persona=pk)
    assert "#turno-0" in ask("fresa", persona=pk)
    other = Participant.objects.create(team=cast.team, name="Omar", created_by=cast.owner)
    assert "quitar algún filtro" in ask("fresa", persona=other.pk)
    assert "se busca solo en lo de Fátima Belkacem" in ask("", persona=pk)
    page = cast.client(cast.owner).get(PAGE, {"persona": pk}).content.decode()
    assert "Solo de Fátima Belkacem" in page
    assert 'class="search-filters" open' not in " ".join(page.split())


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("600111222", "+34 <mark>600 111 222</mark>"),
        ("600 11 12", "+34 <mark>600 111 2</mark>22"),
        ("+34 600 111 222", "+<mark>34 600 111 222</mark>"),
        ("fatima 600111222", "+34 <mark>600 111 222</mark>"),
        ("fatima", "+34 600 111 222"),
    ],
)
def test_the_digits_of_a_phone_are_marked_however_it_is_written(
    ask: Callable[..., str], office: Office, asked: str, shown: str
) -> None:
    Participant.objects.filter(pk=office.participant.pk).update(phone="+34600111222")
    assert f" · {shown} </span>" in " ".join(ask(asked).split())


def test_an_answer_is_shown_as_long_as_what_proves_it_stands(
    ask: Callable[..., str], cast: Cast, office: Office
) -> None:
    asked = Inquiry.objects.create(
        participant=office.participant, question="¿Tiene zapatos?", asked_by=cast.owner
    )
    turn = office.turns[0]
    asked.replies.create(
        conversation=office.conversation,
        answer="Unas alpargatas",
        evidence=[{"quote": "sin contrato", "start": turn.start, "end": turn.end}],
    )
    assert "Unas <mark>alpargatas</mark>" in ask("alpargatas")
    turn.text = "Trabajo en casa."
    turn.save()
    found = ask("zapatos")
    assert "<mark>zapatos</mark>" in found
    assert "alpargatas" not in found


def test_nobody_else_sees_any_of_it(ask: Callable[..., str], cast: Cast) -> None:
    for text in ("fresa", "fatima", "fatma"):
        assert "No hemos encontrado nada" in ask(text, cast.client(cast.stranger))
    assert SAID[0] not in ask("fresa", cast.client(cast.stranger))
