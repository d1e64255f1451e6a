"""From the consent to the card: sending a recording, and what may happen on the way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from conftest import Cast
from portal.assessments import services as assessments
from portal.assessments.models import Sheet
from portal.conversations.models import Conversation, Upload
from portal.participants.models import Consent, Participant
from tests.browser.conftest import accessible_everywhere, axe, sign_in
from tests.browser.scene import (
    AUDIO,
    Shoot,
    person_page,
    ready_talk,
)

CHUNK = 8 * 1024 * 1024


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    return ready_talk(consent, cast)


def open_dialog(page: Page, participant: Participant) -> None:
    person_page(page, participant)
    page.get_by_role("button", name="Añadir una conversación").click()
    page.locator(".fab").get_by_role("link", name="Subir una conversación").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def send(page: Page, file: Path) -> None:
    page.get_by_label(re.compile("Elija la grabación")).set_input_files(file)
    page.get_by_role("button", name="Subir", exact=True).click()


def test_from_consent_to_the_card_on_top(
    page: Page, participant: Participant, talk: Conversation, shoot: Shoot
) -> None:
    Consent.objects.update(withdrawn_at="2026-01-01T00:00Z")
    open_dialog(page, participant)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Léale este texto en voz alta")
    axe(page)
    dialog.get_by_label("Idioma en que se ha leído").select_option("fr")
    expect(dialog.get_by_text("Nous aimerions")).to_be_visible()
    expect(dialog.get_by_text("Nos gustaría")).to_be_hidden()
    shoot(page, "consentimiento")
    for agreed in ("se grabe", "la pase a texto"):
        dialog.get_by_label(re.compile(agreed)).check()
    dialog.get_by_role("button", name="Guardar el consentimiento").click()
    expect(dialog).to_contain_text("Consentimiento del")
    axe(page)
    shoot(page, "subir")
    send(page, AUDIO)
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Grabación recibida y guardada")).to_be_visible()
    expect(page.locator(".sending")).to_have_count(0)
    first = page.get_by_role("article").first
    expect(first).to_contain_text("La estamos procesando")
    expect(page.get_by_role("link", name="Fátima Belkacem")).to_contain_text("2 conversaciones")
    received = Conversation.objects.exclude(pk=talk.pk).get()
    assert received.recording.size == AUDIO.stat().st_size
    assert received.consent.language == "fr"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("informe.pdf", b"%PDF-1.7", "no parece una grabación"),
        ("vacia.mp3", b"", "está vacío"),
        ("larga.mp3", b"x" * 2000, "el máximo es"),
    ],
)
def test_what_is_no_recording_is_said_before_it_is_sent(
    page: Page,
    participant: Participant,
    consent: Consent,
    tmp_path: Path,
    settings: object,
    name: str,
    content: bytes,
    why: str,
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    open_dialog(page, participant)
    page.locator("form[data-upload]").evaluate("form => (form.dataset.maxBytes = 1000)")
    send(page, file)
    expect(page.get_by_role("alert").filter(has_text=why)).to_be_visible()
    axe(page)
    expect(page.get_by_role("dialog")).to_be_visible()
    assert not Upload.objects.exists()


def test_a_file_that_is_dropped(page: Page, participant: Participant, consent: Consent) -> None:
    open_dialog(page, participant)
    page.locator(".drop").evaluate(
        """zone => {
            const data = new DataTransfer();
            data.items.add(new File(["audio"], "charla.mp3", {type: "audio/mpeg"}));
            for (const name of ["dragenter", "dragover", "drop"]) {
                zone.dispatchEvent(new DragEvent(name, {bubbles: true, dataTransfer: data}));
            }
        }"""
    )
    expect(page.get_by_role("dialog")).to_contain_text("charla.mp3")


def test_the_same_recording_again_offers_the_one_that_is_there(
    page: Page, participant: Participant, consent: Consent
) -> None:
    open_dialog(page, participant)
    send(page, AUDIO)
    expect(page.get_by_role("article")).to_have_count(1)
    open_dialog(page, participant)
    send(page, AUDIO)
    bar = page.get_by_role("region", name="Envío de una grabación")
    expect(bar).to_contain_text("ya estaba en el portal")
    axe(page)
    bar.get_by_role("link", name="Ver la conversación").click()
    expect(page).to_have_url(re.compile(f"/conversaciones/{Conversation.objects.get().pk}/"))


@pytest.fixture
def long_recording(tmp_path: Path) -> Path:
    """Two pieces and a bit; what is in it does not matter to the sending."""
    file = tmp_path / "larga.wav"
    file.write_bytes(b"RIFF" + b"\0" * (CHUNK * 2 + 1000))
    return file


def failing_from(page: Page, offset: int) -> None:
    """Cut the connection at that byte."""

    def cut(route: Route) -> None:
        sent = route.request.headers.get("upload-offset")
        if route.request.method == "PATCH" and int(sent or 0) >= offset:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/subidas/**", cut)


def test_a_cut_is_told_and_the_sending_goes_on_by_itself(
    page: Page,
    participant: Participant,
    consent: Consent,
    long_recording: Path,
    problems: list[str],
) -> None:
    open_dialog(page, participant)
    failing_from(page, CHUNK)
    send(page, long_recording)
    bar = page.get_by_role("region", name="Envío de una grabación")
    expect(bar).to_contain_text("Se ha cortado la conexión. Lo enviado está guardado")
    expect(bar.get_by_role("progressbar")).to_have_attribute("value", re.compile("^[45].$"))
    axe(page)
    page.unroute("**/subidas/**")
    expect(page.get_by_role("article")).to_have_count(1)
    assert Conversation.objects.get().recording.size == long_recording.stat().st_size
    assert Upload.objects.count() == 1
    problems.clear()


def test_after_leaving_the_page_the_same_file_goes_on_where_it_was(
    page: Page,
    participant: Participant,
    consent: Consent,
    long_recording: Path,
    problems: list[str],
) -> None:
    open_dialog(page, participant)
    failing_from(page, CHUNK)
    send(page, long_recording)
    expect(page.locator(".sending")).to_contain_text("Se ha cortado la conexión")
    warned: list[str] = []
    page.on("dialog", lambda dialog: (warned.append(dialog.type), dialog.accept()))
    page.reload()
    assert warned == ["beforeunload"]
    page.unroute("**/subidas/**")
    offsets: list[int] = []
    page.on(
        "request",
        lambda request: (
            offsets.append(int(request.headers["upload-offset"]))
            if request.method == "PATCH"
            else None
        ),
    )
    open_dialog(page, participant)
    send(page, long_recording)
    expect(page.get_by_role("article")).to_have_count(1)
    assert offsets == [CHUNK, CHUNK * 2]
    assert Upload.objects.count() == 1
    assert page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('sending'))") == []
    problems.clear()


def test_cancelling_forgets_what_was_sent(
    page: Page,
    participant: Participant,
    consent: Consent,
    long_recording: Path,
    problems: list[str],
) -> None:
    open_dialog(page, participant)
    failing_from(page, CHUNK)
    send(page, long_recording)
    bar = page.get_by_role("region", name="Envío de una grabación")
    expect(bar).to_contain_text("Se ha cortado la conexión")
    page.on("dialog", lambda dialog: dialog.accept())
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        bar.get_by_role("button", name="Cancelar").click()
    expect(bar).to_have_count(0)
    assert not Upload.objects.exists()
    problems.clear()


def test_a_refusal_is_told_in_the_servers_words(
    page: Page, participant: Participant, consent: Consent, problems: list[str]
) -> None:
    open_dialog(page, participant)
    Consent.objects.update(withdrawn_at="2026-01-01T00:00Z")
    send(page, AUDIO)
    bar = page.get_by_role("region", name="Envío de una grabación")
    expect(bar).to_contain_text("ha retirado su consentimiento")
    axe(page)
    bar.get_by_role("button", name="Cerrar").click()
    expect(bar).to_have_count(0)
    problems.clear()


def test_a_session_that_ends_meanwhile_loses_nothing(
    page: Page,
    cast: Cast,
    participant: Participant,
    consent: Consent,
    live_server: object,
    problems: list[str],
) -> None:
    open_dialog(page, participant)
    page.context.clear_cookies(name="sessionid")
    send(page, AUDIO)
    bar = page.get_by_role("region", name="Envío de una grabación")
    expect(bar).to_contain_text("Su sesión ha terminado. Lo enviado está guardado")
    sign_in(page.context, cast.owner, str(live_server))
    bar.get_by_role("button", name="Seguir").click()
    expect(page.get_by_role("article")).to_have_count(1)
    problems.clear()


def test_the_dialog_as_a_page(page: Page, participant: Participant, consent: Consent) -> None:
    page.goto(f"/personas/{participant.pk}/subir/")
    accessible_everywhere(page)
    send(page, AUDIO)
    expect(page).to_have_url(re.compile(f"/personas/{participant.pk}/$"))
    expect(page.get_by_role("article")).to_have_count(1)


def test_the_first_recording_brings_the_ficha(
    page: Page, participant: Participant, consent: Consent
) -> None:
    open_dialog(page, participant)
    send(page, AUDIO)
    ficha = page.get_by_role("link", name="Ficha", exact=True)
    expect(ficha).to_be_visible()
    assessments.sheet_for(participant)
    Sheet.objects.update(answered=3)
    conversation = Conversation.objects.get()
    conversation.status = Conversation.Status.READY
    conversation.save()
    expect(page.get_by_role("link", name="Ficha: 3 de 16 respondidas")).to_be_visible()
