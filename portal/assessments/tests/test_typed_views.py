"""Answers that have a kind, as a person writes them in the ficha."""

from __future__ import annotations

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from conftest import Cast
from portal.assessments import services, versions
from portal.assessments.models import Answer, Sheet
from portal.assessments.tests.plans import PLAN
from portal.conversations.models import Conversation

HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


@pytest.fixture
def own(cast: Cast, conversation: Conversation) -> Sheet:
    draft = versions.start_draft(team=cast.team, employee=cast.coordinator, plan=PLAN)
    versions.publish(draft=draft)
    return services.sheet_for(conversation.participant)


def answer(sheet: Sheet, slug: str) -> Answer:
    return sheet.answers.get(question__slug=slug)


def editor(client: Client, found: Answer) -> str:
    return client.get(f"/respuestas/{found.pk}/?editar", headers=HTMX).content.decode()


def post(client: Client, found: Answer, **data: str | list[str]) -> HttpResponse:
    return client.post(f"/respuestas/{found.pk}/", data, headers=HTMX)


def test_each_kind_has_its_control(client: Client, own: Sheet) -> None:
    assert editor(client, answer(own, "vivienda")).count('type="radio"') == 3
    assert editor(client, answer(own, "ayudas")).count('type="checkbox"') == 2
    assert 'type="date"' in editor(client, answer(own, "llegada"))
    assert 'inputmode="numeric"' in editor(client, answer(own, "personas"))
    assert 'inputmode="decimal"' in editor(client, answer(own, "alquiler"))
    assert "<textarea" in editor(client, answer(own, "ingresos"))
    assert "Donde duerme casi siempre." in editor(client, answer(own, "vivienda"))


def test_what_is_chosen_is_kept_and_shown_again(client: Client, own: Sheet) -> None:
    post(client, answer(own, "vivienda"), value="piso")
    post(client, answer(own, "personas"), value="2")
    found = answer(own, "ayudas")
    assert post(client, found, value=["comida", "luz"]).status_code == 200
    found.refresh_from_db()
    assert (found.typed, found.value) == (["luz", "comida"], "Bono de luz; Alimentos")
    assert editor(client, found).count(" checked") == 2
    date = answer(own, "llegada")
    post(client, date, value="2024-05-03")
    date.refresh_from_db()
    assert (date.typed, date.value) == ("2024-05-03", "03/05/2024")
    assert 'value="2024-05-03"' in editor(client, date)


@pytest.mark.parametrize(
    ("slug", "value", "text"),
    [
        ("personas", "dos o tres", "sin decimales"),
        ("vivienda", "palacio", "En la calle"),
        ("llegada", "2024-02-31", "31/12/2024"),
    ],
)
def test_what_is_not_of_its_kind_comes_back_with_what_would_be(
    client: Client, own: Sheet, slug: str, value: str, text: str
) -> None:
    response = post(client, answer(own, slug), value=value)
    assert response.status_code == 422
    assert text in response.content.decode()
    assert answer(own, slug).state == "unasked"


def test_words_that_are_no_number_stay_in_sight(client: Client, own: Sheet) -> None:
    Answer.objects.filter(pk=answer(own, "personas").pk).update(
        value="tres o cuatro", state="answered", origin="machine"
    )
    html = editor(client, answer(own, "personas"))
    assert "Lo que consta ahora: «tres o cuatro»" in html
    assert 'value=""' in html


def test_a_page_whose_questions_change_is_shown_anew(client: Client, own: Sheet) -> None:
    assert post(client, answer(own, "personas"), value="1").status_code == 200
    response = post(client, answer(own, "vivienda"), value="calle")
    # With the next one that waits, since what came between is not asked any more.
    assert f"#r-{answer(own, 'llegada').pk}" in response["HX-Location"]
    html = client.get(f"/personas/{own.participant_id}/ficha/").content.decode()
    shown = re.findall(r'id="r-(\d+)"', html)
    assert str(answer(own, "alquiler").pk) not in shown
    assert "<strong>2 de 4</strong>" in html


def test_a_ficha_is_brought_to_a_newer_version_by_hand(
    cast: Cast, client: Client, conversation: Conversation
) -> None:
    sheet = services.sheet_for(conversation.participant)
    page = f"/personas/{sheet.participant_id}/ficha/"
    assert "Pasar la ficha" not in client.get(page).content.decode()
    draft = versions.start_draft(team=cast.team, employee=cast.coordinator, plan=PLAN)
    newer = versions.publish(draft=draft)
    assert "Pasar la ficha a esa versión" in client.get(page).content.decode()
    assert client.post(f"{page}version/").status_code == 302
    sheet.refresh_from_db()
    assert sheet.questionnaire == newer
    assert "Pasar la ficha" not in client.get(page).content.decode()


def test_a_script_writes_and_reads_values(client: Client, own: Sheet) -> None:
    address = f"/api/v1/participants/{own.participant_id}/sheet/personas"
    written = client.put(address, {"value": "3"}, content_type="application/json")
    assert written.status_code == 200
    assert (written.json()["kind"], written.json()["typed"]) == ("integer", 3)
    refused = client.put(address, {"value": "muchas"}, content_type="application/json")
    assert refused.status_code in (400, 422)
    assert "sin decimales" in refused.content.decode()
