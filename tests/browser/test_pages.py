"""A person's page, the notifications, and the transcript with its player."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from conftest import Cast
from portal.conversations.models import Conversation
from portal.notifications import services as notifications
from portal.participants.models import Consent, Participant
from tests.browser.conftest import accessible_everywhere, axe
from tests.browser.scene import (
    RUNNING,
    Shoot,
    conversation_of,
    person_page,
    ready_talk,
    steps_of,
)


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    return ready_talk(consent, cast)


def test_an_empty_page_teaches(page: Page, participant: Participant, shoot: Shoot) -> None:
    person_page(page, participant)
    expect(page.get_by_role("heading", name="Todavía no hay conversaciones")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^Ficha:"))).to_have_count(0)
    accessible_everywhere(page)
    shoot(page, "persona-vacia")


def test_every_state_of_a_card(
    page: Page, cast: Cast, consent: Consent, talk: Conversation, shoot: Shoot
) -> None:
    partial = conversation_of(consent, cast, status="partial", title="Segunda visita")
    steps_of(partial, assess=("failed", 0.0, "El texto era demasiado corto."))
    failed = conversation_of(consent, cast, status="failed", duration=3.0)
    steps_of(failed, transcribe=("failed", 0.0, "No se oye ninguna voz."))
    steps_of(conversation_of(consent, cast, duration=754.0), **RUNNING)
    person_page(page, consent.participant)
    expect(page.get_by_role("article")).to_have_count(4)
    expect(page.get_by_text("No se oye ninguna voz.")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Transcribiendo")).to_have_attribute("value", "43")
    expect(page.get_by_role("link", name="Ficha: 1 de 16 respondidas")).to_be_visible()
    expect(page.locator("#activity")).to_contain_text("Transcribiendo")
    expect(page.locator("#activity")).to_be_in_viewport(ratio=1)
    accessible_everywhere(page)
    page.get_by_text("Consentimiento del").click()
    axe(page)
    shoot(page, "persona")


def test_a_conversation_that_ends_is_told_and_the_page_stops_asking(
    page: Page, cast: Cast, consent: Consent
) -> None:
    conversation = conversation_of(consent, cast, duration=60.0)
    steps_of(conversation, **RUNNING)
    person_page(page, consent.participant)
    expect(page.locator("#activity")).to_contain_text("Transcribiendo")
    # What one is at with the keyboard stays so while the card is drawn again.
    page.locator(f"#play-{conversation.pk}").focus()
    conversation.steps.update(state="done")
    conversation.status, conversation.title = "ready", "Padrón y salud"
    conversation.save()
    notifications.notify(conversation)
    expect(page.get_by_role("heading", name="Padrón y salud")).to_be_visible()
    expect(page.locator(f"#play-{conversation.pk}")).to_be_focused()
    expect(page.locator("#toasts")).to_contain_text("La conversación está lista")
    expect(page.locator("#activity")).to_have_text("")
    bell = page.get_by_role("button", name="Notificaciones: 1 sin abrir")
    expect(bell).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)  # longer than the two seconds between two questions
    # Without a stream the bell is looked at from time to time.
    assert [url for url in asked if "/en-proceso/" in url or "/tarjeta/" in url] == []
    bell.click()
    # The menu is above the notice that says the same.
    page.locator("#bell").get_by_role("button", name=re.compile("Padrón y salud")).click()
    expect(page).to_have_url(re.compile(rf"conversacion={conversation.pk}#c-{conversation.pk}$"))
    expect(page.get_by_role("button", name="Notificaciones", exact=True)).to_be_visible()


def test_what_failed_is_tried_again(page: Page, cast: Cast, consent: Consent) -> None:
    conversation = conversation_of(consent, cast, status="failed", duration=3.0)
    steps_of(conversation, transcribe=("failed", 0.0, "No se oye ninguna voz."))
    person_page(page, consent.participant)
    page.get_by_role("button", name="Reintentar").click()
    expect(page.get_by_role("article")).to_contain_text("La estamos procesando")
    expect(page.locator("#activity")).to_contain_text("Transcribiendo")
    conversation.refresh_from_db()
    assert conversation.status == "processing"


def test_the_page_of_notifications(page: Page, talk: Conversation, shoot: Shoot) -> None:
    page.goto("/notificaciones/")
    expect(page.get_by_text("Todavía no hay nada")).to_be_visible()
    notifications.notify(talk)
    page.reload()
    expect(page.get_by_role("main").get_by_role("button")).to_have_count(1)
    accessible_everywhere(page)
    shoot(page, "notificaciones")


def test_the_transcript_is_a_chat_that_plays(page: Page, talk: Conversation, shoot: Shoot) -> None:
    page.goto(f"/conversaciones/{talk.pk}/")
    boxes = {
        role: page.locator(f".turn.role-{role} .turn-text").first.bounding_box()
        for role in ("empleado", "usuario")
    }
    assert boxes["empleado"] and boxes["usuario"]
    assert boxes["empleado"]["x"] > boxes["usuario"]["x"]
    accessible_everywhere(page)
    shoot(page, "transcripcion")
    page.get_by_role("button", name="Reproducir desde 0:15").click()
    player = page.get_by_role("region", name="Reproductor")
    expect(player).to_be_in_viewport(ratio=1)
    expect(page.locator("#turno-3")).to_have_class(re.compile("is-heard"))
    player.get_by_role("button", name="Pausar").click()
    at = page.locator("audio").evaluate("a => a.currentTime")
    assert 15 <= at < 20
    player.get_by_role("button", name="Retroceder 5 segundos").click()
    back = page.locator("audio").evaluate("a => a.currentTime")
    assert back == pytest.approx(at - 5, abs=0.1)
    player.get_by_role("button", name="Avanzar 5 segundos").click()
    slider = player.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^0:00 de 0:2"))
    axe(page)
    shoot(page, "reproductor")
    page.keyboard.press("Escape")
    expect(player).to_be_hidden()
    expect(page.get_by_role("button", name="Reproducir desde 0:15")).to_be_focused()


def test_a_recording_that_cannot_be_had_is_told(
    page: Page, talk: Conversation, problems: list[str]
) -> None:
    talk.recording.file.delete(save=False)
    page.goto(f"/conversaciones/{talk.pk}/")
    page.get_by_role("button", name="Reproducir", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("No se puede reproducir")
    problems.clear()


def test_a_transcript_that_is_not_there_yet(page: Page, cast: Cast, consent: Consent) -> None:
    conversation = conversation_of(consent, cast)
    steps_of(conversation, **RUNNING)
    page.goto(f"/conversaciones/{conversation.pk}/")
    expect(page.get_by_text("Todavía la estamos transcribiendo")).to_be_visible()
    accessible_everywhere(page)
