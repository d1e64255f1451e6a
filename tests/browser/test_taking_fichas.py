"""Taking a ficha away from its page, and a team's from the list of people."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pypdf
import pytest
from playwright.sync_api import Page, expect

from conftest import Cast
from portal.accounts.models import Membership
from portal.assessments.exports import pdf
from portal.conversations.models import Conversation
from portal.participants.models import Consent
from tests.browser.conftest import accessible_everywhere, axe
from tests.browser.scene import Shoot, ready_talk


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    return ready_talk(consent, cast)


def test_a_ficha_is_taken_away_from_its_page(
    page: Page, talk: Conversation, shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.goto(f"/personas/{talk.participant_id}/ficha/")
    menu = page.get_by_role("button", name="Llevarse la ficha")
    menu.click()
    expect(page.locator(".take-menu a")).to_have_count(4)
    expect(page.get_by_text("Son datos personales")).to_be_visible()
    accessible_everywhere(page)
    shoot(page, "llevarse-la-ficha")
    with page.expect_download() as waited:
        page.get_by_role("link", name="PDF para imprimir y firmar").click()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d Fátima Belkacem - ficha\.pdf", waited.value.suggested_filename
    )
    printed = pypdf.PdfReader(Path(waited.value.path())).pages[0].extract_text()
    assert "Sí, en Olmo" in printed
    menu.focus()
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="CSV para otros programas")).to_be_focused()
    with page.expect_download() as waited:
        page.keyboard.press("Enter")
    assert "Sí, en Olmo" in Path(waited.value.path()).read_text("utf-8-sig")
    monkeypatch.setattr(pdf, "problem", lambda: "libpango-1.0.so.0")
    page.reload()
    menu.click()
    expect(page.get_by_text("falta una pieza del sistema (Pango)")).to_be_visible()
    expect(page.locator(".take-menu a")).to_have_count(3)
    axe(page)
    shoot(page, "llevarse-la-ficha-sin-pdf")


def test_a_coordinator_takes_a_team_away_from_the_list(
    page: Page, talk: Conversation, cast: Cast, shoot: Shoot
) -> None:
    page.goto(f"/personas/{talk.participant_id}/")
    link = page.get_by_role("link", name="Llevarse las fichas")
    expect(link).to_have_count(0)
    Membership.objects.filter(employee=cast.owner).update(role=Membership.Role.COORDINATOR)
    page.reload()
    link.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Son datos personales")).to_be_visible()
    accessible_everywhere(page)
    shoot(page, "llevarse-las-fichas")
    dialog.get_by_label("Formato").select_option("CSV para otros programas")
    dialog.get_by_label("Con el nombre de cada persona").check()
    with page.expect_download() as waited:
        dialog.get_by_role("button", name="Descargar").click()
    assert waited.value.suggested_filename.endswith("Oficina Centro - fichas.csv")
    text = Path(waited.value.path()).read_text("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["_nombre"], row["empadronamiento"]) == ("Fátima Belkacem", "Sí, en Olmo")
    expect(dialog).to_be_visible()
