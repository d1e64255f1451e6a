"""Reading a transcript while it is heard, finding in it, and the moments to review."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from conftest import Cast
from portal.conversations.models import Conversation, Turn
from portal.corrections.models import Flag
from portal.participants.models import Consent
from tests.browser.conftest import accessible_everywhere, axe
from tests.browser.scene import Shoot, person_page, ready_talk

HEARD, SPOKEN = re.compile("is-heard"), re.compile("is-spoken")


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    return ready_talk(consent, cast)


@pytest.fixture
def long_talk(talk: Conversation) -> Conversation:
    """With as many more turns as need several screens, half a second each."""
    speakers = list(talk.transcript.speakers.order_by("label"))
    text = "Luego le explico cómo se pide la cita en la comisaría."
    Turn.objects.bulk_create(
        Turn(
            transcript=talk.transcript,
            speaker=speakers[n % 2],
            position=5 + n,
            start=24.0 + n / 10,
            end=24.0 + (n + 1) / 10,
            text=text,
            words=[[w, 24.0 + n / 10, 24.0 + n / 10 + 0.1, 0.9] for w in text.split()],
        )
        for n in range(40)
    )
    return talk


@pytest.fixture
def doubtful_talk(talk: Conversation) -> Conversation:
    turn = talk.transcript.turns.get(position=1)
    Flag.objects.create(
        conversation=talk, turn=turn, kind=Flag.Kind.NAME, start=5.75, end=6.0, quote="Olmo"
    )
    Flag.objects.create(
        conversation=talk, turn=turn, kind=Flag.Kind.NUMBER, start=6.25, end=6.5, quote="marzo"
    )
    Flag.objects.create(conversation=talk, kind=Flag.Kind.MISSED, start=12.0, end=14.5)
    return talk


def read(page: Page, talk: Conversation, place: str = "") -> None:
    page.goto(f"/conversaciones/{talk.pk}/{place}")
    expect(page.locator("#turno-0")).to_be_visible()


def word(page: Page, turn: int, text: str) -> Locator:
    return page.locator(f"#turno-{turn} [data-w]", has_text=re.compile(f"^{re.escape(text)}$"))


def finder(page: Page) -> Locator:
    return page.get_by_role("search", name="Buscar en la transcripción")


def time_of(page: Page) -> float:
    return page.locator("audio").evaluate("a => a.currentTime")


def pause(page: Page) -> None:
    page.locator("audio").evaluate("a => a.pause()")


# Hearing


def test_a_word_is_heard_where_it_is_said(page: Page, talk: Conversation, shoot: Shoot) -> None:
    read(page, talk)
    word(page, 1, "marzo,").click()
    expect(page.locator("#turno-1")).to_have_class(HEARD)
    expect(page.locator("[data-w].is-spoken")).to_have_count(1)
    pause(page)
    assert 6.5 <= time_of(page) < 10
    # The mark stays where it is while nothing plays, and goes with the player.
    expect(page.locator("[data-w].is-spoken")).to_have_count(1)
    axe(page)
    shoot(page, "transcripcion-oyendo")
    page.get_by_role("button", name="Cerrar el reproductor").click()
    expect(page.locator(".is-spoken, .is-heard")).to_have_count(0)
    # The button that lent itself plays its own second again.
    button = page.get_by_role("button", name="Reproducir desde 0:05")
    expect(button).to_have_attribute("data-play-from", "5.00")


def test_the_mark_goes_from_word_to_word(page: Page, talk: Conversation) -> None:
    read(page, talk)
    page.evaluate("""() => {
        window.marked = [];
        const seen = new MutationObserver((changes) => {
            for (const { target } of changes) {
                if (target.matches("[data-w].is-spoken")) marked.push(target.textContent);
            }
        });
        const options = { subtree: true, attributes: true, attributeFilter: ["class"] };
        seen.observe(document.querySelector(".chat"), options);
    }""")
    word(page, 1, "Sí,").click()
    expect(word(page, 1, "prima.")).to_have_class(SPOKEN)
    pause(page)
    said = ["Sí,", "en", "la", "calle", "Olmo,", "desde", "marzo,", "con", "mi", "prima."]
    marked = page.evaluate("marked")
    assert marked[0] == "Sí,"
    assert len(marked) > 5
    # A slow machine may skip a word, but none is marked twice.
    assert marked == [word for word in said if word in marked]


def test_selecting_words_plays_nothing(page: Page, talk: Conversation) -> None:
    read(page, talk)
    first, last = word(page, 1, "calle").bounding_box(), word(page, 1, "marzo,").bounding_box()
    assert first and last
    page.mouse.move(first["x"] + 2, first["y"] + 8)
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] - 2, last["y"] + 8, steps=5)
    page.mouse.up()
    assert "Olmo" in page.evaluate("getSelection().toString()")
    expect(page.get_by_role("region", name="Reproductor")).to_be_hidden()


def test_it_scrolls_along_until_the_reader_scrolls(page: Page, long_talk: Conversation) -> None:
    read(page, long_talk)
    follow = page.get_by_role("button", name="Seguir lo que se oye")
    expect(follow).to_have_attribute("aria-pressed", "true")
    # Scrolling while nothing plays interrupts nothing.
    page.mouse.wheel(0, 50)
    expect(follow).to_have_attribute("aria-pressed", "true")
    page.evaluate("scrollTo(0, 0)")
    page.locator("#turno-4 .turn-time").evaluate("b => b.click()")
    page.locator("audio").evaluate("a => { a.currentTime = 25.5; }")
    expect(page.locator(".turn.is-heard")).to_be_in_viewport()
    page.wait_for_function("scrollY > 500")
    page.mouse.move(600, 400)
    page.mouse.wheel(0, -5000)
    expect(follow).to_have_attribute("aria-pressed", "false")
    page.wait_for_function("scrollY === 0")
    expect(page.locator(".turn.is-heard")).not_to_be_in_viewport()
    assert page.evaluate("scrollY") == 0
    pause(page)
    follow.click()
    expect(follow).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".turn.is-heard")).to_be_in_viewport()


def test_who_comes_for_a_turn_stays_there(page: Page, long_talk: Conversation) -> None:
    read(page, long_talk, "#turno-30")
    expect(page.locator("#turno-30")).to_be_in_viewport()
    follow = page.get_by_role("button", name="Seguir lo que se oye")
    expect(follow).to_have_attribute("aria-pressed", "false")
    # What is played from a turn is followed again.
    page.get_by_role("button", name="Reproducir desde 0:26").first.click()
    expect(follow).to_have_attribute("aria-pressed", "true")


# The keyboard


def test_from_turn_to_turn_with_the_arrows(page: Page, long_talk: Conversation) -> None:
    read(page, long_talk)
    times = page.locator(".turn-time")
    assert page.locator('.chat .turn-time[tabindex="0"]').count() == 1
    times.nth(0).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(times.nth(2)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(times.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#turno-1")).to_have_class(HEARD)
    pause(page)
    page.keyboard.press("End")
    expect(times.nth(44)).to_be_focused()
    expect(times.nth(44)).to_be_in_viewport()
    page.keyboard.press("ArrowDown")
    expect(times.nth(44)).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+Tab")
    expect(times.nth(0)).not_to_be_focused()
    page.keyboard.press("Tab")
    expect(times.nth(0)).to_be_focused()


# Finding


def test_find_by_keyboard_alone(page: Page, long_talk: Conversation, shoot: Shoot) -> None:
    read(page, long_talk)
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Buscar en la transcripción")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    page.keyboard.type("COMISARIA")
    count = finder(page).get_by_role("status")
    expect(count).to_have_text("1 de 40")
    expect(page.locator("#turno-5")).to_be_in_viewport()
    shoot(page, "transcripcion-buscar")
    axe(page)
    page.keyboard.press("Enter")
    expect(count).to_have_text("2 de 40")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    expect(count).to_have_text("40 de 40")
    expect(page.locator("#turno-44")).to_be_in_viewport()
    expect(page.locator("#turno-44")).to_have_class(re.compile("is-found"))
    assert page.evaluate("CSS.highlights.get('found').size") == 40
    here = page.evaluate("""() => {
        const [range] = CSS.highlights.get("found-here");
        const live = document.createRange();
        live.setStart(range.startContainer, range.startOffset);
        live.setEnd(range.endContainer, range.endOffset);
        return live.toString();
    }""")
    assert here == "comisaría"
    page.keyboard.press("Escape")
    expect(field).to_have_value("")
    expect(count).to_have_text("")
    expect(page.locator("#turno-44 .turn-time")).to_be_focused()
    expect(page.locator(".is-found")).to_have_count(0)
    assert page.evaluate("CSS.highlights.size") == 0


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("calle  olmo, desde", "1 de 1"),  # over several words, whatever the spaces
        ("ESTA USTED", "1 de 1"),
        ("lmo", "1 de 1"),
        ("¿y", "1 de 1"),
        ("comisaría", "No aparece"),
        ("   ", ""),
        (".*", "No aparece"),
    ],
)
def test_what_is_found(page: Page, talk: Conversation, query: str, shown: str) -> None:
    read(page, talk)
    page.get_by_role("searchbox", name="Buscar en la transcripción").fill(query)
    count = finder(page).get_by_role("status")
    if shown:
        expect(count).to_have_text(shown)
    page.keyboard.press("Enter")
    expect(count).to_have_text(shown)
    # There is nowhere to go where nothing is.
    steps = 2 if shown.startswith("1") else 0
    expect(finder(page).get_by_role("button")).to_have_count(steps)


def test_a_turn_that_was_changed_is_found_as_it_is_now(page: Page, talk: Conversation) -> None:
    read(page, talk)
    field = page.get_by_role("searchbox", name="Buscar en la transcripción")
    count = finder(page).get_by_role("status")
    field.fill("prima")
    expect(count).to_have_text("1 de 1")
    page.locator("#turno-1").evaluate("""turn => {
        const now = turn.cloneNode(true);
        now.querySelector(".turn-text").textContent = "Con mi hermana, no con mi prima, mi prima.";
        turn.replaceWith(now);
    }""")
    field.press("Enter")
    expect(count).to_have_text("1 de 2")


# Moments to review


def test_the_moments_lead_to_their_words(
    page: Page, doubtful_talk: Conversation, shoot: Shoot
) -> None:
    person_page(page, doubtful_talk.participant)
    page.get_by_role("link", name="3 momentos que revisar").click()
    panel = page.get_by_role("region", name="Momentos que revisar")
    expect(panel.get_by_role("heading")).to_have_text("Revise estos 3 momentos")
    expect(panel).to_be_in_viewport()
    accessible_everywhere(page)
    shoot(page, "momentos")
    panel.get_by_role("button", name="Escuchar desde 0:05").click()
    expect(page.locator("#turno-0, #turno-1").and_(page.locator(".is-heard"))).to_have_count(1)
    pause(page)
    assert 4.7 <= time_of(page) < 9
    panel.get_by_role("link", name=re.compile("^Ver en el texto 0:12")).click()
    expect(page.locator("#turno-2 .turn-time")).to_be_focused()
    expect(page.locator("#turno-2")).to_be_in_viewport()
    expect(page).to_have_url(re.compile("#turno-2$"))


def test_correct_by_keyboard_alone_and_back(page: Page, doubtful_talk: Conversation) -> None:
    read(page, doubtful_talk)
    panel = page.get_by_role("region", name="Momentos que revisar")
    panel.get_by_role("button", name=re.compile("^Correcto Nombre dudoso")).focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading")).to_have_text("Revise estos 2 momentos")
    expect(panel.get_by_role("button", name=re.compile("^Correcto Cifra"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading")).to_have_text("Revise este momento")
    expect(panel.get_by_role("button", name=re.compile("^Correcto"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading")).to_have_text("Ha revisado todos los momentos dudosos")
    summary = panel.get_by_text("3 ya revisados")
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    axe(page)
    page.keyboard.press("Tab")  # play
    page.keyboard.press("Tab")  # see it in the text
    page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name=re.compile("^Deshacer Nombre"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading")).to_have_text("Revise este momento")
    expect(panel.get_by_role("button", name=re.compile("^Correcto Nombre"))).to_be_focused()
    waiting = Flag.objects.filter(resolved_at=None)
    assert [flag.kind for flag in waiting] == ["name"]


def test_a_failed_click_is_told_and_changes_nothing(
    page: Page, context: BrowserContext, doubtful_talk: Conversation, problems: list[str]
) -> None:
    read(page, doubtful_talk)
    panel = page.get_by_role("region", name="Momentos que revisar")
    context.route("**/momentos/*/", lambda route: route.abort())
    panel.get_by_role("button", name=re.compile("^Correcto Nombre")).click()
    expect(page.locator("#toasts")).to_contain_text("No hemos podido guardar")
    with page.expect_response("**/notificaciones/"):  # what the page asks by itself changes nothing
        page.evaluate("document.body.dispatchEvent(new Event('notifications'))")
    page.wait_for_function("!document.querySelector('.htmx-request')")
    expect(page.locator("#toasts")).to_contain_text("No hemos podido guardar")
    expect(panel.get_by_role("heading")).to_have_text("Revise estos 3 momentos")
    problems.clear()
