"""Make the pictures of the README and the docs: the demo office, in Chromium.

    python -m docs.screenshots [--folder docs/img]

Starts an installation of its own, so that what somebody did in theirs is in no picture.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench.installation import PROJECT, installation, running
from tests.browser.chromium import DESKTOP, TABLET, launch

# Written in portal/operations/demo.py and printed at every start.
PASSWORD = "bienvenida a la demo"  # noqa: S105
PEOPLE = json.loads((PROJECT / "demo" / "people.json").read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=PROJECT / "docs" / "img")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with (
        installation() as (_, environment),
        running(environment, demo=True) as (portal, _, _),
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        page = browser.new_page(
            base_url=f"http://{portal.host}:{portal.port}",
            locale="es-ES",
            viewport=DESKTOP,
        )
        for name in take(page):
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(500)  # for colours on their way from one theme to the other
            page.screenshot(path=folder / f"{name}.png")
            print(name)  # noqa: T201
        browser.close()


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


if __name__ == "__main__":
    main()
