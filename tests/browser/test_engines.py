"""Where a conversation is transcribed: what can be chosen, what cannot and why, and asking."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from conftest import Cast
from portal.participants.models import Consent
from tests.browser.conftest import accessible_everywhere, axe
from tests.browser.scene import Shoot
from tests.browser.test_sending import open_dialog


def test_a_person_is_asked_for_an_engine_outside_and_it_is_chosen(
    page: Page, consent: Consent, cast: Cast, settings: Any, shoot: Shoot
) -> None:
    settings.ENV = settings.ENV.model_copy(update={"deepgram_api_key": "0123456789"})
    cast.team.default_engine = "deepgram"
    cast.team.save()
    open_dialog(page, consent.participant)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("En este equipo, sin enviar nada fuera")
    dialog.get_by_text("Otros motores que ahora no se pueden usar").click()
    expect(dialog).to_contain_text("La persona no ha aceptado que se use un servicio externo.")
    expect(dialog).to_contain_text("Falta la clave de OpenAI.")
    accessible_everywhere(page)
    shoot(page, "motores")
    dialog.get_by_role("link", name="Preguntar a la persona").click()
    expect(dialog).to_contain_text("otra empresa que, por encargo nuestro")
    shoot(page, "consentimiento-externo")
    axe(page)
    for agreed in ("se grabe", "la pase a texto", "un servicio externo reciba"):
        dialog.get_by_label(agreed).check()
    dialog.get_by_role("button", name="Guardar el consentimiento").click()
    chosen = dialog.get_by_label("Dónde se transcribe")
    expect(chosen).to_have_value("deepgram")
    axe(page)
    shoot(page, "motor-elegido")
    page.goto(f"/personas/{consent.participant.pk}/grabar/")
    page.get_by_role("button", name="Seguir").click()
    expect(page.get_by_label("Dónde se transcribe")).to_have_value("deepgram")
    axe(page)
    shoot(page, "motores-grabar")
