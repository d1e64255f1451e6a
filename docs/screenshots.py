"""Make the pictures of the README and the docs: the demo office, in Chromium.

    python -m docs.screenshots [--folder docs/img]

Starts an installation of its own, so that what somebody did in theirs is in no picture.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench.installation import PROJECT, installation, running
from tests.browser import microphone
from tests.browser.chromium import DESKTOP, TABLET, picture

# Written in portal/operations/demo.py and printed at every start.
PASSWORD = "bienvenida a la demo"  # noqa: S105
PEOPLE = json.loads((PROJECT / "demo" / "people.json").read_text(encoding="utf-8"))
NOT_YET = next(person["name"] for person in PEOPLE["participants"] if "upload" in person)
SPOKEN = PROJECT / "demo" / "audio" / "oleksandr.ogg"
"""Theirs: what the microphone hears."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=PROJECT / "docs" / "img")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with (
        installation() as (_, environment),
        running(environment, demo=True) as (portal, _, _),
        tempfile.TemporaryDirectory() as temporary,
        sync_playwright() as playwright,
        microphone.listening(playwright, _wav(Path(temporary))) as browser,
    ):
        page = browser.new_page(
            base_url=f"http://{portal.host}:{portal.port}",
            locale="es-ES",
            viewport=DESKTOP,
        )
        for name in take(page):
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(500)  # for colours on their way from one theme to the other
            picture(page, folder / f"{name}.png")
            print(name)  # noqa: T201


def _wav(folder: Path) -> Path:
    return microphone.as_wav(microphone.samples_of(SPOKEN), folder / "spoken.wav")


def take(page: Page) -> Iterator[str]:
    """Go from place to place; each name is that of a picture of the page as it is then."""
    page.goto("/")
    yield "entrar"
    page.get_by_label("Correo electrónico").fill(PEOPLE["employees"][0]["email"])
    page.get_by_label("Contraseña").first.fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    page.get_by_role("link", name=PEOPLE["participants"][0]["name"]).first.click()
    # A first start processes the demo's conversations.
    page.locator("article.is-ready").first.wait_for(timeout=600_000)
    page.reload()
    yield "persona"
    page.get_by_role("link", name="Ver transcripción").first.click()
    yield "transcripcion"
    page.get_by_role("link", name="Ficha").first.click()
    yield "ficha"
    page.emulate_media(color_scheme="dark")
    yield "ficha-oscura"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(TABLET)
    yield "ficha-tableta"
    page.set_viewport_size(DESKTOP)
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("searchbox").fill("alquiler")
    page.locator(".found mark").first.wait_for()
    yield "buscador"
    page.keyboard.press("Escape")
    record(page)
    yield "grabacion"
    page.get_by_role("button", name="Más opciones").click()
    page.get_by_role("button", name="Descartar la grabación").click()
    page.get_by_role("button", name="Descartar y borrar").click()
    page.wait_for_url("**/personas/*/")


def record(page: Page) -> None:
    """Begin to record somebody, until some questions have ticked themselves."""
    page.goto("/")
    page.get_by_role("link", name=NOT_YET).first.click()
    page.get_by_role("button", name="Añadir una conversación").click()
    page.locator(".fab-menu").get_by_role("link", name="Grabar una conversación").click()
    page.locator("input[name=record]").check()
    page.locator("input[name=analyse]").check()
    page.get_by_role("button", name="Guardar el consentimiento").click()
    page.get_by_role("button", name="Seguir", exact=True).click()
    page.get_by_role("button", name="Empezar la entrevista").click()
    page.locator("[data-question][data-state=answered]").nth(3).wait_for(timeout=180_000)


if __name__ == "__main__":
    main()
