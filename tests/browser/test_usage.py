"""What engines have used up, as a coordinator reads it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from conftest import Cast
from portal.engine import Usage
from portal.environment import Price
from portal.participants.models import Consent
from portal.usage.services import charge
from tests.browser.conftest import accessible_everywhere, sign_in
from tests.browser.scene import Shoot, conversation_of


def test_usage_of_a_month(
    anonymous_page: Page,
    context: BrowserContext,
    cast: Cast,
    consent: Consent,
    live_server: object,
    settings: Any,
    shoot: Shoot,
) -> None:
    prices = {"llm": Price(input=Decimal(2), output=Decimal(8))}
    settings.ENV = settings.ENV.model_copy(update={"prices": prices})
    cast.team.monthly_cap = Decimal(25)
    cast.team.save()
    talk = conversation_of(consent, cast, title="Padrón y dinero en casa")
    read = Usage("llm", "modelo-grande", 0, 12, 48_211, 3_902, 30_720)
    charge(team=cast.team, conversation=talk, used=[read, Usage("aws", "standard", seconds=754)])
    sign_in(context, cast.coordinator, str(live_server))
    page = anonymous_page
    page.goto("/perfil/")
    page.get_by_role("link", name="Consumo de mis equipos").click()
    expect(page.get_by_role("heading", name="Consumo", exact=True)).to_be_visible()
    expect(page.get_by_role("row", name="modelo-grande").first).to_contain_text("0,1276 EUR")
    page.get_by_text("Por conversación").click()
    expect(page.get_by_role("link", name="Padrón y dinero en casa").first).to_be_visible()
    page.get_by_role("link", name="Mes anterior").click()
    expect(page.get_by_text("Nada en este mes.")).to_be_visible()
    page.get_by_role("link", name="Mes siguiente").click()
    page.get_by_text("Por conversación").click()
    shoot(page, "consumo")
    accessible_everywhere(page)
