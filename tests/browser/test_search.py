"""Looking for something from wherever one is, by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from conftest import Cast
from portal.conversations.models import Conversation
from portal.participants.models import Consent, Participant
from portal.search import tasks
from tests.browser.conftest import accessible_everywhere
from tests.browser.scene import Shoot, person_page, ready_talk


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    return ready_talk(consent, cast)


def test_from_a_key_to_the_words_that_were_said(
    page: Page, participant: Participant, talk: Conversation
) -> None:
    person_page(page, participant)
    page.keyboard.press("Control+k")
    field = page.get_by_role("searchbox", name="Buscar", exact=True)
    expect(field).to_be_focused()
    accessible_everywhere(page)
    page.keyboard.type("empadronad olm")
    expect(page.get_by_text("No hemos encontrado nada")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("olmo calle")
    found = page.locator(".found")
    expect(found.get_by_role("heading")).to_have_text(["Conversaciones", "Lo que se dijo"])
    said = found.get_by_role("link", name=re.compile("^Fátima Belkacem: Sí, en la calle Olmo"))
    expect(said.locator("mark")).to_have_text(["calle", "Olmo"])
    expect(said).to_contain_text("minuto 0:05")
    accessible_everywhere(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(said).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/conversaciones/{talk.pk}/#turno-1$"))
    expect(page.locator("#turno-1")).to_be_in_viewport()
    expect(page.get_by_role("dialog")).to_be_hidden()
    playing = "() => document.querySelector('audio').currentTime >= 5"
    page.wait_for_function(playing)
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    page.keyboard.type("padrón dinero")
    expect(found.get_by_role("link")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/personas/{participant.pk}/.*#c-{talk.pk}$"))
    expect(page.locator(f"#c-{talk.pk}")).to_be_in_viewport()


def test_filters_and_a_search_that_does_not_answer(
    page: Page, participant: Participant, talk: Conversation, shoot: Shoot, problems: list[str]
) -> None:
    person_page(page, participant)
    page.get_by_role("link", name="Buscar", exact=True).click()
    page.get_by_role("searchbox", name="Buscar", exact=True).fill("olmo")
    found = page.locator(".found")
    expect(found.get_by_role("heading")).to_have_text(
        ["Conversaciones", "Lo que se dijo", "Respuestas de las fichas"]
    )
    shoot(page, "buscar")
    page.get_by_label("Solo de Fátima Belkacem").check()
    page.get_by_text("Filtros").click()
    page.get_by_label("Ámbito respondido").select_option("Salud")
    expect(page.get_by_text("Pruebe a quitar algún filtro")).to_be_visible()
    shoot(page, "buscar-filtros")
    accessible_everywhere(page)
    page.get_by_label("Ámbito respondido").select_option("Personal")
    expect(found.get_by_role("heading")).to_have_count(3)
    page.route("**/buscar/**", lambda route: route.abort())
    page.get_by_role("searchbox", name="Buscar", exact=True).fill("prima")
    expect(page.get_by_text("Ahora mismo no hay conexión")).to_be_visible()
    problems.clear()


def test_in_what_is_of_one_person_from_anywhere(
    page: Page, cast: Cast, talk: Conversation, shoot: Shoot
) -> None:
    other = Participant.objects.create(
        team=cast.team, name="Omar Olmo", email="omar@example.org", created_by=cast.owner
    )
    page.goto("/")
    page.keyboard.press("Control+k")
    field = page.get_by_role("searchbox", name="Buscar", exact=True)
    only = page.get_by_role("checkbox", name="Solo de Fátima Belkacem")
    headings = page.locator(".found").get_by_role("heading")
    expect(field).to_be_focused()
    expect(only).to_be_hidden()
    page.get_by_text("Filtros").click()
    page.get_by_label("Ámbito respondido").select_option("Personal")
    field.fill("fatima")
    link = page.get_by_role("link", name="Buscar solo en lo de Fátima Belkacem")
    expect(link).to_be_visible()
    shoot(page, "buscar-persona")
    accessible_everywhere(page)
    field.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    expect(only).to_be_checked()
    expect(page.get_by_label("Ámbito respondido")).to_have_value("personal")
    page.get_by_label("Ámbito respondido").select_option("Cualquiera")
    field.focus()
    page.keyboard.type("olmo")
    expect(headings).to_have_text(["Conversaciones", "Lo que se dijo", "Respuestas de las fichas"])
    shoot(page, "buscar-solo-de")
    accessible_everywhere(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(only).to_be_focused()
    page.keyboard.press("Space")
    expect(headings).to_have_count(4)
    expect(page.get_by_role("link", name=f"Buscar solo en lo de {other.name}")).to_be_visible()


def test_what_is_remembered_in_other_words(
    page: Page, participant: Participant, talk: Conversation, shoot: Shoot
) -> None:
    tasks.understand(timestamp=0)
    field = page.get_by_role("searchbox", name="Buscar", exact=True)
    switch = page.get_by_role("switch", name="Buscar por significado")
    found = page.locator(".found")
    said = found.get_by_role("link").first
    page.goto("/buscar/?q=no+quiere+contestar&significado=on")
    expect(switch).to_be_checked()
    expect(said).to_contain_text("De eso prefiero no hablar.")
    switch.uncheck()
    expect(page.get_by_text("No hemos encontrado nada")).to_be_visible()
    person_page(page, participant)
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    page.keyboard.press("Tab")
    expect(switch).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_text("Escriba con sus palabras")).to_be_visible()
    shoot(page, "buscar-significado-vacio")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("no quiere contestar")
    expect(said).to_contain_text("De eso prefiero no hablar.")
    expect(found.get_by_text("De lo más parecido a lo que ha escrito")).to_be_visible()
    shoot(page, "buscar-significado")
    accessible_everywhere(page)
    field.fill("xilófono cuántico")
    expect(page.get_by_text("Pruebe a decirlo de otra manera")).to_be_visible()
    field.fill("no quiere contestar")
    expect(said).to_be_visible()
    field.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/conversaciones/{talk.pk}/#turno-4$"))


def test_a_page_of_its_own(page: Page, talk: Conversation, shoot: Shoot) -> None:
    page.goto("/buscar/?q=olmo")
    expect(page.locator(".found").get_by_role("link")).to_have_count(3)
    shoot(page, "buscar-pagina")
    accessible_everywhere(page)
