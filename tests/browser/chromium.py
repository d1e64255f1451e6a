"""Starting the system's Chromium, for the tests and for the pictures of the docs."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, ViewportSize

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
TABLET: ViewportSize = {"width": 768, "height": 1024}
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str:
    return os.environ.get("PORTAL_CHROMIUM", "/usr/bin/chromium")


def launch(playwright: Playwright, *arguments: str) -> Browser:
    return playwright.chromium.launch(executable_path=executable(), args=[*ARGUMENTS, *arguments])


def picture(page: Page, path: Path) -> None:
    """With its caret: hiding it leaves an empty style attribute at every field, which htmx then
    copies and the page's policy refuses."""
    page.screenshot(path=path, caret="initial")
