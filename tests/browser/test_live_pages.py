"""The pages of a live recording on the real modules, with a microphone made of sound waves and a
server that speaks the protocol of portal/live/protocol.py from inside the test."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from portal.live.models import LiveRecording
from portal.participants.models import Consent, Participant
from tests.browser.conftest import accessible_everywhere, axe
from tests.browser.scene import Shoot

MICROPHONE = """
  window.microphone = { fails: null, loudness: 0.3 };
  const devices = navigator.mediaDevices;
  devices.getUserMedia = async () => {
    if (microphone.fails) throw new DOMException("", microphone.fails);
    const context = new AudioContext();
    await context.resume();
    const voice = context.createOscillator();
    const loudness = context.createGain();
    loudness.gain.value = microphone.loudness;
    const out = context.createMediaStreamDestination();
    voice.connect(loudness).connect(out);
    voice.start();
    microphone.set = (to) => { loudness.gain.value = to; };
    microphone.unplug = () => out.stream.getAudioTracks()[0].dispatchEvent(new Event("ended"));
    return out.stream;
  };
  devices.enumerateDevices = async () => [
    { kind: "audioinput", deviceId: "a", label: "Micrófono interno" },
    { kind: "audioinput", deviceId: "b", label: "Auriculares" },
    { kind: "audiooutput", deviceId: "c", label: "Altavoz" },
  ];
"""
TURNS = [
    ("S1", "empleado", "Buenos días, Fátima. Gracias por venir. ¿Cómo ha llegado hasta aquí?"),
    ("S2", "usuario", "En autobús. Vivo en la calle Olmo, con mi prima, desde marzo."),
    ("S2", "usuario", "Me empadroné allí la semana pasada."),
    ("S1", "empleado", "Muy bien. ¿Y entra algún dinero en casa?"),
    ("S2", "usuario", "De eso prefiero no hablar."),
]
SAVED_MS = 763_000


def turn(position: int) -> dict[str, Any]:
    speaker, role, text = TURNS[position]
    start = 4.0 * position
    return {
        "position": position,
        "speaker": speaker,
        "role": role,
        "start": start,
        "end": start + 3,
        "text": text,
    }


def tick(question: str, state: str, quote: str = "", origin: str = "machine") -> dict[str, Any]:
    return {
        "question": question,
        "state": state,
        "origin": origin,
        "value": quote,
        "quote": quote,
        "start": 1.0,
    }


class Server:
    """The other side of the socket: takes what comes, and says what the test tells it to say."""

    def __init__(self, page: Page) -> None:
        self.saved_ms = 0
        self.next = 0
        self.state = "recording"
        self.refuses: tuple[int, str] | None = None
        self.silent = False
        self.socket: WebSocketRoute | None = None
        self.hello: dict[str, Any] = {}
        page.route_web_socket(re.compile("/socket/$"), self.met)

    def met(self, socket: WebSocketRoute) -> None:
        if self.silent:
            socket.close(code=1011)
            return
        self.socket = socket
        socket.on_message(self.heard)

    def heard(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            seq = int.from_bytes(message[:4], "little")
            self.next = seq + 1
            if message[4] == 0:
                self.saved_ms += (len(message) - 5) // 32
            self.say(type="ack", seq=seq, saved_ms=self.saved_ms)
            return
        told = json.loads(message)
        if told["type"] == "state":
            self.state = told["state"]
            return
        self.hello = told
        if self.refuses:
            code, sentence = self.refuses
            self.refuse(code, sentence)
            return
        self.say(
            type="welcome",
            next=self.next,
            saved_ms=self.saved_ms,
            state=self.state,
            transcription="live",
            turns=[],
            ticks=[],
        )

    def say(self, **message: Any) -> None:
        assert self.socket is not None
        self.socket.send(json.dumps(message))

    def refuse(self, code: int, sentence: str) -> None:
        self.say(type="error", code=code, message=sentence)
        assert self.socket is not None
        self.socket.close(code=code)


@pytest.fixture
def server(page: Page) -> Server:
    page.add_init_script(MICROPHONE)
    return Server(page)


@pytest.fixture
def prepare(page: Page, participant: Participant, consent: Consent, server: Server) -> Callable[[], None]:
    """The page of a new recording, at the sound check."""

    def go() -> None:
        page.goto(f"/personas/{participant.pk}/grabar/")
        page.get_by_role("button", name="Seguir").click()
        expect(page.get_by_role("heading", name="Comprobemos el sonido")).to_be_visible()

    return go


@pytest.fixture
def interview(page: Page, prepare: Callable[[], None]) -> Callable[[], None]:
    """The page of a new recording, recording."""

    def go() -> None:
        prepare()
        page.get_by_role("button", name="Empezar la entrevista").click()
        expect(controls(page)).to_contain_text("Grabando")

    return go


def controls(page: Page) -> Any:
    return page.get_by_role("region", name="Grabación")


def row(page: Page, slug: str) -> Any:
    return page.locator(f"[data-question={slug}]")


def test_from_consent_to_the_interview_by_keyboard_alone(
    page: Page, participant: Participant, consent: Consent, server: Server, shoot: Shoot
) -> None:
    page.goto(f"/personas/{participant.pk}/grabar/")
    expect(page.get_by_role("heading", name="Grabar una conversación")).to_be_visible()
    expect(page.get_by_role("navigation", name="Lista de personas")).to_have_count(0)
    shoot(page, "grabar-consentimiento")
    accessible_everywhere(page)
    page.get_by_text("Consentimiento del").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Texto leído")).to_be_visible()
    page.get_by_role("button", name="Seguir").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Comprobemos el sonido")).to_be_focused()
    expect(page.get_by_text("Se oye bien")).to_be_visible()
    shoot(page, "grabar-comprobacion")
    accessible_everywhere(page)
    page.get_by_role("button", name="Empezar la entrevista").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Entrevista con Fátima Belkacem")).to_be_focused()
    expect(controls(page)).to_contain_text("Grabando")
    recording = LiveRecording.objects.get()
    expect(page).to_have_url(re.compile(f"/grabaciones/{recording.pk}/$"))
    page.keyboard.press("p")
    expect(page.get_by_text("En pausa: no se está grabando")).to_be_visible()
    page.keyboard.press("p")
    expect(controls(page)).to_contain_text("Grabando")
    page.keyboard.press("v")
    expect(page.get_by_role("heading", name="Pausa privada")).to_be_focused()
    page.keyboard.press("v")
    expect(page.get_by_role("button", name="Pausa", exact=True)).to_be_focused()
    page.keyboard.press("t")
    expect(page.get_by_role("heading", name="Antes de terminar")).to_be_focused()
    page.keyboard.press("p")
    page.keyboard.press("Escape")
    expect(controls(page)).to_contain_text("Grabando")
    page.get_by_role("button", name="Más opciones").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Atajos de teclado")).to_be_visible()
    axe(page)
    page.get_by_role("switch", name="Usar las letras").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(page.get_by_text("En pausa: no se está grabando")).to_be_hidden()


@pytest.mark.parametrize(
    ("loudness", "verdict"),
    [
        (0.0, "No se oye nada"),
        (0.005, "Demasiado bajo"),
        (0.3, "Se oye bien"),
        (1.5, "Demasiado alto"),
    ],
)
def test_the_verdict_on_the_sound(
    page: Page, prepare: Callable[[], None], loudness: float, verdict: str
) -> None:
    page.add_init_script(f"microphone.loudness = {loudness}")
    prepare()
    expect(page.get_by_role("status").filter(has_text=verdict)).to_be_visible()


def test_voice_samples_are_taken_again_and_left_out(
    page: Page, prepare: Callable[[], None], shoot: Shoot
) -> None:
    prepare()
    mine = page.locator("[data-sample=empleado]")
    mine.get_by_role("button").click()
    expect(mine).to_contain_text("Escuchando…")
    shoot(page, "grabar-muestra")
    expect(mine).to_contain_text("Muestra tomada")
    page.evaluate("microphone.set(0)")
    theirs = page.locator("[data-sample=usuario]")
    theirs.get_by_role("button").click()
    expect(theirs).to_contain_text("No se ha oído la voz")
    expect(theirs.get_by_role("button", name="Repetir")).to_be_visible()
    accessible_everywhere(page)
    page.get_by_role("button", name="Sin muestras").click()
    expect(mine.get_by_role("button", name="Grabar 5 segundos")).to_be_visible()
    expect(page.get_by_role("button", name="Empezar la entrevista")).to_be_focused()


def test_the_chosen_microphone_is_remembered(page: Page, prepare: Callable[[], None]) -> None:
    prepare()
    page.get_by_label("Cuál se usa").select_option("Auriculares")
    expect(page.get_by_text("Se oye bien")).to_be_visible()
    prepare()
    expect(page.get_by_label("Cuál se usa")).to_have_value("b")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("microphone.fails = 'NotAllowedError'", "no deja usar el micrófono"),
        ("microphone.fails = 'NotFoundError'", "No encontramos ningún micrófono"),
        ("microphone.fails = 'NotReadableError'", "Otro programa está usando"),
        ("microphone.fails = 'TypeError'", "no responde"),
        ("delete window.AudioWorkletNode", "no sirve para grabar"),
        (
            "Object.defineProperty(window, 'isSecureContext', {value: false})",
            "Con esta dirección no se puede",
        ),
    ],
)
def test_each_problem_of_the_microphone_says_what_to_do(
    page: Page, prepare: Callable[[], None], shoot: Shoot, script: str, words: str
) -> None:
    page.add_init_script(script)
    prepare_button = page.get_by_role("button", name="Empezar la entrevista")
    prepare()
    problem = page.get_by_role("alert").filter(has_text=words)
    expect(problem).to_contain_text("No se ha perdido nada")
    expect(prepare_button).to_be_disabled()
    retry = problem.get_by_role("button", name="Volver a intentar")
    expect(retry).to_be_focused()
    accessible_everywhere(page)
    if "fails" in script:
        shoot(page, f"grabar-{script.split(chr(39))[1]}")
        page.evaluate("microphone.fails = null")
        retry.click()
        expect(problem).to_be_hidden()
        expect(page.get_by_text("Se oye bien")).to_be_visible()
        expect(prepare_button).to_be_enabled()
