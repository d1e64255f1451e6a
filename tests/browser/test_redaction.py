"""Striking words out on the transcript page: chosen, decided, and undone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from conftest import Cast
from portal.assessments import services as assessments
from portal.assessments.models import Answer
from portal.conversations import playback
from portal.conversations.models import Conversation, Turn
from portal.corrections.models import Redaction
from portal.corrections.striking import BLOCK
from portal.participants.models import Consent
from portal.speech import playback as speech
from tests.browser.conftest import accessible_everywhere, axe
from tests.browser.scene import AUDIO, LINES, Shoot, ready_talk


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    made = ready_talk(consent, cast)
    draft = playback.draft_path(made)
    playback.save(conversation=made, draft=draft, sound=speech.make(AUDIO, draft))
    return made


def open_talk(page: Page, talk: Conversation) -> None:
    page.goto(f"/conversaciones/{talk.pk}/")
    expect(page.get_by_role("button", name="Tachar…")).to_be_visible()


def text_of(position: int) -> str:
    return Turn.objects.get(position=position).text


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def select(page: Page, first: tuple[int, int], last: tuple[int, int]) -> None:
    """With the mouse, from the start of one word (turn, number) to the end of another."""
    boxes = [
        page.locator(f"#turno-{turn} [data-w]").nth(word).bounding_box()
        for turn, word in (first, last)
    ]
    begin, end = boxes
    assert begin and end
    page.mouse.move(begin["x"] + 1, begin["y"] + begin["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] - 1, end["y"] + end["height"] / 2, steps=8)
    page.mouse.up()


def test_words_are_struck_and_brought_back_with_the_keyboard_alone(
    page: Page, talk: Conversation, shoot: Shoot
) -> None:
    assessments.edit_answer(
        answer=Answer.objects.get(question__slug="clima_familiar"),
        employee=talk.created_by,
        value="Vive en Olmo",
    )
    open_talk(page, talk)
    panel = page.get_by_role("group", name="Palabras que tachar")
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Tachar…").focus()
    press(page, "Enter")
    strike = panel.get_by_role("button", name="Tachar", exact=True)
    expect(strike).to_be_focused()
    expect(panel).to_contain_text("«Buenos»")
    press(page, "ArrowDown")
    expect(panel).to_contain_text("«Sí,»")
    press(page, "ArrowLeft")
    expect(panel).to_contain_text("«sitio?»")
    press(page, *["ArrowRight"] * 4)
    expect(panel).to_contain_text("«calle»")
    press(page, "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowLeft")
    expect(panel).to_contain_text("«calle Olmo,»")
    axe(page)
    shoot(page, "tachar-elegir")

    press(page, "Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Escuchar lo que se tachará")).to_be_focused()
    expect(dialog).to_contain_text("calle Olmo,")
    expect(dialog).to_contain_text("¿Está usted empadronado/a en algún domicilio en España?")
    expect(dialog).to_contain_text("«Vive en Olmo»")
    accessible_everywhere(page)
    shoot(page, "tachar-dialogo")
    press(page, "Tab")
    expect(dialog.get_by_role("checkbox")).to_be_focused()
    press(page, "Space", "Tab", "Tab")
    expect(dialog.get_by_role("button", name="Tachar", exact=True)).to_be_focused()
    press(page, "Enter")

    expect(dialog).to_be_hidden()
    expect(page.locator("#turno-1 .turn-text")).to_have_text(
        f"Sí, en la {BLOCK} desde marzo, con mi prima."
    )
    expect(panel).to_be_hidden()
    expect(page.locator("#toasts")).to_contain_text("ya no se oye ni se lee")
    assert text_of(1) == f"Sí, en la {BLOCK} desde marzo, con mi prima."
    assert Answer.objects.get(question__slug="clima_familiar").value == ""
    expect(page.get_by_role("heading", level=1)).to_contain_text("Padrón y dinero en casa")

    summary = page.get_by_text("1 fragmento tachado")
    summary.focus()
    press(page, "Enter")
    row = page.get_by_role("listitem").filter(has_text="Tachado:")
    expect(row).to_contain_text(re.compile(r"Tachado: 0:05–0:06, Ana Robles,\s+hoy \d\d:\d\d"))
    accessible_everywhere(page)
    shoot(page, "tachados")
    press(page, "Tab")
    expect(row.get_by_role("button", name="Deshacer")).to_be_focused()
    press(page, "Enter")
    expect(page.locator("#turno-1 .turn-text")).to_have_text(LINES[1][1])
    expect(summary).to_have_count(0)
    assert not Redaction.objects.exists()
    assert Answer.objects.get(question__slug="clima_familiar").value == "Vive en Olmo"


def test_what_is_selected_with_the_mouse_over_two_turns(page: Page, talk: Conversation) -> None:
    open_talk(page, talk)
    panel = page.get_by_role("group", name="Palabras que tachar")
    select(page, (0, 6), (1, 0))
    expect(panel).to_contain_text("algún sitio?")
    expect(panel).to_be_in_viewport(ratio=1)
    panel.get_by_role("button", name="Una palabra más").click()
    panel.get_by_role("button", name="Tachar", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("del")).to_have_text(["algún sitio?", "Sí, en"])
    dialog.get_by_role("link", name="Cancelar").click()
    expect(dialog).to_be_hidden()
    assert text_of(0) == LINES[0][1]
    page.mouse.click(5, 300)
    expect(panel).to_be_hidden()


def test_what_plays_goes_on_without_it(page: Page, talk: Conversation) -> None:
    open_talk(page, talk)
    page.get_by_role("button", name="Reproducir desde 0:00").click()
    player = page.get_by_role("region", name="Reproductor")
    expect(player).to_be_visible()
    page.wait_for_function("() => document.querySelector('audio').currentTime > 0.3")
    select(page, (1, 3), (1, 4))
    page.get_by_role("group", name="Palabras que tachar").get_by_role(
        "button", name="Tachar", exact=True
    ).click()
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/audio/?" in r.url else None)
    page.get_by_role("dialog").get_by_role("button", name="Tachar", exact=True).click()
    expect(page.locator("#turno-1")).to_contain_text(BLOCK)
    before = page.locator("audio").evaluate("a => a.currentTime")
    assert before > 0.3
    page.wait_for_function(
        "before => (a => !a.paused && a.currentTime > before)(document.querySelector('audio'))",
        arg=before,
    )
    assert asked, "the sound is fetched anew"


def test_a_stretch_is_heard_before_and_ends_where_it_ends(page: Page, talk: Conversation) -> None:
    open_talk(page, talk)
    select(page, (1, 3), (1, 4))
    page.get_by_role("group", name="Palabras que tachar").get_by_role(
        "button", name="Tachar", exact=True
    ).click()
    page.get_by_role("dialog").get_by_role("button", name="Escuchar lo que se tachará").click()
    page.wait_for_function(
        "() => (a => a.paused && a.currentTime > 6)(document.querySelector('audio'))"
    )
    assert page.locator("audio").evaluate("a => a.currentTime") < 7.5


def test_a_failure_is_told_and_nothing_is_lost(
    page: Page, talk: Conversation, problems: list[str]
) -> None:
    open_talk(page, talk)
    select(page, (1, 3), (1, 4))
    page.get_by_role("group", name="Palabras que tachar").get_by_role(
        "button", name="Tachar", exact=True
    ).click()
    dialog = page.get_by_role("dialog")
    page.route("**/tachar/", lambda route: route.abort("connectionreset"))
    dialog.get_by_role("button", name="Tachar", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("No hemos podido guardar")
    expect(dialog).to_be_visible()
    page.unroute("**/tachar/")
    dialog.get_by_role("button", name="Tachar", exact=True).click()
    expect(page.locator("#turno-1")).to_contain_text(BLOCK)
    problems.clear()
