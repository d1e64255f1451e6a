"""What is written as FHIR, held against the official structures: those of R4B, which for these
resources are those of R4."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given as tried
from hypothesis import strategies as st

from portal.assessments.exports import fhir
from portal.assessments.exports.snapshot import Ficha, Given, plain
from portal.assessments.tests.fichas import (
    FIRST,
    FORM,
    NAME,
    PERSON,
    SAID,
    ficha,
    machine,
    person,
    said,
)

Json = dict[str, Any]


def written(*fichas: Ficha) -> tuple[Json, list[Json]]:
    """A questionnaire and its responses, valid by the official structure."""
    content = b"".join(fhir.bundle([fichas], [FORM]))
    Bundle.model_validate_json(content)
    form, *responses = [entry["resource"] for entry in json.loads(content)["entry"]]
    return form, responses


def items(resource: Json) -> Iterator[Json]:
    for group in resource["item"]:
        yield from group["item"]


def item(response: Json, slug: str) -> Json:
    return next(found for found in items(response) if found["linkId"] == f"vivienda/{slug}")


def extensions(item: Json) -> dict[str, Json]:
    return {found["url"].removeprefix(fhir.OURS): found for found in item.get("extension", [])}


def answers(**of_home: Given) -> Json:
    _form, (response,) = written(
        ficha({("vivienda", slug): given for slug, given in of_home.items()})
    )
    return response


def test_a_questionnaire_has_kinds_choices_and_conditions() -> None:
    form, _responses = written(ficha())
    assert (form["version"], form["status"], form["language"]) == ("2", "active", "es")
    assert [found["type"] for found in items(form)] == [
        "display", "text", "integer", "decimal", "date", "choice", "choice",
    ]  # fmt: skip
    assert item(form, "lugar")["required"]
    assert item(form, "suministros")["repeats"]
    assert item(form, "regimen")["answerOption"][0] == {
        "valueCoding": {"code": "alquiler", "display": "De alquiler"}
    }
    assert extensions(item(form, "alquiler"))["relevant"]["valueString"] == "${personas} > 0"
    assert "date" not in fhir.questionnaire(replace(FORM, published_at=None))


def test_answers_have_the_type_of_their_question() -> None:
    form, (response,) = written(ficha())
    assert response["questionnaire"] == f"{form['url']}|2"
    assert {found["linkId"] for found in items(response)} < {
        found["linkId"] for found in items(form)
    }
    assert {found["linkId"]: found["answer"] for found in items(response)} == {
        "vivienda/lugar": [{"valueString": "En la calle Olmo\ncon mi prima"}],
        "vivienda/personas": [{"valueInteger": 4}],
        "vivienda/alquiler": [{"valueDecimal": 350.5}],
        "vivienda/desde": [{"valueDate": "2026-03-01"}],
        "vivienda/regimen": [{"valueCoding": {"code": "alquiler", "display": "De alquiler"}}],
        "vivienda/suministros": [
            {"valueCoding": {"code": "luz", "display": "Luz"}},
            {"valueCoding": {"code": "gas", "display": "Gas"}},
        ],
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Given(), "not-asked"),
        (Given("asked", origin="machine"), "asked-unknown"),
        (Given("declined", origin="person", is_reviewed=True), "asked-declined"),
        (Given(is_withheld=True), "masked"),
        (person("unos cuatro"), "as-text"),
        (machine("muchos", 2**40), "as-text"),
    ],
)
def test_what_is_not_there_says_why(given: Given, reason: str) -> None:
    found = item(answers(personas=given), "personas")
    assert "answer" not in found
    assert extensions(found)[fhir.ABSENT]["valueCode"] == reason
    if reason == "as-text":
        assert extensions(found)["said"]["valueString"] == given.value


def test_an_answer_brings_its_proof_and_who_stands_for_it() -> None:
    found = extensions(item(answers(personas=machine("Somos cuatro", 4)), "personas"))
    assert found["evidence"]["extension"] == [
        {"url": "quote", "valueString": SAID},
        {"url": "interview", "valueUri": f"urn:uuid:{FIRST}"},
        {"url": "start", "valueDecimal": 65.25},
        {"url": "end", "valueDecimal": 67.5},
        {"url": "language", "valueCode": "es"},
    ]
    assert found["origin"]["extension"] == [
        {"url": "by", "valueCode": "machine"},
        {"url": "reviewed", "valueBoolean": False},
        {"url": "engine", "valueString": "local"},
        {"url": "model", "valueString": "1"},
        {"url": "interview", "valueUri": f"urn:uuid:{FIRST}"},
    ]


def test_it_is_completed_when_all_is_reviewed() -> None:
    assert written(ficha())[1][0]["status"] == "in-progress"
    assert written(ficha(reviewed=6))[1][0]["status"] == "completed"
    assert written(ficha(total=0, reviewed=0))[1][0]["status"] == "in-progress"


def test_nobody_is_named() -> None:
    content = b"".join(fhir.bundle([[ficha()]], [FORM])).decode()
    for name in (NAME, "Fátima", "Ana Robles", "Oficina Centro", "Padrón"):
        assert name not in content
    _form, (response,) = written(ficha())
    assert response["subject"]["identifier"]["value"] == f"urn:uuid:{PERSON}"
    assert response["source"] == response["subject"]
    assert response["author"]["identifier"]["value"] == "7"


def test_many_fichas_are_one_bundle() -> None:
    other = ficha(participant=FIRST)
    _form, responses = written(ficha(), other)
    assert len({response["id"] for response in responses}) == 2


def test_what_was_not_put_has_no_item() -> None:
    _form, (response,) = written(ficha(skipped=frozenset({"alquiler"})))
    assert "vivienda/alquiler" not in {found["linkId"] for found in items(response)}


def test_what_an_earlier_version_asked_is_a_response_to_that_version() -> None:
    before = replace(FORM, pk=2, version=1)
    left = {("vivienda", "lugar"): person("En Olmo")}
    made = ficha(earlier=((before, left),))
    Bundle.model_validate_json(b"".join(fhir.bundle([[made]], [FORM, before])))
    (first, now), (second, then) = fhir.responses(made)
    assert first != second
    assert [found["questionnaire"][-2:] for found in (now, then)] == ["|2", "|1"]
    assert [found["linkId"] for found in items(then)] == ["vivienda/lugar"]
    assert (now["status"], then["status"]) == ("in-progress", "completed")


def test_the_forms_of_two_teams_have_two_addresses() -> None:
    assert len({fhir.canonical(replace(FORM, team=team)) for team in (None, 1, 2)}) == 3


@tried(st.text(min_size=1, max_size=60).map(plain).filter(bool))
def test_any_text_is_valid(text: str) -> None:
    response = answers(
        lugar=person(text), personas=person(text), desde=machine(text, quotes=(said(text),))
    )
    assert item(response, "lugar")["answer"] == [{"valueString": text}]
