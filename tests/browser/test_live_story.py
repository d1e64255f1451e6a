"""Recording as people live it: the page, a microphone that plays a Spanish interview, the portal's
own web process, the recogniser, the worker and the speech model, all of them real."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from conftest import Cast
from portal.assessments import services as assessments
from portal.assessments.models import Answer, Evidence, Question
from portal.conversations.models import Conversation, Gap
from portal.live.models import LiveRecording, LiveTick, LiveTurn, VoiceSample
from portal.participants.models import Consent, Participant
from tests.browser import microphone
from tests.browser.chromium import DESKTOP
from tests.browser.conftest import sign_in
from tests.browser.scene import AUDIO
from tests.browser.serving import AsgiServer
from tests.browser.test_story import database_url

PATIENCE = 120_000  # milliseconds for processes that start, load a model and work
RATE = 16_000
LEAD = 5.0
"""Seconds of silence before the interview: the time it takes to get to the recording."""

Pcm = NDArray[np.int16]


@pytest.fixture
def played(tmp_path: Path) -> Path:
    """What the microphone hears."""
    spoken = microphone.samples_of(AUDIO)
    # No computer's microphone is as silent as zeros, and the page says so after a while.
    hum = np.random.default_rng(7).integers(-30, 30, int(LEAD * RATE)).astype(np.int16)
    return microphone.as_wav(np.concatenate([hum, spoken, hum]), tmp_path / "played.wav")


@contextmanager
def process(command: str) -> Iterator[None]:
    """`portal COMMAND` on the test's database and recordings."""
    environment = {
        **os.environ,
        "PORTAL_DATA": str(settings.ENV.data),
        "PORTAL_DATABASE_URL": database_url(),
    }
    running = subprocess.Popen([sys.executable, "-m", "portal.cli", command], env=environment)
    try:
        yield
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)


@contextmanager
def tab(playwright: Playwright, wav: Path, server: AsgiServer, cast: Cast) -> Iterator[Page]:
    """A page of the owner's, in a browser whose microphone plays ``wav``."""
    with microphone.listening(playwright, wav) as browser:
        context = browser.new_context(
            base_url=server.address, viewport=DESKTOP, locale="es-ES", reduced_motion="reduce"
        )
        context.set_default_timeout(20_000)
        sign_in(context, cast.owner, server.address)
        yield context.new_page()


def begin(page: Page, participant: Participant) -> None:
    """From the person's page to the running recording; the consent is there."""
    page.goto(f"/personas/{participant.pk}/grabar/")
    page.get_by_role("button", name="Seguir", exact=True).click()
    page.get_by_role("button", name="Sin muestras").click()
    page.get_by_role("button", name="Empezar la entrevista").click()
    expect(page.locator("[data-controls=state]")).to_have_text("Grabando")


def finish(page: Page) -> Conversation:
    page.get_by_role("button", name="Terminar", exact=True).click()
    page.get_by_role("button", name="Terminar y guardar").click()
    page.wait_for_url(re.compile(r"/personas/[^/]+/(\?|#|$)"), timeout=60_000)
    return Conversation.objects.latest("created_at")


def stored(conversation: Conversation) -> Pcm:
    with wave.open(conversation.recording.file.path) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def is_played(heard: Pcm, wav: Path) -> bool:
    """Sample for sample what the microphone played, none missing in between."""
    return microphone.likeness(heard, microphone.samples_of(wav)) > 0.98


def saved_seconds(page: Page, seconds: int) -> None:
    """Wait until so much is on the server, by what the screen says."""
    page.wait_for_function(
        """seconds => {
          const [, minutes, rest] = document.querySelector("[data-controls=saved]")
            .textContent.match(/(\\d+):(\\d\\d)/);
          return Number(minutes) * 60 + Number(rest) >= seconds;
        }""",
        arg=seconds,
        timeout=60_000,
    )


@pytest.mark.model
def test_from_consent_to_ficha(
    cast: Cast,
    participant: Participant,
    playwright: Playwright,
    played: Path,
    asgi_server: AsgiServer,
) -> None:
    with (
        process("recogniser"),
        process("worker"),
        tab(playwright, played, asgi_server, cast) as page,
    ):
        page.goto(f"/personas/{participant.pk}/")
        page.get_by_role("button", name=re.compile("Añadir")).click()
        page.locator(".fab-menu").get_by_role("link", name=re.compile("Grabar")).click()
        page.locator("input[name=record]").check()
        page.locator("input[name=analyse]").check()
        page.get_by_role("button", name=re.compile("Guardar el consentimiento")).click()

        page.wait_for_url(re.compile("/grabar/$"))
        page.wait_for_load_state("load")
        page.get_by_role("button", name="Seguir", exact=True).click()
        page.get_by_role("button", name="Sin muestras").click()
        consent = Consent.objects.get()
        assert consent.wording and consent.recorded_by == cast.owner
        page.get_by_role("button", name="Empezar la entrevista").click()
        expect(page.locator("[data-controls=state]")).to_have_text("Grabando")

        # While it is being recorded: text, ticks with the words that were heard, and by hand.
        expect(page.locator("[data-live=chat]")).to_contain_text("nacionalidad", timeout=PATIENCE)
        living = page.locator("[data-question=lugar_vivir]")
        expect(living).to_contain_text("alquiler", timeout=PATIENCE)
        expect(page.locator("[data-controls=state]")).to_have_text("Grabando")
        assert not Answer.objects.filter(state=Answer.State.ANSWERED).exists()

        page.get_by_role("button", name="Terminar", exact=True).click()
        ending = page.get_by_role("dialog", name="Antes de terminar")
        prompts = dict(Question.objects.values_list("slug", "prompt"))
        expect(ending).to_contain_text(prompts["discriminacion"])
        expect(ending).not_to_contain_text(prompts["nacionalidad"])
        page.get_by_role("button", name="Terminar y guardar").click()
        page.wait_for_url(re.compile(rf"/personas/{participant.pk}/"), timeout=60_000)
        conversation = Conversation.objects.get()
        card = page.locator(f"#c-{conversation.pk}")
        expect(card).to_have_class(re.compile("is-ready"), timeout=PATIENCE)

    assert is_played(stored(conversation), played)
    conversation.refresh_from_db()
    assert conversation.status == Conversation.Status.READY
    assert set(conversation.transcript.speakers.values_list("role", flat=True)) == {
        "empleado",
        "usuario",
    }
    answered = Answer.objects.filter(state=Answer.State.ANSWERED)
    assert answered.count() >= 3
    for proof in Evidence.objects.filter(answer__in=answered).select_related("turn"):
        assert " ".join(proof.quote.split()) in " ".join(proof.turn.text.split())
    recording = LiveRecording.objects.get()
    assert recording.state == LiveRecording.State.STORED
    assert not recording.folder.exists()
    assert not LiveTurn.objects.exists()
    assert not VoiceSample.objects.exists()


def test_a_killed_server_costs_nothing(
    cast: Cast,
    participant: Participant,
    consent: Consent,
    playwright: Playwright,
    played: Path,
    asgi_server: AsgiServer,
) -> None:
    with tab(playwright, played, asgi_server, cast) as page:
        begin(page, participant)
        saved_seconds(page, 6)
        asgi_server.kill()
        page.wait_for_timeout(4000)
        expect(page.locator("[data-controls=connection]")).to_contain_text("Sin conexión")
        asgi_server.start()
        expect(page.locator("[data-controls=connection]")).to_contain_text("Conectado")
        saved_seconds(page, 16)
        conversation = finish(page)
    heard = stored(conversation)
    assert len(heard) > 15 * RATE
    assert is_played(heard, played)
    assert not Gap.objects.exists()


def test_a_cut_network_costs_nothing(
    cast: Cast,
    participant: Participant,
    consent: Consent,
    playwright: Playwright,
    played: Path,
    asgi_server: AsgiServer,
) -> None:
    with tab(playwright, played, asgi_server, cast) as page:
        begin(page, participant)
        saved_seconds(page, 3)
        page.context.set_offline(True)
        expect(page.locator("[data-controls=connection]")).to_contain_text("Sin conexión")
        page.wait_for_timeout(20_000)
        expect(page.locator("[data-controls=state]")).to_have_text("Grabando")
        page.context.set_offline(False)
        saved_seconds(page, 25)
        conversation = finish(page)
    heard = stored(conversation)
    assert len(heard) > 24 * RATE
    assert is_played(heard, played)
    assert not Gap.objects.exists()


def test_a_killed_browser_goes_on_where_it_was(
    cast: Cast,
    participant: Participant,
    consent: Consent,
    playwright: Playwright,
    played: Path,
    asgi_server: AsgiServer,
    tmp_path: Path,
) -> None:
    profile = tmp_path / "profile"

    def open_profile() -> object:
        return microphone.listening_profile(playwright, played, profile, asgi_server.address)

    with open_profile() as context:  # type: ignore[attr-defined]
        sign_in(context, cast.owner, asgi_server.address)
        page = context.new_page()
        begin(page, participant)
        saved_seconds(page, 8)
        microphone.kill(profile)
    with open_profile() as context:  # type: ignore[attr-defined]
        sign_in(context, cast.owner, asgi_server.address)
        page = context.new_page()
        page.goto("/")
        # From any page of the portal.
        bar = page.locator("[data-waiting]")
        expect(bar).to_contain_text(participant.name, timeout=30_000)
        bar.get_by_role("link", name="Continuar").click()
        page.get_by_role("button", name="Continuar", exact=True).click()
        page.get_by_role("button", name="Seguir grabando").click()
        expect(page.locator("[data-controls=state]")).to_have_text("Grabando")
        saved_seconds(page, 16)
        conversation = finish(page)
    heard = stored(conversation)
    [gap] = Gap.objects.all()
    assert gap.kind == Gap.Kind.INTERRUPTED
    at = round(gap.at * RATE)
    # Each browser's microphone began anew.
    assert is_played(heard[:at], played)
    assert is_played(heard[at:], played)
    assert at >= 8 * RATE


def test_a_private_pause_leaves_no_sample(
    cast: Cast,
    participant: Participant,
    consent: Consent,
    playwright: Playwright,
    played: Path,
    asgi_server: AsgiServer,
) -> None:
    with tab(playwright, played, asgi_server, cast) as page:
        begin(page, participant)
        saved_seconds(page, 6)
        page.get_by_role("button", name="Pausa privada").click()
        expect(page.get_by_role("heading", name="Pausa privada")).to_be_visible()
        page.wait_for_timeout(8000)
        page.get_by_role("button", name="Continuar grabando").click()
        saved_seconds(page, 14)
        conversation = finish(page)
    heard, all_of_it = stored(conversation), microphone.samples_of(played)
    [gap] = Gap.objects.all()
    assert gap.kind == Gap.Kind.PRIVATE
    assert gap.seconds == pytest.approx(8, abs=2)
    at = round(gap.at * RATE)
    before, after = heard[:at], heard[at:]
    assert is_played(before, played) and is_played(after, played)
    # What was said in between is nowhere in what is kept.
    until, on = place(before, all_of_it) + len(before), place(after, all_of_it)
    assert on - until > 6 * RATE
    # Any half a second of a voice is like some other one; a whole second is only like itself.
    starts = range(until + RATE // 2, on - 2 * RATE, RATE // 2)
    secret = [all_of_it[i : i + RATE] for i in starts]
    loud = [piece for piece in secret if np.abs(piece).max() > 1000]
    assert loud
    for piece in loud:
        assert microphone.fit(piece, heard) < 0.9


def place(piece: Pcm, whole: Pcm) -> int:
    """Sample of ``whole`` at which ``piece`` begins."""
    size = 1 << (len(piece) + len(whole)).bit_length()
    spectrum = np.fft.rfft(whole.astype(float), size)
    fits = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece.astype(float), size)), size)
    return int(np.argmax(fits[: len(whole)]))


@pytest.mark.model
def test_discarding_undoes_everything(
    cast: Cast,
    participant: Participant,
    consent: Consent,
    playwright: Playwright,
    played: Path,
    asgi_server: AsgiServer,
) -> None:
    sheet = assessments.sheet_for(participant)
    before = list(sheet.answers.values("question", "state", "value", "origin"))
    with process("recogniser"), tab(playwright, played, asgi_server, cast) as page:
        begin(page, participant)
        expect(page.locator("[data-live=chat]")).to_contain_text("nacionalidad", timeout=PATIENCE)
        expect(page.locator("[data-question=nacionalidad]")).to_contain_text("Colombia")
        recording = LiveRecording.objects.get()
        page.get_by_role("button", name="Más opciones").click()
        page.get_by_role("button", name="Descartar la grabación").click()
        page.get_by_role("button", name="Descartar y borrar").click()
        page.wait_for_url(re.compile(rf"/personas/{participant.pk}/"))
    assert not LiveRecording.objects.exists()
    assert not LiveTick.objects.exists()
    assert not recording.folder.exists()
    assert not Conversation.objects.exists()
    assert list(sheet.answers.values("question", "state", "value", "origin")) == before


def test_two_employees_at_once(
    cast: Cast,
    participant: Participant,
    consent: Consent,
    playwright: Playwright,
    played: Path,
    asgi_server: AsgiServer,
) -> None:
    other = Participant.objects.create(
        team=cast.team, name="Idrissa Sow", email="idrissa@example.org", created_by=cast.teammate
    )
    Consent.objects.create(
        participant=other,
        wording=consent.wording,
        language="es",
        record=True,
        analyse=True,
        recorded_by=cast.teammate,
    )

    def page_of(context: BrowserContext, who: Participant) -> Page:
        page = context.new_page()
        begin(page, who)
        return page

    with microphone.listening(playwright, played) as browser:
        contexts = [browser.new_context(base_url=asgi_server.address, locale="es-ES") for _ in "ab"]
        sign_in(contexts[0], cast.owner, asgi_server.address)
        sign_in(contexts[1], cast.teammate, asgi_server.address)
        pages = [
            page_of(context, who)
            for context, who in zip(contexts, (participant, other), strict=True)
        ]
        for page in pages:
            saved_seconds(page, 6)
        conversations = [finish(page) for page in pages]
    assert [c.participant for c in conversations] == [participant, other]
    assert [c.created_by for c in conversations] == [cast.owner, cast.teammate]
    for conversation in conversations:
        assert is_played(stored(conversation), played)
