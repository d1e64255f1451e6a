"""The player: it plays on while one goes from page to page, is used by hand and by keyboard, and
says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from conftest import Cast
from portal.conversations import playback
from portal.conversations.models import Conversation
from portal.participants.models import Consent, Participant
from portal.speech import playback as speech
from tests.browser.conftest import accessible_everywhere, axe, sign_in
from tests.browser.scene import AUDIO, Shoot, person_page, ready_talk

WATCH = """() => {
    const audio = document.querySelector("audio");
    window.heard = {samples: [], events: []};
    for (const name of ["pause", "emptied", "waiting", "stalled", "error", "seeking", "ended"]) {
        audio.addEventListener(name, () => heard.events.push(name));
    }
    setInterval(() => heard.samples.push([performance.now() / 1000, audio.currentTime]), 50);
}"""


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    made = ready_talk(consent, cast)
    draft = playback.draft_path(made)
    playback.save(conversation=made, draft=draft, sound=speech.make(AUDIO, draft, seconds=30))
    return made


@pytest.fixture
def other(cast: Cast) -> Participant:
    return Participant.objects.create(
        team=cast.team, name="Manuel Ortega", email="manuel@example.org", created_by=cast.owner
    )


def player(page: Page) -> Locator:
    return page.get_by_role("region", name="Reproductor")


def now(page: Page) -> float:
    return float(page.locator("audio").evaluate("audio => audio.currentTime"))


def playing(page: Page, from_second: float = 0.0) -> None:
    page.wait_for_function(
        "from => { const a = document.querySelector('audio');"
        " return !a.paused && a.currentTime > from }",
        arg=from_second,
    )


def start(page: Page, participant: Participant) -> None:
    person_page(page, participant)
    page.get_by_role("button", name="Reproducir la conversación").click()
    playing(page)


def test_it_plays_on_through_ten_pages(
    page: Page, participant: Participant, talk: Conversation, other: Participant
) -> None:
    start(page, participant)
    page.evaluate(WATCH)
    heading = page.get_by_role("heading", level=1)
    title = re.compile("Padrón y dinero")
    go: list[tuple[Callable[[], object], str | re.Pattern[str]]] = [
        (lambda: page.get_by_role("link", name="Ver transcripción").click(), title),
        (lambda: page.get_by_role("link", name=re.compile("^Ficha:")).click(), "Ficha"),
        (lambda: page.get_by_role("link", name="Manuel Ortega").click(), "Manuel Ortega"),
        (lambda: page.go_back(), "Ficha"),
        (lambda: page.go_back(), title),
        (lambda: page.go_forward(), "Ficha"),
        (lambda: page.locator(".brand").click(), "Manuel Ortega"),
        (lambda: page.get_by_role("searchbox").fill("fatima"), "Manuel Ortega"),
        (
            lambda: page.get_by_role("link", name=re.compile("^Fátima .* 1 conv")).click(),
            "Fátima Belkacem",
        ),
        (lambda: page.go_back(), "Manuel Ortega"),
        (lambda: player(page).get_by_role("link", name=title).click(), title),
        (lambda: page.go_back(), "Manuel Ortega"),
    ]
    for step, shown in go:
        before = now(page)
        step()
        expect(heading).to_have_text(shown)
        playing(page, before)
    samples, events = page.evaluate("[heard.samples, heard.events]")
    assert events == []
    assert all(later[1] >= earlier[1] for earlier, later in pairwise(samples))
    # As much was heard as time went by: no gap, and nothing twice.
    (began, first), (ended, last) = samples[0], samples[-1]
    assert last - first == pytest.approx(ended - began, abs=0.25)


def test_by_hand(page: Page, participant: Participant, talk: Conversation, shoot: Shoot) -> None:
    start(page, participant)
    bar = player(page)
    expect(bar).to_be_in_viewport(ratio=1)
    expect(bar.get_by_role("link")).to_have_text("Fátima Belkacem · Padrón y dinero en casa")
    colours = page.locator("canvas").evaluate(
        """canvas => {
            const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const seen = new Set();
            for (let at = 0; at < data.length; at += 4) {
                if (data[at + 3]) seen.add(data.slice(at, at + 3).join());
            }
            return seen.size;
        }"""
    )
    assert colours >= 3, "employee, participant, another voice"
    bar.get_by_role("button", name="Pausar").click()
    at = now(page)
    bar.get_by_role("button", name="Avanzar 5 segundos").click()
    assert now(page) == pytest.approx(at + 5, abs=0.1)
    bar.get_by_role("button", name="Retroceder 5 segundos").click()
    assert now(page) == pytest.approx(at, abs=0.1)
    box = page.locator(".player-wave").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert now(page) == pytest.approx(15, abs=0.5)
    bar.get_by_label("Velocidad").select_option("1.5")
    assert page.locator("audio").evaluate("audio => audio.playbackRate") == 1.5
    accessible_everywhere(page)
    shoot(page, "reproductor-onda")
    page.get_by_role("button", name="Cerrar el reproductor").click()
    expect(bar).to_be_hidden()
    page.reload()
    # The speed is kept, and where it was left as well.
    page.get_by_role("button", name="Reproducir la conversación").click()
    playing(page)
    assert page.locator("audio").evaluate("audio => audio.playbackRate") == 1.5


def test_by_keyboard(page: Page, participant: Participant, talk: Conversation) -> None:
    person_page(page, participant)
    page.get_by_role("button", name="Reproducir la conversación").focus()
    page.keyboard.press("Enter")
    playing(page)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('audio').currentTime >= 5")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.querySelector('audio').currentTime < 5")
    page.get_by_role("link", name="Ver transcripción").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('audio').paused")
    # Where one writes, keys write.
    box = page.get_by_role("searchbox", name="Buscar por nombre")
    box.focus()
    at = now(page)
    page.keyboard.type("a b")
    page.keyboard.press("ArrowLeft")
    assert page.locator("audio").evaluate("audio => audio.paused")
    assert now(page) == at
    expect(box).to_have_value("a b")
    slider = player(page).get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^0:00 de 0:"))
    page.keyboard.press("PageUp")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^0:(29|30) de 0:"))
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    playing(page)
    axe(page)
    page.keyboard.press("Escape")
    expect(player(page)).to_be_hidden()
    expect(page.locator("#main")).to_be_focused()


def test_it_goes_on_where_it_was_left(
    page: Page, participant: Participant, talk: Conversation, other: Participant
) -> None:
    start(page, participant)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Cerrar el reproductor").click()
    page.get_by_role("button", name="Reproducir la conversación").click()
    playing(page, 10)
    # A document of its own in between; nothing plays beside a recording.
    page.goto("/perfil/")
    expect(player(page)).to_be_visible()
    expect(player(page).get_by_role("link")).to_contain_text("Padrón y dinero")
    assert now(page) > 10
    assert page.locator("audio").evaluate("audio => audio.paused")
    page.goto(f"/personas/{participant.pk}/grabar/")
    expect(page.locator("portal-player")).to_have_count(0)


def test_signing_out_forgets_it(
    page: Page, context: BrowserContext, cast: Cast, participant: Participant, talk: Conversation,
    live_server: object,
) -> None:  # fmt: skip
    start(page, participant)
    page.get_by_role("button", name="Menú de Ana Robles").click()
    page.get_by_role("button", name="Cerrar sesión").click()
    expect(page.get_by_role("heading", name="Iniciar sesión")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('player')") is None
    sign_in(context, cast.owner, str(live_server))
    page.goto("/perfil/")
    expect(player(page)).to_be_hidden()


def test_other_sound_in_its_place_is_taken_up_where_one_was(
    page: Page, participant: Participant, talk: Conversation, problems: list[str]
) -> None:
    """As when an address has run out, or the recording has been made ready meanwhile."""
    start(page, participant)
    page.route(
        "**/audio/?*",
        lambda route: route.abort(),
        times=1,
    )
    page.locator("audio").evaluate(
        "audio => { const at = audio.currentTime; audio.src = audio.src; audio.currentTime = at;"
        " audio.play().catch(() => {}) }"
    )
    playing(page, 1)
    expect(player(page).get_by_role("alert")).to_be_hidden()
    problems.clear()


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("file", "No se puede reproducir la grabación ahora mismo"),
        ("conversation", "Esta grabación ya no está aquí"),
        ("session", "Su sesión ha terminado"),
        ("connection", "no hay conexión"),
    ],
)
def test_what_is_wrong_is_told(
    page: Page,
    context: BrowserContext,
    participant: Participant,
    talk: Conversation,
    problems: list[str],
    what: str,
    words: str,
) -> None:
    person_page(page, participant)
    match what:
        case "file":
            Path(talk.playback.file.path).unlink()
        case "conversation":
            talk.delete()
        case "session":
            context.clear_cookies(name="sessionid")
        case "connection":
            context.set_offline(True)
    page.get_by_role("button", name="Reproducir la conversación").click()
    expect(player(page).get_by_role("alert")).to_contain_text(words)
    axe(page)
    if what == "connection":
        context.set_offline(False)
        player(page).get_by_role("button", name="Reproducir").click()
        playing(page)
        expect(player(page).get_by_role("alert")).to_be_hidden()
    problems.clear()
