"""The bell while things happen: several tabs of one browser, another browser, and a colleague."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from conftest import Cast
from portal.assessments import services as assessments
from portal.conversations.models import Conversation
from portal.notifications import events, reminders
from portal.notifications import services as notifications
from portal.notifications.models import Notification
from portal.participants.models import Consent, Participant
from tests.browser.chromium import DESKTOP
from tests.browser.conftest import accessible_everywhere, axe, sign_in
from tests.browser.scene import RUNNING, Shoot, conversation_of, person_page, ready_talk, steps_of
from tests.browser.serving import AsgiServer

STREAM = "/notificaciones/novedades/"


@pytest.fixture
def people(
    cast: Cast, browser: Browser, asgi_server: AsgiServer
) -> Iterator[tuple[BrowserContext, BrowserContext, BrowserContext]]:
    """The owner's browser, another one of hers, and that of a colleague."""
    made = []
    for employee in (cast.owner, cast.owner, cast.teammate):
        context = browser.new_context(
            base_url=str(asgi_server), viewport=DESKTOP, locale="es-ES", reduced_motion="reduce"
        )
        context.set_default_timeout(15_000)
        sign_in(context, employee, str(asgi_server))
        made.append(context)
    yield made[0], made[1], made[2]
    for context in made:
        context.close()


def bell(page: Page, unopened: int) -> Any:
    name = f"Notificaciones: {unopened} sin abrir" if unopened else "Notificaciones"
    return page.get_by_role("button", name=name, exact=True)


def streams_of(context: BrowserContext) -> list[Page]:
    """The tabs that asked for the stream, as they do."""
    asked: list[Page] = []

    def note(request: Request) -> None:
        if request.url.endswith(STREAM):
            asked.append(request.frame.page)

    context.on("request", note)
    return asked


def test_what_happens_is_told_everywhere_and_read_once(
    people: tuple[BrowserContext, BrowserContext, BrowserContext],
    cast: Cast,
    consent: Consent,
) -> None:
    mine, elsewhere, colleagues = people
    asked = streams_of(mine)
    first = mine.new_page()
    first.goto("/personas/")
    expect(bell(first, 0)).to_be_visible()
    second, other, colleague = mine.new_page(), elsewhere.new_page(), colleagues.new_page()
    for page in (second, other, colleague):
        page.goto("/personas/")
        expect(bell(page, 0)).to_be_visible()

    # It ends: told to every tab of hers, by one connection of each browser.
    talk = ready_talk(consent, cast)
    notifications.notify(talk)
    for page in (first, second, other):
        expect(bell(page, 1)).to_be_visible()
    expect(bell(colleague, 0)).to_be_visible()
    assert asked == [first]

    # The tab that had it is closed: the next one takes over.
    with second.expect_request(f"**{STREAM}"):
        first.close()
    later = conversation_of(consent, cast, status="failed", duration=3.0)
    steps_of(later, transcribe=("failed", 0.0, "No se oye ninguna voz."))
    notifications.notify(later)
    for page in (second, other):
        expect(bell(page, 2)).to_be_visible()

    # Read on one device, it counts no more on the others; and it is in the database.
    bell(other, 2).click()
    other.locator("#bell").get_by_role("button", name=re.compile("Padrón y dinero")).click()
    other.wait_for_url(re.compile(rf"conversacion={talk.pk}"))
    for page in (second, other):
        expect(bell(page, 1)).to_be_visible()
    second.reload()
    expect(bell(second, 1)).to_be_visible()

    # While somebody reads the menu it stays as it is, also when news of it were on their way.
    on_their_way: list[Route] = []
    second.route("**/notificaciones/", lambda route: on_their_way.append(route))
    with second.expect_request("**/notificaciones/"):
        second.evaluate("document.body.dispatchEvent(new Event('notifications'))")
    bell(second, 1).click()
    with second.expect_response("**/notificaciones/"):
        on_their_way[0].continue_()
    second.unroute("**/notificaciones/")
    notifications.notify(talk)
    expect(bell(other, 2)).to_be_visible()
    expect(second.locator("#bell .dropdown-menu")).to_be_visible()
    second.keyboard.press("Escape")
    expect(bell(second, 2)).to_be_visible()

    # Tried again from the menu.
    bell(second, 2).click()
    second.locator("#bell").get_by_role("button", name=re.compile("^Reintentar")).click()
    second.wait_for_url(re.compile(rf"conversacion={later.pk}"))
    expect(second.locator("#activity")).to_contain_text("Transcribiendo")
    expect(bell(other, 1)).to_be_visible()
    # The other browser hears of the work as soon as it begins.
    events.tell_activity(cast.owner.pk)
    expect(other.locator("#activity")).to_contain_text("Transcribiendo")


def test_progress_is_told_without_asking_and_the_session_ends_the_stream(
    people: tuple[BrowserContext, BrowserContext, BrowserContext],
    cast: Cast,
    consent: Consent,
    shoot: Shoot,
) -> None:
    mine, _, _ = people
    conversation = conversation_of(consent, cast, duration=754.0)
    steps_of(conversation, **RUNNING)
    page = mine.new_page()
    with page.expect_response(f"**{STREAM}"):
        page.goto("/personas/")
    activity = page.locator("#activity")
    expect(activity).to_contain_text("Transcribiendo")
    # From now on it asks only when it is told.
    page.wait_for_timeout(500)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)
    assert asked == []
    conversation.steps.filter(name="transcribe").update(progress=0.9)
    events.tell_activity(cast.owner.pk)
    expect(activity.get_by_role("progressbar")).to_have_attribute("value", re.compile("^8"))
    expect(activity).to_contain_text("queda")
    accessible_everywhere(page)
    shoot(page, "en-proceso")
    with page.expect_event("requestfinished", lambda r: r.url.endswith(STREAM)):
        page.request.get("/perfil/")  # the same browser, signed out by another tab
        other = mine.new_page()
        other.goto("/perfil/")
        other.get_by_role("button", name="Menú de Ana Robles").click()
        other.get_by_role("button", name="Cerrar sesión").click()
        other.wait_for_url(re.compile("login"))


def test_without_a_stream_it_asks_from_time_to_time(
    page: Page, cast: Cast, consent: Consent
) -> None:
    """`live_server` has none."""
    page.clock.install()
    person_page(page, consent.participant)
    expect(bell(page, 0)).to_be_visible()
    notifications.notify(ready_talk(consent, cast))
    page.clock.run_for(31_000)
    expect(bell(page, 1)).to_be_visible()


def test_every_kind_is_told_by_its_own_words(
    page: Page, cast: Cast, consent: Consent, shoot: Shoot, settings: Any
) -> None:
    for status in ("ready", "partial", "failed"):
        talk = conversation_of(consent, cast, status=status, title=f"Visita {status}")
        steps_of(talk)
        notifications.notify(talk)
    suggesting(consent.participant, talk)
    Notification.objects.create(
        recipient=cast.owner,
        participant=consent.participant,
        conversation=talk,
        kind=Notification.Kind.SUGGESTION,
    )
    settings.ENV = settings.ENV.model_copy(update={"consent_days": 20})
    assert reminders.tell_of_consents() == 1
    person_page(page, consent.participant)
    bell(page, 5).click()
    menu = page.locator("#bell .dropdown-menu")
    for words in (
        "La conversación está lista ·",
        "La conversación está lista, con avisos",
        "La conversación no se ha podido procesar",
        "1 sugerencia en la ficha",
        "El consentimiento caduca",
    ):
        expect(menu).to_contain_text(words)
    axe(page)
    shoot(page, "campana")
    page.goto("/notificaciones/")
    accessible_everywhere(page)
    page.get_by_role("main").get_by_role("button", name=re.compile("sugerencia")).click()
    page.wait_for_url(re.compile("/ficha/$"))
    expect(bell(page, 4)).to_be_visible()


def suggesting(participant: Participant, talk: Conversation) -> None:
    answer = assessments.sheet_for(participant).answers.get(question__slug="nacionalidad")
    answer.suggestions.create(conversation=talk, state="answered", value="Sí", engine="extractive")


def test_the_browser_s_own_notification_names_nobody(
    people: tuple[BrowserContext, BrowserContext, BrowserContext],
    cast: Cast,
    consent: Consent,
    shoot: Shoot,
) -> None:
    mine, _, _ = people
    mine.grant_permissions(["notifications"])
    # Headless, so what would be shown is noted; and nobody looks at the tab.
    mine.add_init_script(
        """
        window.shown = [];
        window.Notification = class {
          static permission = "granted";
          constructor(title, options) { shown.push(`${title} ${options.body}`); last = this; }
          close() {}
        };
        document.hasFocus = () => false;
        let last;
        window.press = () => last.onclick();
        """
    )
    page = mine.new_page()
    page.goto("/perfil/")
    page.get_by_label("Avisarme con notificaciones del navegador").check()
    page.get_by_label("Enviarme un resumen por correo").check()
    accessible_everywhere(page)
    shoot(page, "perfil-avisos")
    with page.expect_response(f"**{STREAM}"):
        page.get_by_role("button", name="Guardar").click()
    expect(page.get_by_text("Su perfil se ha guardado.")).to_be_visible()
    cast.owner.refresh_from_db()
    assert cast.owner.browser_notifications
    assert cast.owner.email_digest
    talk = ready_talk(consent, cast)
    notifications.notify(talk)
    page.wait_for_function("() => shown.length === 1")
    assert page.evaluate("shown") == ["La conversación está lista Ábrala en el portal."]
    page.evaluate("press()")
    page.wait_for_url(re.compile(rf"conversacion={talk.pk}"))
    expect(bell(page, 0)).to_be_visible()
