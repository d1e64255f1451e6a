"""Correcting a transcript in its page: with mouse and keyboard, against cuts and colleagues."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from conftest import Cast
from portal.conversations.models import Conversation, Speaker, Turn
from portal.corrections import editing
from portal.corrections.models import Edit
from portal.participants.models import Consent
from tests.browser.chromium import DESKTOP
from tests.browser.conftest import accessible_everywhere, axe, sign_in
from tests.browser.scene import LINES, Shoot, ready_talk


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    return ready_talk(consent, cast)


@pytest.fixture
def bruno(browser: Browser, cast: Cast, live_server: object) -> Iterator[Page]:
    """The same page in a colleague's browser."""
    context = browser.new_context(
        base_url=str(live_server), viewport=DESKTOP, locale="es-ES", reduced_motion="reduce"
    )
    sign_in(context, cast.teammate, str(live_server))
    yield context.new_page()
    context.close()


def open_talk(page: Page, talk: Conversation) -> None:
    page.goto(f"/conversaciones/{talk.pk}/")


def turn(page: Page, position: int) -> Locator:
    return page.locator(f"#turno-{position}")


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Texto de la intervención")


def edit(page: Page, position: int) -> Locator:
    turn(page, position).hover()
    turn(page, position).get_by_role("button", name="Corregir el texto").click()
    expect(field(page)).to_be_focused()
    return field(page)


def choose(page: Page, position: int, item: str) -> None:
    turn(page, position).hover()
    turn(page, position).get_by_role("button", name="Más correcciones").click()
    turn(page, position).get_by_role("button", name=item, exact=True).click()


def said(position: int) -> str:
    return Turn.objects.get(position=position).text


# Text


def test_a_text_is_corrected_in_its_place(page: Page, talk: Conversation, shoot: Shoot) -> None:
    open_talk(page, talk)
    accessible_everywhere(page)
    editor = edit(page, 1)
    expect(editor).to_have_value(LINES[1][1])
    accessible_everywhere(page)
    shoot(page, "corregir")
    editor.fill("Sí, en la calle Álamo, desde marzo, con mi prima.")
    page.keyboard.press("Enter")
    expect(editor).to_have_count(0)
    expect(turn(page, 1).locator(".turn-text")).to_have_text(
        "Sí, en la calle Álamo, desde marzo, con mi prima."
    )
    expect(turn(page, 1).locator(".turn-time")).to_be_focused()
    expect(page.get_by_role("button", name="Volver a analizar")).to_be_visible()
    assert said(1).startswith("Sí, en la calle Álamo")
    accessible_everywhere(page)
    shoot(page, "corregida")
    # Its words are heard like any other.
    turn(page, 1).locator("[data-w]").nth(3).click()
    expect(page.get_by_role("region", name="Reproductor")).to_be_visible()


def test_it_is_done_with_the_keyboard_alone(page: Page, talk: Conversation) -> None:
    open_talk(page, talk)
    turn(page, 0).locator(".turn-time").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("e")
    expect(field(page)).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type(" Y un gato.")
    page.keyboard.press("Alt+ArrowDown")
    expect(field(page)).to_have_value(LINES[2][1])
    assert said(1).endswith("con mi prima. Y un gato.")
    page.keyboard.press("Alt+ArrowUp")
    expect(field(page)).to_have_value(re.compile("Y un gato"))
    page.keyboard.press("Escape")
    expect(turn(page, 1).locator(".turn-time")).to_be_focused()
    # The menu, from there: Tab to the pencil, to the menu, and down to "join".
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Más correcciones")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Unir con la siguiente")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-turn]")).to_have_count(len(LINES) - 1)
    expect(turn(page, 1).locator(".turn-time")).to_be_focused()
    assert said(1).endswith("Perdone, ¿puedo cerrar la puerta?")


def test_nothing_that_is_written_is_lost(page: Page, talk: Conversation, shoot: Shoot) -> None:
    open_talk(page, talk)
    edit(page, 1).fill("Sin terminar")
    # A stray click, and one on another turn's word.
    page.locator("h1").click()
    turn(page, 3).locator("[data-w]").first.click()
    expect(field(page)).to_have_value("Sin terminar")
    field(page).press("Escape")
    kept = turn(page, 1).get_by_role("button", name="Cambio sin guardar")
    expect(kept).to_be_visible()
    expect(turn(page, 1).locator(".turn-text")).to_have_text(LINES[1][1])
    accessible_everywhere(page)
    # Another page and back, and a reload.
    page.locator(".back-link").click()
    page.wait_for_url(re.compile("/personas/"))
    expect(page.get_by_role("article")).to_be_visible()
    page.go_back()
    page.reload()
    kept.click()
    expect(field(page)).to_have_value("Sin terminar")
    expect(page.get_by_text("Hemos recuperado lo que escribió")).to_be_visible()
    accessible_everywhere(page)
    shoot(page, "corregir-borrador")
    page.get_by_role("button", name="Volver al texto guardado").click()
    expect(field(page)).to_have_value(LINES[1][1])
    page.keyboard.press("Escape")
    expect(kept).to_have_count(0)
    assert not Edit.objects.exists()


def test_a_save_that_fails_is_tried_until_it_is_through(
    page: Page, talk: Conversation, problems: list[str], shoot: Shoot
) -> None:
    open_talk(page, talk)
    editor = edit(page, 1)
    page.route("**/texto/", lambda route: route.abort("connectionreset"))
    editor.fill("Con la red cortada")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(turn(page, 1).get_by_role("alert")).to_contain_text("Lo que ha escrito sigue aquí")
    accessible_everywhere(page)
    shoot(page, "corregir-sin-red")
    expect(editor).to_be_focused()
    caret = editor.evaluate("f => f.selectionStart")
    assert caret == len("Con la red cortada") - 1
    page.keyboard.type("d")
    page.unroute("**/texto/")
    expect(editor).to_have_count(0)
    assert said(1) == "Con la red cortadda"
    problems.clear()


def test_an_answer_that_is_lost_makes_no_second_change(
    page: Page, talk: Conversation, problems: list[str]
) -> None:
    open_talk(page, talk)
    editor = edit(page, 1)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    page.route("**/texto/", lose, times=1)
    editor.fill("Llegó, pero no volvió")
    page.keyboard.press("Enter")
    expect(editor).to_have_count(0)
    expect(turn(page, 1).locator(".turn-text")).to_have_text("Llegó, pero no volvió")
    assert Edit.objects.count() == 1
    problems.clear()


def test_an_empty_text_takes_the_turn_away_and_back(page: Page, talk: Conversation) -> None:
    open_talk(page, talk)
    edit(page, 2).fill("")
    page.keyboard.press("Enter")
    expect(page.locator("[data-turn]")).to_have_count(len(LINES) - 1)
    expect(page.get_by_text("Intervención quitada")).to_be_visible()
    page.get_by_role("button", name="Deshacer el último cambio").click()
    expect(page.locator("[data-turn]")).to_have_count(len(LINES))
    expect(turn(page, 2).locator(".turn-text")).to_have_text(LINES[2][1])


# Where turns end, and who speaks


def test_a_turn_is_divided_where_the_cursor_is(
    page: Page, talk: Conversation, shoot: Shoot
) -> None:
    open_talk(page, talk)
    choose(page, 1, "Dividir en dos")
    expect(page.get_by_role("alert")).to_contain_text("Ponga el cursor")
    at = LINES[1][1].index("desde")
    field(page).evaluate("(f, at) => f.setSelectionRange(at, at)", at)
    page.get_by_role("button", name="Dividir aquí").click()
    accessible_everywhere(page)
    shoot(page, "corregir-dividir")
    turn(page, 1).get_by_role("button", name="Ana Robles").click()
    expect(page.locator("[data-turn]")).to_have_count(len(LINES) + 1)
    expect(turn(page, 2).locator(".turn-text")).to_have_text("desde marzo, con mi prima.")
    expect(turn(page, 2)).to_have_class(re.compile("role-empleado"))
    expect(turn(page, 2).locator(".turn-time")).to_be_focused()
    assert [said(n) for n in (1, 2)] == ["Sí, en la calle Olmo,", "desde marzo, con mi prima."]
    choose(page, 2, "Deshacer su último cambio")
    expect(page.locator("[data-turn]")).to_have_count(len(LINES))


def test_what_was_changed_is_saved_before_it_is_divided(page: Page, talk: Conversation) -> None:
    open_talk(page, talk)
    edit(page, 1).fill("Uno. 🙂 Dos.")
    field(page).evaluate("f => f.setSelectionRange(8, 8)")
    page.get_by_role("button", name="Dividir aquí").click()
    turn(page, 1).get_by_role("button", name="Fátima Belkacem").click()
    expect(page.locator("[data-turn]")).to_have_count(len(LINES) + 1)
    assert [said(n) for n in (1, 2)] == ["Uno. 🙂", "Dos."]


def test_a_turn_is_given_to_somebody_else(page: Page, talk: Conversation, shoot: Shoot) -> None:
    open_talk(page, talk)
    turn(page, 1).hover()
    turn(page, 1).get_by_role("button", name="Más correcciones").click()
    accessible_everywhere(page)
    shoot(page, "corregir-menu")
    turn(page, 1).get_by_role("button", name="Ana Robles").click()
    expect(turn(page, 1)).to_have_class(re.compile("role-empleado"))
    choose(page, 1, "Otra persona…")
    dialog = page.get_by_role("dialog", name="Añadir otra voz")
    dialog.get_by_label("Nombre").fill("Intérprete")
    axe(page)
    shoot(page, "corregir-otra-voz")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(turn(page, 1).locator(".turn-speaker")).to_have_text("Intérprete")
    expect(page.locator("#legend")).to_contain_text("Intérprete")
    assert Turn.objects.get(position=1).speaker.role == "otro"


def test_voices_are_named_and_exchanged(page: Page, talk: Conversation, shoot: Shoot) -> None:
    open_talk(page, talk)
    page.get_by_role("link", name="Corregir quién habla").click()
    dialog = page.get_by_role("dialog", name="Quién habla")
    dialog.get_by_label("Nombre").nth(2).fill("Su hermana")
    accessible_everywhere(page)
    shoot(page, "voces")
    dialog.get_by_role("button", name="Guardar").click()
    expect(dialog).to_be_hidden()
    expect(turn(page, 2).locator(".turn-speaker")).to_have_text("Su hermana")
    page.get_by_role("link", name="Corregir quién habla").click()
    dialog.get_by_role("button", name="Intercambiar las dos voces").click()
    expect(dialog).to_be_hidden()
    expect(turn(page, 0)).to_have_class(re.compile("role-usuario"))
    expect(turn(page, 1)).to_have_class(re.compile("role-empleado"))
    assert Speaker.objects.get(label="S1").role == "usuario"


def test_the_history_of_a_turn(page: Page, talk: Conversation, shoot: Shoot) -> None:
    open_talk(page, talk)
    edit(page, 1).fill("Otra cosa.")
    page.keyboard.press("Enter")
    expect(field(page)).to_have_count(0)
    choose(page, 1, "Ver sus cambios")
    dialog = page.get_by_role("dialog", name="Cambios de esta intervención")
    expect(dialog).to_contain_text(LINES[1][1])
    expect(dialog).to_contain_text("Ana Robles")
    accessible_everywhere(page)
    shoot(page, "historial")
    dialog.get_by_role("button", name="Deshacer este cambio").click()
    expect(dialog).to_be_hidden()
    expect(turn(page, 1).locator(".turn-text")).to_have_text(LINES[1][1])


# Two people at once


def test_two_people_correct_the_same_turn(
    page: Page, bruno: Page, talk: Conversation, problems: list[str], shoot: Shoot
) -> None:
    open_talk(page, talk)
    open_talk(bruno, talk)
    edit(page, 1).fill("Lo de Ana")
    edit(bruno, 1).fill("Lo de Bruno")
    bruno.keyboard.press("Enter")
    expect(field(bruno)).to_have_count(0)
    field(page).press("Enter")
    alert = turn(page, 1).get_by_role("alert")
    expect(alert).to_contain_text("Bruno Salas ha cambiado esta intervención")
    expect(alert).to_contain_text("Lo de Bruno")
    expect(field(page)).to_have_value("Lo de Ana")
    assert said(1) == "Lo de Bruno"
    accessible_everywhere(page)
    shoot(page, "corregir-a-la-vez")
    # Enter goes to the choice, it does not make it.
    page.keyboard.press("Enter")
    mine = page.get_by_role("button", name="Guardar el mío")
    expect(mine).to_be_focused()
    assert said(1) == "Lo de Bruno"
    page.keyboard.press("Enter")
    expect(field(page)).to_have_count(0)
    assert said(1) == "Lo de Ana"
    # Bruno's page learns of it when he comes back to it.
    bruno.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(turn(bruno, 1).locator(".turn-text")).to_have_text("Lo de Ana")
    problems.clear()


def test_a_colleague_s_text_is_taken(
    page: Page, talk: Conversation, cast: Cast, problems: list[str]
) -> None:
    open_talk(page, talk)
    edit(page, 1).fill("Lo de Ana")
    target = Turn.objects.get(position=1)
    who = {"conversation": talk, "employee": cast.teammate, "turn": target.pk, "seen": 0}
    editing.change_text(**who, text="Lo de Bruno")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Quedarme con ese texto").click()
    expect(field(page)).to_have_value("Lo de Bruno")
    page.keyboard.press("Escape")
    expect(turn(page, 1).locator(".turn-text")).to_have_text("Lo de Bruno")
    expect(turn(page, 1)).to_have_attribute("data-version", "1")
    assert Edit.objects.count() == 1
    problems.clear()


def test_what_was_written_goes_where_the_words_are_now(
    page: Page, talk: Conversation, cast: Cast, problems: list[str]
) -> None:
    open_talk(page, talk)
    edit(page, 2).fill("Lo de Ana")
    first, second = Turn.objects.filter(position__in=(1, 2)).order_by("position")
    editing.merge_turns(
        conversation=talk,
        employee=cast.teammate,
        turn=first.pk,
        seen=0,
        following=second.pk,
        following_seen=0,
    )
    page.keyboard.press("Enter")
    alert = turn(page, 1).get_by_role("alert")
    expect(alert).to_contain_text("Bruno Salas ha cambiado esta intervención")
    expect(alert).to_contain_text(f"{LINES[1][1]} {LINES[2][1]}")
    expect(field(page)).to_have_value("Lo de Ana")
    expect(page.locator("[data-turn]")).to_have_count(len(LINES) - 1)
    problems.clear()


# Title, and the analysis


def test_the_title_is_written_by_hand(page: Page, talk: Conversation, shoot: Shoot) -> None:
    open_talk(page, talk)
    page.get_by_role("link", name="Cambiar el título y la descripción").click()
    dialog = page.get_by_role("dialog", name="Título y descripción")
    dialog.get_by_label("título").fill("El padrón de Fátima")
    accessible_everywhere(page)
    shoot(page, "titulo")
    dialog.get_by_role("button", name="Guardar").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_contain_text("El padrón de Fátima")
    talk.refresh_from_db()
    assert talk.title == "El padrón de Fátima"


def test_it_is_analysed_again(page: Page, talk: Conversation, context: BrowserContext) -> None:
    open_talk(page, talk)
    edit(page, 1).fill("Otra cosa.")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Volver a analizar").click()
    bar = page.locator("#corrections-bar")
    expect(bar).to_contain_text("La estamos analizando otra vez")
    talk.refresh_from_db()
    assert talk.status == "processing"
    latest = Edit.objects.get()
    talk.steps.update(state="done", started_at=latest.made_at)
    Conversation.objects.update(status="ready", title="Título nuevo")
    expect(bar).to_contain_text("Analizada con las correcciones")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Título nuevo")
    axe(page)
