"""Downloading conversations, and the steps of one that is processed, failed or was mended."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import docx
import pytest
from playwright.sync_api import Page, expect

from conftest import Cast
from portal.conversations.models import Conversation, Speaker, Transcript, Turn
from portal.conversations.steps import StepName
from portal.participants.models import Consent
from tests.browser.conftest import accessible_everywhere, axe
from tests.browser.scene import (
    AUDIO,
    LINES,
    RUNNING,
    Shoot,
    conversation_of,
    person_page,
    ready_talk,
    steps_of,
)

SKIPPED = ("skipped", 0.0, "No se ha podido: depende de un paso anterior.")


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    return ready_talk(consent, cast)


def download(page: Page, name: str) -> tuple[str, bytes]:
    """The file's name and content. The page stays where it is."""
    before = page.url
    with page.expect_download() as waited:
        page.get_by_role("link", name=name).click()
    assert page.url == before
    return waited.value.suggested_filename, Path(waited.value.path()).read_bytes()


def test_a_conversation_is_taken_away_from_its_card(
    page: Page, talk: Conversation, shoot: Shoot
) -> None:
    person_page(page, talk.participant)
    menu = page.get_by_role("button", name="Descargar")
    menu.click()
    expect(page.locator(".download-menu a")).to_have_count(6)
    shoot(page, "descargar")
    axe(page)
    name, content = download(page, "Documento de Word")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d Fátima Belkacem - Padrón y dinero en casa\.docx", name)
    text = "\n".join(p.text for p in docx.Document(BytesIO(content)).paragraphs)
    assert LINES[1][1] in text
    menu.click()
    name, content = download(page, "Audio")
    assert name.endswith(".ogg")
    assert content == AUDIO.read_bytes()


def test_by_keyboard_from_the_page_of_a_transcript(page: Page, talk: Conversation) -> None:
    page.goto(f"/conversaciones/{talk.pk}/")
    page.get_by_role("button", name="Descargar").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Texto")).to_be_focused()
    with page.expect_download() as waited:
        page.keyboard.press("Enter")
    assert waited.value.suggested_filename.endswith(".txt")
    assert LINES[1][1] in Path(waited.value.path()).read_text()


def test_all_of_a_person_in_one_file(page: Page, talk: Conversation) -> None:
    person_page(page, talk.participant)
    name, content = download(page, "Descargar todas")
    assert name == "Fátima Belkacem - conversaciones.zip"
    with ZipFile(BytesIO(content)) as zipped:
        assert zipped.testzip() is None
        assert len(zipped.namelist()) == 7


def test_what_may_not_leave_is_not_offered_and_is_refused_in_words(
    page: Page, consent: Consent, talk: Conversation
) -> None:
    person_page(page, talk.participant)
    link = page.get_by_role("link", name="Descargar todas")
    expect(link).to_be_visible()
    Consent.objects.update(withdrawn_at=consent.given_at)
    link.click()  # of a page that was there before
    expect(page.get_by_text("ha retirado su consentimiento")).to_be_visible()
    expect(page.get_by_role("button", name="Descargar")).to_have_count(0)
    expect(link).to_have_count(0)


# The steps


def test_many_conversations_in_every_state(
    page: Page, cast: Cast, consent: Consent, talk: Conversation, shoot: Shoot
) -> None:
    partial = conversation_of(
        consent,
        cast,
        status="partial",
        title="Segunda visita: trabajo y cuidado de su madre",
        description="Busca trabajo de tardes y cuida de su madre por las mañanas.",
        duration=1830.0,
    )
    steps_of(partial, assess=("failed", 0.0, "El texto era demasiado corto."))
    Transcript.objects.create(
        conversation=partial, engine="local", model="base", language="es", duration=1830.0
    )
    failed = conversation_of(consent, cast, status="failed", duration=3.0)
    steps_of(
        failed,
        transcribe=("failed", 0.0, "No se oye ninguna voz. Compruebe que es la grabación."),
        attribute=SKIPPED,
        describe=SKIPPED,
        assess=SKIPPED,
    )
    steps_of(conversation_of(consent, cast, duration=754.0), **RUNNING)
    waiting = conversation_of(consent, cast)
    steps_of(waiting, **dict.fromkeys(("probe", *RUNNING), ("waiting", 0.0, "")))
    for number in range(7):
        made = conversation_of(
            consent, cast, status="ready", title=f"Conversación número {number}", duration=600.0
        )
        steps_of(made)
    person_page(page, consent.participant)
    expect(page.get_by_role("article")).to_have_count(12)
    card = page.locator(f"#c-{failed.pk}")
    expect(card.locator(".is-failed")).to_contain_text("No se oye ninguna voz.")
    expect(card.get_by_role("combobox")).to_have_count(0)  # there is one engine here
    accessible_everywhere(page)
    shoot(page, "doce-conversaciones")
    page.locator(f"#c-{talk.pk}").get_by_role("button", name="Lista").click()
    expect(page.locator(f"#c-{talk.pk} .step.is-done")).to_have_count(len(StepName) - 1)
    axe(page)
    shoot(page, "pasos")


def test_a_transcript_page_waits_and_shows_what_comes(
    page: Page, consent: Consent, cast: Cast, shoot: Shoot
) -> None:
    made = conversation_of(consent, cast, duration=29.0)
    steps_of(made, **RUNNING)
    page.goto(f"/conversaciones/{made.pk}/")
    bar = page.get_by_role("progressbar", name="Transcribiendo")
    expect(bar.first).to_have_attribute("value", "43")
    accessible_everywhere(page)
    shoot(page, "transcripcion-en-proceso")
    transcript = Transcript.objects.create(
        conversation=made, engine="local", model="base", language="es", duration=29.0
    )
    speaker = Speaker.objects.create(transcript=transcript, label="S1", role="usuario")
    Turn.objects.create(
        transcript=transcript, speaker=speaker, position=0, start=0, end=2, text="Buenos días."
    )
    made.steps.filter(name__in=["transcribe", "attribute"]).update(state="done")
    # The text is there as soon as it is, while the rest goes on.
    expect(page.get_by_text("Buenos días.")).to_be_visible()
    expect(page.get_by_text("La estamos procesando.")).to_be_visible()
    made.steps.filter(name="assess").update(state="failed", reason="No había preguntas.")
    made.steps.exclude(name="assess").update(state="done")
    Conversation.objects.filter(pk=made.pk).update(status="partial", title="Padrón y salud")
    expect(page.get_by_role("heading", name="Padrón y salud")).to_be_visible()
    expect(page.get_by_text("No había preguntas.")).to_be_visible()
    accessible_everywhere(page)
    shoot(page, "transcripcion-con-avisos")
    page.get_by_role("button", name="Reintentar lo que falta").click()
    expect(page.get_by_text("La estamos procesando.")).to_be_visible()
    expect(page.get_by_text("Buenos días.")).to_be_visible()
    made.steps.update(state="done")
    Conversation.objects.filter(pk=made.pk).update(status="ready")
    expect(page.get_by_text("La estamos procesando.")).to_have_count(0)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)
    assert not [url for url in asked if "proceso" in url]


def test_another_engine_is_chosen_where_there_are_two(
    page: Page,
    consent: Consent,
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
    shoot: Shoot,
) -> None:
    choices = [("local", "En este equipo, sin enviar nada fuera"), ("other", "En otro sitio")]
    monkeypatch.setattr("portal.accounts.engines.choices", lambda: choices)
    consent.external = True
    consent.save()
    failed = conversation_of(consent, cast, status="failed", duration=3.0)
    steps_of(failed, transcribe=("failed", 0.0, "No se oye ninguna voz."))
    person_page(page, consent.participant)
    page.get_by_label("Dónde se transcribe").select_option("En otro sitio")
    accessible_everywhere(page)
    shoot(page, "otro-motor")
    page.get_by_role("button", name="Reintentar").click()
    expect(page.locator(f"#c-{failed.pk}")).to_contain_text("La estamos procesando.")
    failed.refresh_from_db()
    assert failed.engine == "other"
