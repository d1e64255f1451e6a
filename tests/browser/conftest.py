"""A real Chromium on the real pages: signed in as `ana` of the cast, nothing from the network.

Every page must be silent in the console and keep to its Content-Security-Policy; a test that
provokes errors empties `problems` when it has seen them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    ViewportSize,
    sync_playwright,
)

from conftest import Cast
from portal.accounts.models import Employee
from portal.live import services as live
from portal.live.models import LiveRecording
from portal.participants.models import Consent
from tests.browser import microphone
from tests.browser.chromium import DESKTOP, TABLET, launch, picture
from tests.browser.recording_tab import Tab, Tabs
from tests.browser.scene import AUDIO
from tests.browser.serving import AsgiServer

# Playwright's loop runs in this thread; the ORM may be used beside it all the same.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

AXE = settings.PROJECT / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What is left of a desktop at 200 %.
ZOOMED: ViewportSize = {"width": 640, "height": 400}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def asgi_process(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AsgiServer]:
    server = AsgiServer(tmp_path_factory.mktemp("web"))
    server.collect()
    yield server
    server.stop()


@pytest.fixture
def asgi_server(transactional_db: None, asgi_process: AsgiServer) -> AsgiServer:
    """Like `live_server`, with WebSockets, in a process of its own that a test may kill."""
    if not asgi_process.running:
        asgi_process.start()
    return asgi_process


@pytest.fixture
def context(browser: Browser, live_server: object) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url=str(live_server),
        viewport=DESKTOP,
        locale="es-ES",
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def problems() -> Iterator[list[str]]:
    """What the console said that it should not have."""
    found: list[str] = []
    yield found
    assert not found, "\n".join(found)


@pytest.fixture
def anonymous_page(context: BrowserContext, problems: list[str]) -> Page:
    def note(message: ConsoleMessage) -> None:
        # A form that is not right comes back with 422, which Chromium calls an error.
        if message.type in ("error", "warning") and "status of 422" not in message.text:
            problems.append(f"{message.text} ({message.location.get('url')})")

    page = context.new_page()
    page.on("console", note)
    page.on("pageerror", lambda error: problems.append(str(error)))
    return page


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, microphone.Pcm]:
    """A dialogue: as a file for the microphone, and its samples."""
    samples = microphone.samples_of(AUDIO)
    return microphone.as_wav(samples, tmp_path_factory.mktemp("spoken") / "spoken.wav"), samples


@pytest.fixture
def recording(cast: Cast, consent: Consent) -> Iterator[LiveRecording]:
    made = live.start(
        employee=cast.owner,
        participant=consent.participant,
        consent=consent,
        engine="local",
        voices={},
    )
    yield made
    shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture
def tabs(
    asgi_server: AsgiServer, playwright: Playwright, spoken: tuple[Path, microphone.Pcm], cast: Cast
) -> Iterator[Tabs]:
    """Of one browser, signed in as the owner, hearing the dialogue."""
    with microphone.listening(playwright, spoken[0]) as browser:
        context = browser.new_context(base_url=str(asgi_server), locale="es-ES")
        context.set_default_timeout(30_000)
        sign_in(context, cast.owner, str(asgi_server))
        tabs = Tabs(context)
        yield tabs
        assert not tabs.noted


@pytest.fixture
def tab(tabs: Tabs) -> Tab:
    return tabs.open()


def sign_in(context: BrowserContext, employee: Employee, address: str) -> None:
    client = Client()
    client.force_login(employee)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": address}])


@pytest.fixture
def page(cast: Cast, context: BrowserContext, anonymous_page: Page, live_server: object) -> Page:
    """Signed in as the owner."""
    sign_in(context, cast.owner, str(live_server))
    return anonymous_page


def axe(page: Page) -> None:
    """Fail with what axe finds against WCAG 2.2 AA in the page as it is now."""
    # Through the debugger, which the page's policy does not concern.
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "tags => axe.run({runOnly: {type: 'tag', values: tags}}).then(r => r.violations)", WCAG
    )
    lines = [
        f"{violation['id']}: {violation['help']}\n    {node['html'][:200]}\n    "
        + node["failureSummary"].replace("\n", "\n    ")
        for violation in found
        for node in violation["nodes"]
        # What the player covers in part comes free by scrolling.
        if "partially obscured" not in node["failureSummary"]
    ]
    assert not lines, f"{page.url}\n" + "\n".join(lines)


def accessible_everywhere(page: Page) -> None:
    """`axe` on a desktop and a tablet, light and dark; no sideways scrolling, even at 200 %."""
    for size in (DESKTOP, TABLET):
        for scheme in ("light", "dark"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.wait_for_function(
                "theme => document.documentElement.dataset.bsTheme === theme", arg=scheme
            )
            axe(page)
    for size in (TABLET, ZOOMED):
        page.set_viewport_size(size)
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{page.url} is {wider} px wider than {size['width']} px"
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")


@pytest.fixture
def shoot() -> Callable[[Page, str], None]:
    """Pictures of a page, when PORTAL_SCREENSHOTS names a folder for them."""
    folder = os.environ.get("PORTAL_SCREENSHOTS")

    def take(page: Page, name: str) -> None:
        if not folder:
            return
        for suffix, size, scheme in (
            ("", DESKTOP, "light"),
            ("-dark", DESKTOP, "dark"),
            ("-768", TABLET, "light"),
        ):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.evaluate("() => new Promise(seen => setTimeout(seen, 300))")
            picture(page, Path(folder) / f"{name}{suffix}.png")
        page.set_viewport_size(DESKTOP)
        page.emulate_media(color_scheme="light")

    return take
