"""A coordinator makes the team's questionnaire in the browser."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Cast
from portal.assessments import blueprint, editing, queries, versions
from portal.assessments.models import Domain, Question, Questionnaire
from portal.assessments.tests.plans import PLAN
from portal.assessments.xlsform.writing import write

FIELDS = {
    "text": "¿Tiene coche?",
    "kind": "select_one",
    "choices": "si = Sí\nNo tiene\nLo comparte",
    "prompt": "¿Tiene manera de moverse?",
    "hint": "",
    "examples": "¿Conduce usted?\nTengo un coche viejo.",
    "cues": "coche\n¿tiene coche*?",
    "relevant": "${personas} > 0",
}


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.coordinator)


@pytest.fixture
def draft(cast: Cast) -> Questionnaire:
    return versions.start_draft(team=cast.team, employee=cast.coordinator, plan=PLAN)


def order(draft: Questionnaire) -> list[tuple[str, str]]:
    return [(q.domain.slug, q.slug) for q in queries.all_of(draft)]


def question(slug: str) -> Question:
    return Question.objects.get(slug=slug, domain__questionnaire__published_at=None)


def problems(response: HttpResponse) -> str:
    assert response.status_code == 422
    return response.content.decode()


def seen(client: Client, address: str) -> str:
    """What a dialog sends of the part that it shows."""
    (found,) = re.findall('name="seen" value="([^"]+)"', client.get(address).content.decode())
    return found


def test_from_what_is_in_use_to_a_published_version(cast: Cast, client: Client) -> None:
    page = client.get("/cuestionarios/").content.decode()
    assert "Acogida y valoración" in page
    assert "Preparar una versión nueva" in page
    started = client.post(f"/cuestionarios/equipo/{cast.team.pk}/borrador/")
    draft = Questionnaire.objects.get(team=cast.team)
    assert started["Location"] == f"/cuestionarios/{draft.pk}/"
    assert client.get(started["Location"]).content.decode().count('id="pregunta-') == 16
    client.post(f"/cuestionarios/{draft.pk}/nombre/", {"name": "Acogida de Centro"})
    client.post(f"/cuestionarios/{draft.pk}/publicar/")
    assert queries.in_use(cast.team.pk) == draft
    page = client.get("/cuestionarios/").content.decode()
    assert "Acogida de Centro" in page
    assert "Versiones publicadas" in page
    # As it is published it is read and taken away, and no more.
    assert client.get(f"/cuestionarios/{draft.pk}/").status_code == 200
    assert client.get(f"/cuestionarios/{draft.pk}/nombre/").status_code == 404


def test_a_new_question_gets_a_name_and_its_options_too(
    client: Client, draft: Questionnaire
) -> None:
    home = draft.domains.get(slug="hogar")
    response = client.post(
        f"/cuestionarios/ambitos/{home.pk}/preguntas/", {**FIELDS, "domain": home.pk}
    )
    made = question("tiene_coche")
    assert response["Location"].endswith(f"#pregunta-{made.pk}")
    assert order(draft)[4] == ("hogar", "tiene_coche")
    assert [choice["name"] for choice in made.choices] == ["si", "no_tiene", "lo_comparte"]
    assert (made.cues, made.relevant) == (["coche", "¿tiene coche*?"], "${personas} > 0")
    assert blueprint.check(blueprint.of(draft)) == []


def test_an_option_that_keeps_its_text_keeps_its_name_and_translation(
    client: Client, draft: Questionnaire
) -> None:
    home = question("vivienda")
    shown = client.get(f"/cuestionarios/preguntas/{home.pk}/").content.decode()
    assert "compartido = Piso compartido" in shown
    address = f"/cuestionarios/preguntas/{home.pk}/"
    fields = {"relevant": "", "domain": home.domain_id, "seen": seen(client, address)}
    client.post(address, {**FIELDS, **fields, "choices": "Piso compartido\nAlbergue"})
    home.refresh_from_db()
    assert [choice["name"] for choice in home.choices] == ["compartido", "albergue"]
    assert home.slug == "vivienda"
    assert home.translations["en"]["choices"] == {"compartido": "Shared flat"}
    assert home.translations["en"]["text"] == "Where do you live?"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"choices": ""}, "Faltan las opciones"),
        ({"relevant": "${ayudas} = 1"}, "ayudas"),
        ({"relevant": "x"}, "condición"),
        ({"cues": "~~~"}, "~~~"),
        ({"kind": "foto"}, "foto"),
        ({"text": ""}, "obligatorio"),
    ],
)
def test_what_would_not_work_comes_back_as_it_was_written(
    client: Client, draft: Questionnaire, change: dict[str, str], text: str
) -> None:
    home = draft.domains.get(slug="hogar")
    fields = {**FIELDS, "domain": home.pk, **change}
    shown = problems(client.post(f"/cuestionarios/ambitos/{home.pk}/preguntas/", fields))
    assert text in shown
    assert "Tengo un coche viejo." in shown
    assert not Question.objects.filter(slug="tiene_coche").exists()


def test_a_domain_is_added_changed_moved_and_deleted(client: Client, draft: Questionnaire) -> None:
    fields = {"name": "Salud y ánimo", "colour": "teal", "icon": "heart-pulse"}
    client.post(f"/cuestionarios/{draft.pk}/ambitos/", fields)
    made = draft.domains.get(slug="salud_y_animo")
    address = f"/cuestionarios/ambitos/{made.pk}/"
    client.post(address, {**fields, "name": "Salud", "seen": seen(client, address)})
    client.post(f"/cuestionarios/ambitos/{made.pk}/mover/", {"to": "subir"})
    assert [d.name for d in draft.domains.all()] == ["Hogar", "Salud", "Ayuda"]
    client.post(f"/cuestionarios/ambitos/{made.pk}/borrar/")
    assert [d.name for d in draft.domains.all()] == ["Hogar", "Ayuda"]


def test_who_saves_a_question_second_sees_what_the_first_wrote_and_overwrites_nothing(
    client: Client, draft: Questionnaire
) -> None:
    home = question("vivienda")
    address = f"/cuestionarios/preguntas/{home.pk}/"
    fields = {**FIELDS, "choices": "si = Sí\nno = No", "relevant": "", "domain": home.domain_id}
    fields["seen"] = seen(client, address)
    first = {**fields, "text": "¿Dónde vive ahora?", "required": "on"}
    assert client.post(address, first).status_code == 302
    assert client.post(address, first).status_code == 302, "the answer was lost: sent again"
    second = {**fields, "text": "¿Dónde duerme?"}
    shown = problems(client.post(address, second))
    assert "No se ha sobrescrito nada" in shown
    newer = shown[shown.index("part-newer") : shown.index("</dl>")]
    assert re.findall("<dt>(.+)</dt>", newer) == ["Texto de la pregunta", "Obligatoria"]
    assert re.findall(r"<dd>\s+(.+)\s+</dd>", newer) == ["¿Dónde vive ahora?", "Sí"]
    assert "¿Dónde duerme?</textarea>" in shown
    home.refresh_from_db()
    assert home.text == "¿Dónde vive ahora?"
    # Having seen it they may save theirs.
    (now,) = re.findall('name="seen" value="([^"]+)"', shown)
    assert client.post(address, {**second, "seen": now}).status_code == 302
    home.refresh_from_db()
    assert home.text == "¿Dónde duerme?"


def test_the_same_of_a_domain(client: Client, draft: Questionnaire) -> None:
    home = draft.domains.get(slug="hogar")
    address = f"/cuestionarios/ambitos/{home.pk}/"
    fields = {"colour": home.colour, "icon": home.icon, "seen": seen(client, address)}
    client.post(address, {**fields, "name": "Casa"})
    shown = problems(client.post(address, {**fields, "name": "Vivienda", "colour": "teal"}))
    assert "No se ha sobrescrito nada" in shown
    assert "Casa" in shown
    home.refresh_from_db()
    assert home.name == "Casa"


def test_what_another_has_moved_is_as_it_was_seen(client: Client, draft: Questionnaire) -> None:
    home = question("vivienda")
    address = f"/cuestionarios/preguntas/{home.pk}/"
    before = seen(client, address)
    editing.move_question(question=question("personas"), by=editing.UP)
    editing.move_domain(domain=draft.domains.get(slug="hogar"), by=editing.DOWN)
    fields = {**FIELDS, "relevant": "", "domain": home.domain_id, "seen": before}
    assert client.post(address, fields).status_code == 302


def test_what_another_deletes_meanwhile_is_not_written_again(draft: Questionnaire) -> None:
    home = question("vivienda")
    before, planned = editing.version_of(home), blueprint.of_question(home)
    editing.remove(part=question("vivienda"))
    with pytest.raises(ValidationError, match="borrado"):
        editing.save_question(domain=home.domain, question=home, seen=before, planned=planned)
    assert not draft.domains.filter(questions__slug="vivienda").exists()


def test_a_question_goes_up_and_down_past_its_domain(client: Client, draft: Questionnaire) -> None:
    number = question("personas")
    client.post(f"/cuestionarios/preguntas/{number.pk}/mover/", {"to": "bajar"})
    assert ("ayuda", "personas") in order(draft)
    assert order(draft)[3] == ("ayuda", "personas")
    client.post(f"/cuestionarios/preguntas/{number.pk}/mover/", {"to": "subir"})
    client.post(f"/cuestionarios/preguntas/{number.pk}/mover/", {"to": "subir"})
    assert [slug for _domain, slug in order(draft)][2:4] == ["personas", "alquiler"]
    assert (
        client.post(f"/cuestionarios/preguntas/{number.pk}/mover/", {"to": "x"}).status_code == 400
    )


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None
)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=6))
def test_moving_loses_nothing(draft: Questionnaire, moves: list[tuple[int, bool]]) -> None:
    slugs = {slug for _domain, slug in order(draft)}
    for number, up in moves:
        before = [slug for _domain, slug in order(draft)]
        moved = queries.all_of(draft)[number]
        editing.move_question(question=moved, by=editing.UP if up else editing.DOWN)
        after = [slug for _domain, slug in order(draft)]
        assert set(after) == slugs
        assert abs(after.index(moved.slug) - before.index(moved.slug)) <= 1
    versions.start_draft(team=draft.team, employee=draft.created_by, plan=PLAN)


def test_what_breaks_a_later_condition_keeps_it_from_being_published(
    cast: Cast, client: Client, draft: Questionnaire
) -> None:
    client.post(f"/cuestionarios/preguntas/{question('vivienda').pk}/borrar/")
    page = client.get(f"/cuestionarios/{draft.pk}/").content.decode()
    assert "Antes de publicar hay que arreglar esto" in page
    assert f'href="#pregunta-{question("alquiler").pk}"' in page
    client.post(f"/cuestionarios/{draft.pk}/publicar/")
    draft.refresh_from_db()
    assert draft.published_at is None


def test_a_file_comes_in_as_a_draft_and_goes_out_again(cast: Cast, client: Client) -> None:
    address = f"/cuestionarios/equipo/{cast.team.pk}/importar/"
    content = write(PLAN, version=1)
    response = client.post(address, {"file": SimpleUploadedFile("f.xlsx", content)})
    draft = Questionnaire.objects.get(team=cast.team)
    assert response["Location"] == f"/cuestionarios/{draft.pk}/"
    assert blueprint.of(draft) == PLAN
    taken = client.get(f"/cuestionarios/{draft.pk}/xlsform/")
    assert taken["Content-Disposition"] == 'attachment; filename="hogar-v1.xlsx"'
    again = client.post(address, {"file": SimpleUploadedFile("g.xlsx", taken.content)})
    assert again.status_code == 302
    assert blueprint.of(Questionnaire.objects.get(team=cast.team)) == PLAN


def test_a_file_that_is_none_changes_nothing(
    cast: Cast, client: Client, draft: Questionnaire
) -> None:
    address = f"/cuestionarios/equipo/{cast.team.pk}/importar/"
    shown = problems(client.post(address, {"file": SimpleUploadedFile("f.xlsx", b"hola")}))
    assert "No se ha importado nada" in shown
    assert problems(client.post(address, {}))
    assert blueprint.of(draft) == PLAN


def test_names_are_made_of_words_and_never_twice() -> None:
    assert editing.free_name("¿Tiene usted coche?", set(), longest=40) == "tiene_usted_coche"
    assert editing.free_name("¿Tiene?", {"tiene"}, longest=40) == "tiene_2"
    assert editing.free_name("3 hijos", set(), longest=40) == "p_3_hijos"
    assert editing.free_name("…", set(), longest=40) == "p"
    taken: set[str] = set()
    for _number in range(12):
        name = editing.free_name("x" * 60, taken, longest=40)
        assert len(name) <= 40
        assert blueprint.NAME.fullmatch(name)
        taken.add(name)
    assert len(taken) == 12


def test_who_coordinates_nothing_is_told_whom_to_ask(cast: Cast) -> None:
    page = cast.client(cast.owner).get("/cuestionarios/").content.decode()
    assert "hable con esa persona" in page
    assert 'href="/cuestionarios/"' not in page
    assert Domain.objects.count() == 7
