"""The whole story, as a newcomer lives it: sign in, add somebody, take consent, upload a spoken
interview, go on working, be told, read who said what, and see a ficha that proves its answers.

The browser, the database, the worker process, the speech model and the voices are real.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import Page, expect

from conftest import PASSWORD, Cast
from portal.assessments.models import Answer, Evidence
from portal.conversations.models import Conversation

AUDIO = Path(__file__).parents[1] / "audio" / "dialogue.ogg"
PATIENCE = 120_000  # milliseconds for a worker that starts, loads a model and works


@pytest.fixture
def worker(live_server: object) -> Iterator[None]:
    """`portal worker` in a process of its own, on the test's database and recordings."""
    environment = {
        **os.environ,
        "PORTAL_DATA": str(settings.ENV.data),
        "PORTAL_DATABASE_URL": database_url(),
    }
    process = subprocess.Popen([sys.executable, "-m", "portal.cli", "worker"], env=environment)
    yield
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def database_url() -> str:
    """Of the database that the tests made, as PORTAL_DATABASE_URL takes it."""
    place = connection.settings_dict
    parts = {key: place[key.upper()] for key in ("user", "password", "host", "port")}
    query = urlencode({key: value for key, value in parts.items() if value})
    return f"postgresql:///{place['NAME']}?{query}"


@pytest.mark.model
def test_from_sign_in_to_ficha(
    cast: Cast, anonymous_page: Page, live_server: object, worker: None
) -> None:
    page = anonymous_page
    page.goto("/")
    page.get_by_label("Correo electrónico").fill(cast.owner.email)
    page.get_by_label("Contraseña").first.fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    add = page.get_by_role("link", name="Añadir usuario").first
    expect(add).to_be_visible()
    page.wait_for_load_state("load")  # sooner, the links lead to plain pages without dialogs

    add.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Nombre").fill("Amina Rachidi")
    dialog.get_by_label("Correo electrónico").fill("amina@example.org")
    dialog.get_by_role("button", name="Añadir").click()
    expect(page.get_by_role("heading", name="Amina Rachidi")).to_be_visible()
    page.wait_for_load_state("load")

    page.get_by_role("link", name="Subir una conversación").first.click()
    expect(dialog).to_contain_text("consentimiento")
    for box in ("record", "analyse"):
        dialog.locator(f"input[name={box}]").check()
    dialog.get_by_role("button", name="Guardar el consentimiento").click()
    dialog.locator("input[type=file]").set_input_files(AUDIO)
    dialog.get_by_role("button", name="Subir", exact=True).click()

    card = page.locator("article.conversation").first
    expect(card).to_contain_text("La estamos procesando", timeout=20_000)
    # The page stays usable meanwhile, and the bar tells.
    expect(page.locator("#activity")).to_contain_text("Amina Rachidi", timeout=20_000)
    expect(card).to_have_class(re.compile("is-ready"), timeout=PATIENCE)

    conversation = Conversation.objects.get()
    assert conversation.status == Conversation.Status.READY
    assert 1 <= len(conversation.title.split()) <= 7
    assert 1 <= len(conversation.description.split()) <= 30
    expect(card).to_contain_text(conversation.title)

    card.get_by_role("link", name="Ver transcripción").click()
    roles = set(conversation.transcript.speakers.values_list("role", flat=True))
    assert roles == {"empleado", "usuario"}
    expect(page.get_by_text("nacionalidad").first).to_be_visible()

    page.get_by_role("link", name=re.compile("ficha", re.IGNORECASE)).first.click()
    machine = Answer.objects.filter(origin=Answer.Origin.MACHINE, state="answered")
    assert machine.count() >= 3
    for proof in Evidence.objects.filter(answer__in=machine).select_related("turn"):
        assert " ".join(proof.quote.split()) in " ".join(proof.turn.text.split())
    home = machine.get(question__slug="lugar_vivir")
    shown = page.locator(f"#r-{home.pk}")
    expect(shown).to_contain_text(home.value)
    shown.locator(".evidence-play").first.click()
    page.wait_for_function("document.querySelector('audio')?.currentTime > 0")

    # A person has the last word, and Enter keeps it.
    shown.locator("[data-edit]").click()
    expect(page.locator("textarea")).to_be_focused()
    page.locator("textarea").fill("Vive de alquiler con su hermana")
    page.keyboard.press("Enter")
    expect(page.locator(f"#r-{home.pk}")).to_contain_text("Escrita por Ana Robles")
    home.refresh_from_db()
    assert (home.value, home.origin) == ("Vive de alquiler con su hermana", Answer.Origin.PERSON)

    # And the bell leads to the conversation.
    page.goto("/notificaciones/")
    page.get_by_role("main").get_by_role("button", name=re.compile("Amina Rachidi")).click()
    expect(page.locator(f"#c-{conversation.pk}")).to_be_visible()
