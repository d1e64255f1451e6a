"""A coordinator makes the team's questionnaire, and the ficha that comes of it is filled in."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from conftest import Cast
from portal.assessments import queries, versions
from portal.assessments.models import Questionnaire
from portal.assessments.tests.plans import PLAN
from portal.assessments.xlsform.writing import write
from portal.conversations.models import Conversation
from portal.participants.models import Consent
from tests.browser.conftest import accessible_everywhere, axe
from tests.browser.scene import Shoot, ready_talk


@pytest.fixture
def coordinator(cast: Cast) -> Cast:
    """Whoever is signed in coordinates the team."""
    cast.owner.memberships.update(role="coordinator")
    return cast


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    return ready_talk(consent, cast)


def test_from_the_default_to_a_version_of_ones_own(
    coordinator: Cast, page: Page, shoot: Shoot
) -> None:
    page.goto("/cuestionarios/")
    shoot(page, "cuestionarios")
    accessible_everywhere(page)
    page.get_by_role("button", name="Preparar una versión nueva").click()
    expect(page.locator(".editor-question")).to_have_count(16)
    page.get_by_role("link", name="Añadir una pregunta a Laboral").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Texto de la pregunta").fill("¿Tiene coche?")
    expect(dialog.get_by_label("Opciones")).to_be_hidden()
    dialog.get_by_label("Se responde con").select_option("select_one")
    shoot(page, "pregunta")
    axe(page)
    # What is not right comes back in the dialog, as it was written.
    dialog.get_by_role("button", name="Guardar").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Faltan las opciones")
    dialog.get_by_label("Opciones").fill("Sí\nNo")
    dialog.get_by_role("button", name="Guardar").click()
    made = page.locator(".editor-question", has_text="¿Tiene coche?")
    expect(made).to_be_focused()
    expect(made.locator("code").first).to_have_text("tiene_coche")
    with page.expect_response("**/mover/"):
        made.get_by_role("button", name="Subir: ¿Tiene coche?").click()
    expect(made).to_be_focused()
    names = page.locator(".editor-question code:first-of-type")
    expect(names.nth(7)).to_have_text("tiene_coche")
    shoot(page, "borrador")
    accessible_everywhere(page)
    page.once("dialog", lambda asked: asked.accept())
    made.get_by_role("button", name="Borrar: ¿Tiene coche?").click()
    expect(page.locator(".editor-question")).to_have_count(16)
    page.once("dialog", lambda asked: asked.accept())
    page.get_by_role("button", name="Publicar").click()
    expect(page.get_by_text("Publicado: las fichas nuevas lo usan desde ahora.")).to_be_visible()
    assert queries.in_use(coordinator.team.pk).team == coordinator.team


def test_a_file_is_imported_mended_and_taken_away(
    coordinator: Cast, page: Page, shoot: Shoot, tmp_path: Path
) -> None:
    good, bad = tmp_path / "hogar.xlsx", tmp_path / "mal.xlsx"
    good.write_bytes(write(PLAN, version=1))
    bad.write_bytes(b"nada")
    page.goto("/cuestionarios/")
    page.get_by_role("link", name="Importar XLSForm").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Fichero XLSForm").set_input_files(bad)
    dialog.get_by_role("button", name="Importar").click()
    expect(dialog.get_by_role("alert")).to_contain_text("No se ha importado nada")
    shoot(page, "importar")
    axe(page)
    dialog.get_by_label("Fichero XLSForm").set_input_files(good)
    dialog.get_by_role("button", name="Importar").click()
    expect(page.get_by_role("heading", name="Hogar y ayuda")).to_be_visible()
    shoot(page, "importado")
    with page.expect_download() as waited:
        page.get_by_role("link", name="Descargar XLSForm").click()
    assert waited.value.suggested_filename == "hogar-v1.xlsx"
    assert Questionnaire.objects.get(team=coordinator.team).published_at is None


def test_a_ficha_with_kinds_and_conditions_by_keyboard(
    cast: Cast, page: Page, talk: Conversation, shoot: Shoot
) -> None:
    page.goto(f"/personas/{talk.participant_id}/ficha/")
    draft = versions.start_draft(team=cast.team, employee=cast.coordinator, plan=PLAN)
    versions.publish(draft=draft)
    page.reload()
    shoot(page, "version-nueva")
    axe(page)
    page.get_by_role("button", name="Pasar la ficha a esa versión").click()
    home = page.locator("article", has_text="¿Dónde vive?")
    rent = page.locator("article", has_text="¿Cuánto paga?")
    expect(rent).to_be_visible()
    home.locator("[data-edit]").focus()
    page.keyboard.press("Enter")
    expect(home.get_by_label("Piso", exact=True)).to_be_focused()
    shoot(page, "opciones")
    axe(page)
    home.get_by_label("En la calle").check()
    page.keyboard.press("Enter")
    # Nobody in the street is asked for the rent.
    expect(rent).to_have_count(0)
    expect(home).to_contain_text("En la calle")
    people = page.locator("article", has_text="¿Cuántas personas son?")
    people.locator("[data-edit]").click()
    expect(people.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("dos o tres")
    page.keyboard.press("Enter")
    expect(people.get_by_role("alert")).to_contain_text("sin decimales")
    expect(people.get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("dos")
    page.keyboard.press("Enter")
    expect(people.locator(".answer-text")).to_have_text("2")
    expect(page.locator("article", has_text="¿Qué ayudas recibe?")).to_be_visible()
    shoot(page, "ficha-propia")
    accessible_everywhere(page)
