"""Going from page to page in one document: what is kept, what is shown, and what may go wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from conftest import PASSWORD, Cast
from portal.conversations.models import Conversation
from portal.notifications import services as notifications
from portal.participants.models import Consent, Participant
from tests.browser.chromium import TABLET
from tests.browser.conftest import axe
from tests.browser.scene import person_page, ready_talk

SAME = "document.documentElement.dataset.same"


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    return ready_talk(consent, cast)


@pytest.fixture
def other(cast: Cast) -> Participant:
    return Participant.objects.create(
        team=cast.team, name="Manuel Ortega", email="manuel@example.org", created_by=cast.owner
    )


def mark(page: Page) -> None:
    """A mark that goes with the document."""
    page.evaluate(f"{SAME} = 'yes'")


def same_document(page: Page) -> bool:
    return page.evaluate(SAME) == "yes"


def test_a_link_brings_the_page_with_title_focus_and_place(
    page: Page, participant: Participant, talk: Conversation, other: Participant
) -> None:
    person_page(page, participant)
    mark(page)
    page.get_by_role("link", name="Ver transcripción").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Padrón y dinero en casa")
    expect(heading).to_be_focused()
    expect(page).to_have_title(re.compile("^Padrón y dinero en casa ·"))
    expect(page).to_have_url(re.compile(f"/conversaciones/{talk.pk}/$"))
    assert page.evaluate("scrollY") == 0
    page.get_by_role("link", name="Manuel Ortega").click()
    expect(heading).to_have_text("Manuel Ortega")
    expect(page.get_by_role("link", name="Manuel Ortega")).to_have_attribute("aria-current", "page")
    expect(page.locator("a.person[aria-current]")).to_have_count(1)
    expect(page.get_by_role("link", name=re.compile("^Ficha:"))).to_have_count(0)
    assert same_document(page)
    axe(page)


def test_back_and_forward_bring_whole_pages_where_they_were(
    page: Page, participant: Participant, talk: Conversation, other: Participant
) -> None:
    page.set_viewport_size({"width": 1280, "height": 400})
    person_page(page, participant)
    mark(page)
    page.get_by_role("link", name=re.compile("^Ficha:")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ficha")
    page.get_by_role("link", name="Salud").click()
    at = page.evaluate("scrollY")
    assert at > 0
    page.get_by_role("link", name="Manuel Ortega").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Manuel Ortega")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ficha")
    page.wait_for_function("at => scrollY === at", arg=at)
    page.go_back()  # to the top of the same page
    page.wait_for_function("() => scrollY === 0")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fátima Belkacem")
    page.evaluate("history.go(3)")
    expect(page.get_by_role("heading", level=1)).to_have_text("Manuel Ortega")
    expect(page.get_by_role("link", name="Manuel Ortega")).to_have_attribute("aria-current", "page")
    assert same_document(page)
    assert page.evaluate("sessionStorage.getItem('htmx-history-cache')") is None


def test_the_last_of_several_presses_wins(
    page: Page, participant: Participant, talk: Conversation, other: Participant
) -> None:
    person_page(page, participant)

    def late(route: Route) -> None:
        page.wait_for_timeout(300)
        route.continue_()

    page.route(f"**/conversaciones/{talk.pk}/", late)
    page.get_by_role("link", name="Ver transcripción").click()
    page.get_by_role("link", name="Manuel Ortega").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Manuel Ortega")
    page.wait_for_timeout(600)
    expect(page.get_by_role("heading", level=1)).to_have_text("Manuel Ortega")
    expect(page).to_have_url(re.compile(f"/personas/{other.pk}/$"))


def test_a_place_in_a_page_is_shown_and_marked(
    page: Page, participant: Participant, talk: Conversation
) -> None:
    page.set_viewport_size({"width": 1280, "height": 400})
    page.goto(f"/personas/{participant.pk}/ficha/")
    mark(page)
    page.get_by_role("link", name=re.compile("0:20")).click()
    turn = page.locator("#turno-4")
    expect(turn).to_be_in_viewport()
    expect(turn).to_be_focused()
    assert turn.evaluate("turn => turn.matches(':target')")
    # The bell's way: a form whose answer is another page, and a place in it.
    notifications.notify(talk)
    page.goto("/notificaciones/")
    mark(page)
    page.get_by_role("main").get_by_role("button", name=re.compile("Fátima")).click()
    expect(page).to_have_url(re.compile(f"conversacion={talk.pk}#c-{talk.pk}$"))
    expect(page.locator(f"#c-{talk.pk}")).to_be_focused()
    assert same_document(page)


def test_the_list_stays_as_it_was_filtered(
    page: Page, participant: Participant, talk: Conversation, other: Participant
) -> None:
    person_page(page, participant)
    box = page.get_by_role("searchbox")
    box.press_sequentially("manuel")
    rows = page.locator("a.person")
    expect(rows).to_have_count(1)
    rows.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Manuel Ortega")
    expect(box).to_have_value("manuel")
    expect(rows).to_have_count(1)
    expect(rows).to_have_attribute("aria-current", "page")
    box.press("Escape")
    expect(rows).to_have_count(2)
    expect(page.locator("a.person[aria-current]")).to_contain_text("Manuel")


def test_on_a_tablet_the_list_closes_behind_one(
    page: Page, participant: Participant, other: Participant
) -> None:
    page.set_viewport_size(TABLET)
    person_page(page, participant)
    mark(page)
    page.get_by_role("link", name="Personas").click()
    page.get_by_role("link", name="Manuel Ortega").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Manuel Ortega")
    expect(page.locator(".offcanvas-backdrop")).to_have_count(0)
    expect(page.locator("a.person").first).not_to_be_visible()
    page.wait_for_function("() => !document.body.style.overflow")
    assert same_document(page)


def test_a_person_is_added_without_leaving_the_document(page: Page, other: Participant) -> None:
    person_page(page, other)
    mark(page)
    page.get_by_role("link", name="Añadir usuario").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Nombre y apellidos").fill("Salma El Idrissi")
    dialog.get_by_label("Correo electrónico").fill("salma@example.org")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Salma El Idrissi")
    expect(dialog).to_be_hidden()
    expect(page.locator("a.person").first).to_contain_text("Salma")
    expect(page.locator(".modal-backdrop")).to_have_count(0)
    assert same_document(page)


def test_documents_of_their_own(page: Page, participant: Participant, consent: Consent) -> None:
    person_page(page, participant)
    mark(page)
    page.get_by_role("button", name="Añadir una conversación").click()
    page.locator(".fab").get_by_role("link", name="Grabar una conversación").click()
    expect(page.get_by_role("link", name="Salir sin grabar")).to_be_visible()
    assert not same_document(page)
    mark(page)
    page.get_by_role("link", name="Salir sin grabar").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(participant.name)
    assert not same_document(page)


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "Esto ya no está aquí"), (403, "No tiene permiso"), (500, "El portal ha tenido un")],
)
def test_a_page_that_cannot_be_had_is_told_and_one_stays(
    page: Page,
    participant: Participant,
    talk: Conversation,
    problems: list[str],
    status: int,
    said: str,
) -> None:
    person_page(page, participant)
    mark(page)
    page.route(
        f"**/conversaciones/{talk.pk}/", lambda route: route.fulfill(status=status, body="<p>")
    )
    page.get_by_role("link", name="Ver transcripción").click()
    expect(page.get_by_role("status", name="Avisos")).to_contain_text(said)
    expect(page.get_by_role("heading", level=1)).to_have_text(participant.name)
    expect(page).to_have_url(re.compile(f"/personas/{participant.pk}/$"))
    assert same_document(page)
    problems.clear()


def test_without_a_connection_nothing_is_blank(
    page: Page,
    context: BrowserContext,
    participant: Participant,
    other: Participant,
    problems: list[str],
) -> None:
    person_page(page, participant)
    mark(page)
    page.get_by_role("link", name="Manuel Ortega").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Manuel Ortega")
    # An answer that comes after the failure would say that the connection is back.
    page.wait_for_load_state("networkidle")
    context.set_offline(True)
    page.get_by_role("link", name="Fátima Belkacem").click()
    expect(page.get_by_role("status", name="Avisos")).to_contain_text("no hay conexión")
    expect(heading).to_have_text("Manuel Ortega")
    page.evaluate("history.back()")
    expect(heading).to_have_text("No hemos podido traer esta página")
    axe(page)
    context.set_offline(False)
    page.get_by_role("link", name="Volver a intentarlo").click()
    expect(heading).to_have_text("Fátima Belkacem")
    assert same_document(page)
    problems.clear()


def test_a_session_that_ended_leads_to_the_sign_in_and_back(
    page: Page,
    context: BrowserContext,
    cast: Cast,
    participant: Participant,
    other: Participant,
    problems: list[str],
) -> None:
    person_page(page, participant)
    context.clear_cookies(name="sessionid")
    page.get_by_role("link", name="Manuel Ortega").click()
    page.get_by_label("Correo electrónico").fill(cast.owner.email)
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Manuel Ortega")
    problems.clear()


def test_what_is_being_sent_goes_on(
    page: Page, participant: Participant, consent: Consent, other: Participant, tmp_path: Path
) -> None:
    file = tmp_path / "larga.wav"
    file.write_bytes(b"RIFF" + bytes(17 * 1024 * 1024))
    person_page(page, participant)
    mark(page)
    held: list[Route] = []
    page.route(
        "**/subidas/*/",
        lambda route: (
            held.append(route)
            if route.request.method == "PATCH" and not held
            else route.continue_()
        ),
    )
    page.get_by_role("link", name="Subir una conversación").first.click()
    page.get_by_label(re.compile("Elija la grabación")).set_input_files(file)
    page.get_by_role("button", name="Subir", exact=True).click()
    sending = page.get_by_role("region", name="Envío de una grabación")
    expect(sending).to_be_visible()
    page.get_by_role("link", name="Manuel Ortega").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Manuel Ortega")
    expect(sending).to_be_visible()
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("location.assign('/admin/')")
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    held[0].continue_()
    expect(page.get_by_role("status", name="Avisos")).to_contain_text("Grabación recibida")
    expect(sending).to_have_count(0)
    assert Conversation.objects.get().recording.size == file.stat().st_size
    assert same_document(page)
