"""The ficha: its proof, and writing in it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from conftest import Cast
from portal.assessments.models import Answer, Sheet
from portal.conversations.models import Conversation
from portal.participants.models import Consent, Participant
from tests.browser.conftest import accessible_everywhere, axe, sign_in
from tests.browser.scene import Shoot, moved_talk, ready_talk


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    return ready_talk(consent, cast)


def sheet_page(page: Page, talk: Conversation) -> None:
    page.goto(f"/personas/{talk.participant_id}/ficha/")


def answer(slug: str) -> Answer:
    return Sheet.objects.get().answers.get(question__slug=slug)


def test_the_ficha_shows_its_proof(page: Page, talk: Conversation, shoot: Shoot) -> None:
    sheet_page(page, talk)
    accessible_everywhere(page)
    shoot(page, "ficha")
    home = page.get_by_role("article", name=re.compile("empadronado"))
    expect(home).to_contain_text("«calle Olmo»")
    home.get_by_role("button", name="Escuchar desde 0:05").click()
    expect(page.get_by_role("region", name="Reproductor")).to_be_visible()
    home.get_by_role("link", name="Fátima Belkacem, 0:05").click()
    expect(page).to_have_url(re.compile(f"/conversaciones/{talk.pk}/#turno-1$"))


def test_an_answer_is_written_with_the_keyboard_alone(
    page: Page, talk: Conversation, shoot: Shoot
) -> None:
    sheet_page(page, talk)
    first = page.get_by_role("article").first
    button = first.get_by_role("button", name=re.compile("Editar: ¿Tiene usted la nacionalidad"))
    page.locator("#main").focus()
    for _ in range(20):
        if button.evaluate("b => b === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("e")
    field = first.get_by_role("textbox", name=re.compile("nacionalidad"))
    expect(field).to_be_focused()
    accessible_everywhere(page)
    shoot(page, "ficha-editar")
    page.keyboard.type("No, tiene")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("residencia")
    page.keyboard.press("Enter")
    expect(page.get_by_role("article").nth(1)).to_be_focused()
    expect(first).to_contain_text("Escrita por Ana Robles")
    expect(page.get_by_text("2 de 16")).to_be_visible()
    assert answer("nacionalidad").value.splitlines() == ["No, tiene", "residencia"]
    button.focus()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.type(" y algo más")
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    assert answer("nacionalidad").value.splitlines() == ["No, tiene", "residencia"]
    axe(page)


def test_the_state_is_changed_with_the_keyboard(page: Page, talk: Conversation) -> None:
    sheet_page(page, talk)
    first = page.get_by_role("article").first
    state = first.get_by_role("button", name="Sin preguntar")
    state.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    changed = first.get_by_role("button", name="Prefirió no contestar")
    expect(changed).to_be_focused()
    assert answer("nacionalidad").state == "declined"


def test_taking_an_answer_away_is_asked_first(page: Page, talk: Conversation) -> None:
    sheet_page(page, talk)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    home = page.get_by_role("article", name=re.compile("empadronado"))
    home.get_by_role("button", name="Respondida").click()
    home.get_by_role("button", name="Sin preguntar").click()
    assert asked == ["Se quitará la respuesta escrita: «Sí, en Olmo». ¿Seguimos?"]
    assert answer("empadronamiento").value == "Sí, en Olmo"


def test_a_save_that_fails_keeps_what_was_written(
    page: Page, talk: Conversation, problems: list[str]
) -> None:
    sheet_page(page, talk)
    first = page.get_by_role("article").first
    first.get_by_role("button", name=re.compile("^Escribir la respuesta")).click()
    field = first.get_by_role("textbox")
    expect(field).to_be_focused()
    page.route("**/respuestas/**", lambda route: route.abort("connectionreset"))
    page.keyboard.type("No, tiene residencia")
    page.keyboard.press("Enter")
    expect(first.get_by_role("alert")).to_contain_text("Lo que ha escrito sigue aquí")
    expect(field).to_have_value("No, tiene residencia")
    expect(field).to_be_focused()
    page.unroute("**/respuestas/**")
    page.keyboard.press("Enter")
    expect(first).to_contain_text("Escrita por Ana Robles")
    assert answer("nacionalidad").value == "No, tiene residencia"
    problems.clear()


def test_a_ficha_is_reviewed_with_the_keyboard_alone(
    page: Page, talk: Conversation, cast: Cast, shoot: Shoot
) -> None:
    moved_talk(talk, cast)
    sheet_page(page, talk)
    page.get_by_text("Con el teclado").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("rechazar la propuesta")).to_be_visible()
    accessible_everywhere(page)
    shoot(page, "ficha-revisar")
    first, home, studies = (page.get_by_role("article").nth(n) for n in range(3))
    first.focus()
    page.keyboard.press("a")
    expect(home).to_be_focused()
    expect(first).to_contain_text("Aceptada por Ana Robles")
    expect(page.locator("#sheet-summary")).to_contain_text("1 revisada")
    shoot(page, "ficha-sugerencia")
    home.get_by_role("button", name="Cambiar por esta").focus()
    page.keyboard.press("Enter")
    expect(studies).to_be_focused()
    expect(home).to_contain_text("Sí, en Lugo")
    home.get_by_role("link", name="Historia").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Sugerencia aceptada")
    expect(dialog).to_contain_text("«calle Olmo»")
    axe(page)
    shoot(page, "ficha-historia")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    income = page.get_by_role("article", name=re.compile("ingresos"))
    income.get_by_role("button", name="Rechazar").focus()
    page.keyboard.press("r")
    expect(income).to_be_focused()
    expect(income).to_contain_text("Escribir la respuesta")
    page.keyboard.press("Enter")
    expect(income.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("Nada ahora, a ratos cuidar")  # letters that are keys elsewhere
    page.keyboard.press("Enter")
    expect(income).to_contain_text("Escrita por Ana Robles")
    assert answer("nacionalidad").is_reviewed
    assert answer("empadronamiento").value == "Sí, en Lugo"
    assert answer("ingresos").value == "Nada ahora, a ratos cuidar"


def test_what_an_interview_changed_is_seen_and_a_domain_accepted(
    page: Page, talk: Conversation, cast: Cast, shoot: Shoot
) -> None:
    moved_talk(talk, cast)
    sheet_page(page, talk)
    personal = page.get_by_role("region", name="Personal")
    personal.get_by_role("button", name="Aceptar las 2 propuestas").click()
    expect(personal).to_contain_text("2 revisadas")
    expect(page.get_by_role("article").nth(2)).to_be_focused()
    expect(personal.get_by_role("button", name=re.compile("^Aceptar"))).to_have_count(0)
    personal.get_by_role("button", name="Dejar la que hay").click()
    expect(personal.get_by_text("Sugerencia:")).to_have_count(0)
    page.get_by_role("link", name="Ver los cambios").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("De una entrevista a otra")
    expect(page.get_by_role("listitem").filter(has_text="Se ha mudado")).to_contain_text(
        "Todavía no"
    )
    accessible_everywhere(page)
    shoot(page, "ficha-cambios")


def test_a_ficha_is_reviewed_without_scripts(
    browser: Browser, live_server: object, talk: Conversation, cast: Cast
) -> None:
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    sign_in(context, cast.owner, str(live_server))
    page = context.new_page()
    sheet_page(page, talk)
    home = page.get_by_role("article", name=re.compile("empadronado"))
    home.get_by_role("button", name=re.compile("Editar")).click()
    page.get_by_role("textbox", name=re.compile("empadronado")).fill("Sí, en Roble")
    page.get_by_role("button", name="Guardar").click()
    expect(home).to_contain_text("Escrita por Ana Robles")
    income = page.get_by_role("article", name=re.compile("ingresos"))
    income.get_by_role("button", name="Aceptar").click()
    expect(income).to_contain_text("Aceptada por Ana Robles")
    income.get_by_role("link", name="Historia").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Historia de la respuesta")
    page.get_by_role("link", name="Volver a la ficha").click()
    expect(income).to_be_visible()
    context.close()


def test_a_ficha_without_conversations_teaches(page: Page, participant: Participant) -> None:
    page.goto(f"/personas/{participant.pk}/ficha/")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("La ficha empieza"))
    accessible_everywhere(page)
