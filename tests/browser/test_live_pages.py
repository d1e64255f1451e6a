"""The pages of a live recording on the real modules, with a microphone made of sound waves and a
server that speaks the protocol of portal/live/protocol.py from inside the test."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, WebSocketRoute, expect

from conftest import Cast
from portal.live.models import LivePart, LiveRecording, LiveTick, LiveTurn
from portal.participants.models import Consent, Participant
from tests.browser.chromium import DESKTOP, TABLET
from tests.browser.conftest import ZOOMED, accessible_everywhere, axe
from tests.browser.scene import Shoot, person_page, ready_talk

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
def stored(page: Page, participant: Participant) -> None:
    """As if the server had the journals of what its stand-in took."""
    answer = {"url": f"/personas/{participant.pk}/"}
    page.route(re.compile("/terminar/$"), lambda route: route.fulfill(json=answer))


@pytest.fixture
def prepare(
    page: Page, participant: Participant, consent: Consent, server: Server
) -> Callable[[], None]:
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
    expect(page.get_by_text("No se oye nada", exact=True)).to_be_visible()
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


def test_what_is_said_and_the_questions_that_tick_themselves(
    page: Page, interview: Callable[[], None], server: Server, shoot: Shoot
) -> None:
    interview()
    log = page.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "off")
    expect(log).to_contain_text("Aquí irá apareciendo lo que digan")
    shoot(page, "grabar-empieza")
    server.say(type="turns", turns=[turn(n) for n in range(4)])
    server.say(type="partial", text="de eso prefiero")
    server.say(
        type="coverage",
        ticks=[
            tick("lugar_vivir", "answered", "Vivo en la calle Olmo"),
            tick("empadronamiento", "answered", "Me empadroné allí la semana pasada"),
            tick("ingresos", "asked"),
            tick("retrasos_pago", "declined"),
        ],
    )
    expect(log.get_by_role("listitem")).to_have_count(3)
    expect(log.get_by_role("listitem").nth(1)).to_contain_text("desde marzo. Me empadroné")
    expect(log).to_contain_text("de eso prefiero")
    expect(row(page, "lugar_vivir")).to_contain_text("«Vivo en la calle Olmo»")
    expect(row(page, "ingresos")).to_contain_text("Preguntada")
    expect(row(page, "retrasos_pago")).to_contain_text("Prefirió no contestar")
    expect(page.locator(".asked-count")).to_have_text("3 de 16 ya tratadas")
    expect(page.get_by_role("link", name="Económico: 1/3")).to_be_visible()
    shoot(page, "grabar-entrevista")
    accessible_everywhere(page)
    # Its condition does not hold by now: neither asked nor counted.
    server.say(type="coverage", ticks=[], left_out=["ingresos"])
    expect(row(page, "ingresos")).to_be_hidden()
    expect(page.locator(".asked-count")).to_have_text("3 de 15 ya tratadas")
    server.say(type="coverage", ticks=[], left_out=[])
    expect(row(page, "ingresos")).to_be_visible()
    # Another voice than was thought: the turn is told again.
    server.say(type="turns", turns=[{**turn(3), "speaker": "S2", "role": "usuario"}, turn(4)])
    expect(log.get_by_role("listitem")).to_have_count(2)
    expect(log).not_to_contain_text("de eso prefiero")


def test_reading_back_is_left_in_peace(
    page: Page, interview: Callable[[], None], server: Server
) -> None:
    interview()
    many = [{**turn(n % 2), "position": n, "start": 4.0 * n} for n in range(40)]
    server.say(type="turns", turns=many)
    log = page.get_by_role("log")
    expect(log.get_by_role("listitem")).to_have_count(40)
    to_last = page.get_by_role("button", name="Ir a lo último")
    expect(to_last).to_be_hidden()
    log.hover()
    end = log.evaluate("log => log.scrollTop")
    page.mouse.wheel(0, -1500)
    page.wait_for_function(
        "end => document.querySelector('[role=log]').scrollTop < end - 1000", arg=end
    )
    server.say(type="turns", turns=[{**turn(4), "position": 40, "start": 160.0}])
    expect(to_last).to_be_visible()
    axe(page)
    expect(log.get_by_text("De eso prefiero no hablar.")).not_to_be_in_viewport()
    to_last.click()
    expect(log.get_by_text("De eso prefiero no hablar.")).to_be_in_viewport()
    expect(to_last).to_be_hidden()


def test_ticking_by_hand(
    page: Page, interview: Callable[[], None], stored: None, shoot: Shoot
) -> None:
    interview()
    question = row(page, "nacionalidad")
    toggle = question.get_by_role("button", name="nacionalidad española").first
    toggle.focus()
    page.keyboard.press("Space")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    expect(question).to_contain_text("A mano · Respondida")
    more = question.get_by_role("button", name="Cambiar la marca")
    more.click()
    axe(page)
    question.get_by_role("button", name="Prefirió no contestar").click()
    expect(question).to_contain_text("A mano · Prefirió no contestar")
    toggle.click()
    toggle.click()
    expect(question).to_contain_text("A mano · Sin preguntar")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    shoot(page, "grabar-a-mano")
    page.get_by_role("button", name="Terminar").click()
    expect(page.get_by_role("dialog")).to_contain_text("Antes de terminar")
    page.get_by_role("button", name="Terminar y guardar").click()
    expect(page).to_have_url(re.compile("/personas/"))
    kept = LiveTick.objects.get()
    assert (kept.question.slug, kept.state, kept.origin) == ("nacionalidad", "unasked", "person")


def test_what_the_sheet_has_already_is_not_asked_again(
    page: Page,
    participant: Participant,
    consent: Consent,
    cast: Cast,
    interview: Callable[[], None],
    shoot: Shoot,
) -> None:
    ready_talk(consent, cast)
    interview()
    expect(row(page, "empadronamiento")).to_contain_text("Ya en la ficha: Sí, en Olmo")
    expect(page.locator(".asked-count")).to_have_text("2 de 16 ya tratadas")
    page.keyboard.press("t")
    dialog = page.get_by_role("dialog", name="Antes de terminar")
    expect(dialog.get_by_role("listitem")).to_have_count(14)
    expect(dialog.get_by_role("heading", name="Personal")).to_be_visible()
    shoot(page, "grabar-antes-de-terminar")
    accessible_everywhere(page)
    dialog.get_by_role("button", name="Seguir con la entrevista").click()
    expect(controls(page)).to_contain_text("Grabando")


def test_a_private_pause_takes_the_whole_screen(
    page: Page, interview: Callable[[], None], server: Server, shoot: Shoot
) -> None:
    interview()
    server.say(type="turns", turns=[turn(0)])
    expect(page.get_by_role("log")).to_contain_text("Buenos días")
    page.get_by_role("button", name="Pausa privada").click()
    expect(page.get_by_role("heading", name="Pausa privada")).to_be_focused()
    expect(page.get_by_role("log")).to_be_hidden()
    expect(controls(page)).to_contain_text("Pausa privada")
    shoot(page, "grabar-pausa-privada")
    accessible_everywhere(page)
    page.get_by_role("button", name="Continuar grabando").click()
    expect(page.get_by_role("log")).to_contain_text("Pausa privada · 0:")
    expect(controls(page)).to_contain_text("Grabando")
    page.get_by_role("button", name="Pausa", exact=True).click()
    expect(page.get_by_text("En pausa: no se está grabando")).to_be_visible()
    shoot(page, "grabar-pausa")
    axe(page)


def test_a_cut_connection_is_told_calmly_and_ending_waits_for_it(
    page: Page, interview: Callable[[], None], server: Server, stored: None, shoot: Shoot
) -> None:
    interview()
    expect(controls(page)).to_contain_text("Conectado")
    expect(controls(page)).to_contain_text("Escuchando")
    expect(controls(page)).to_contain_text(re.compile(r"Guardado hasta 0:0[1-9]"))
    server.silent = True
    assert server.socket
    server.socket.close(code=1011)
    expect(controls(page)).to_contain_text("Sin conexión: la grabación sigue en este equipo")
    shoot(page, "grabar-sin-conexion")
    accessible_everywhere(page)
    page.keyboard.press("t")
    page.get_by_role("button", name="Terminar y guardar").click()
    dialog = page.get_by_role("dialog", name="Guardando la conversación")
    expect(dialog).to_contain_text("No hay conexión. La grabación está entera en este equipo")
    shoot(page, "grabar-terminar-sin-conexion")
    axe(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    server.silent = False
    expect(page).to_have_url(re.compile("/personas/"))


def test_what_cannot_be_ended_goes_on(
    page: Page, interview: Callable[[], None], problems: list[str], shoot: Shoot
) -> None:
    interview()
    page.keyboard.press("t")
    page.get_by_role("button", name="Terminar y guardar").click()
    dialog = page.get_by_role("dialog", name="Guardando la conversación")
    # The server itself has no audio: its stand-in took it.
    expect(dialog).to_contain_text("La grabación dura menos de dos segundos")
    expect(dialog.get_by_role("button", name="Volver a intentar")).to_be_focused()
    shoot(page, "grabar-no-termina")
    axe(page)
    dialog.get_by_role("button", name="Volver a la grabación").click()
    expect(page.get_by_role("heading", level=1).first).to_contain_text("grab")
    problems.clear()


def test_a_microphone_that_is_unplugged(
    page: Page, interview: Callable[[], None], server: Server, shoot: Shoot
) -> None:
    interview()
    page.evaluate("microphone.unplug()")
    problem = page.get_by_role("alert").filter(has_text="El micrófono se ha desconectado")
    expect(problem).to_contain_text("está a salvo")
    expect(controls(page)).to_contain_text("Detenida")
    shoot(page, "grabar-desconectado")
    accessible_everywhere(page)
    problem.get_by_role("button", name="Volver a intentar").click()
    expect(problem).to_be_hidden()
    expect(controls(page)).to_contain_text("Grabando")
    expect(page.get_by_role("log")).to_contain_text("Interrupción")


def test_another_device_takes_over_and_it_comes_back(
    page: Page, interview: Callable[[], None], server: Server, shoot: Shoot
) -> None:
    interview()
    server.refuse(4411, "La grabación continúa ahora en otra pestaña o en otro equipo.")
    stopped = page.get_by_role("alert").filter(has_text="La grabación continúa ahora en otra")
    expect(stopped).to_be_visible()
    shoot(page, "grabar-en-otro-sitio")
    axe(page)
    stopped.get_by_role("button", name="Continuar aquí").click()
    expect(controls(page)).to_contain_text("Grabando")
    assert server.hello["takeover"] is True


def test_discarding_asks_once(page: Page, interview: Callable[[], None], shoot: Shoot) -> None:
    interview()
    page.get_by_role("button", name="Más opciones").click()
    page.get_by_role("button", name="Descartar la grabación").click()
    dialog = page.get_by_role("dialog", name="¿Descartar la grabación?")
    expect(dialog).to_contain_text("Se borrarán el audio (0:0")
    shoot(page, "grabar-descartar")
    accessible_everywhere(page)
    dialog.get_by_role("button", name="No, conservarla").click()
    expect(controls(page)).to_contain_text("Grabando")
    page.get_by_role("button", name="Más opciones").click()
    page.get_by_role("button", name="Descartar la grabación").click()
    dialog.get_by_role("button", name="Descartar y borrar").click()
    expect(page).to_have_url(re.compile("/personas/"))


@pytest.fixture
def interrupted(participant: Participant, consent: Consent, cast: Cast) -> LiveRecording:
    """Ana's, with a turn and a tick; nobody is at it."""
    made = LiveRecording.objects.create(
        participant=participant,
        consent=consent,
        created_by=cast.owner,
        engine="local",
        saved_ms=SAVED_MS,
        seen_at=timezone.now() - timedelta(minutes=20),
    )
    part = LivePart.objects.create(recording=made, token=made.pk, number=1)
    for position, (speaker, role, text) in enumerate(TURNS):
        LiveTurn.objects.create(
            recording=made,
            part=part,
            position=position,
            speaker=speaker,
            role=role,
            start=4.0 * position,
            end=4.0 * position + 3,
            text=text,
        )
    return made


def test_going_on_with_an_interrupted_recording(
    page: Page, server: Server, interrupted: LiveRecording, shoot: Shoot
) -> None:
    page.goto(f"/grabaciones/{interrupted.pk}/")
    expect(page.get_by_role("heading", name="Esta grabación se interrumpió a las")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("12:43 de conversación")
    expect(page.get_by_role("log")).to_contain_text("De eso prefiero no hablar.")
    shoot(page, "grabar-interrumpida")
    accessible_everywhere(page)
    page.get_by_role("button", name="Continuar").click()
    expect(page.get_by_role("heading", name="Comprobemos el sonido")).to_be_focused()
    expect(page.get_by_text("Se oye bien")).to_be_visible()
    axe(page)
    server.saved_ms = SAVED_MS
    page.get_by_role("button", name="Seguir grabando").click()
    expect(controls(page)).to_contain_text("Grabando")
    expect(controls(page)).to_contain_text("12:4")
    assert server.hello["takeover"] is False


def test_taking_over_what_is_recorded_elsewhere(
    page: Page, server: Server, interrupted: LiveRecording, shoot: Shoot
) -> None:
    LiveRecording.objects.update(seen_at=timezone.now())
    page.goto(f"/grabaciones/{interrupted.pk}/")
    expect(page.get_by_role("heading", name="Se está grabando en otra pestaña")).to_be_visible()
    shoot(page, "grabar-en-otro-equipo")
    page.get_by_role("button", name="Continuar aquí").click()
    page.get_by_role("button", name="Seguir grabando").click()
    expect(controls(page)).to_contain_text("Grabando")
    assert server.hello["takeover"] is True


def test_an_interrupted_recording_waits_on_every_page(
    page: Page, interrupted: LiveRecording, participant: Participant, shoot: Shoot
) -> None:
    page.goto("/perfil/")
    bar = page.get_by_role("region", name="Grabaciones por terminar")
    expect(bar).to_contain_text("La grabación de Fátima Belkacem está interrumpida")
    expect(bar).to_contain_text("Guardado hasta 12:43")
    shoot(page, "barra")
    accessible_everywhere(page)
    person_page(page, participant)
    expect(bar).to_contain_text("está interrumpida")
    shoot(page, "barra-persona")
    page.on("dialog", lambda dialog: dialog.dismiss())
    bar.get_by_role("button", name="Descartar").click()
    expect(bar).to_contain_text("está interrumpida")
    bar.get_by_role("link", name="Continuar").click()
    expect(page.get_by_role("heading", name="Esta grabación se interrumpió")).to_be_visible()


def test_what_this_browser_still_holds_is_sent_or_kept_as_a_file(
    page: Page, interview: Callable[[], None], server: Server, shoot: Shoot
) -> None:
    interview()
    server.silent = True
    assert server.socket
    server.socket.close(code=1011)
    expect(controls(page)).to_contain_text(re.compile("quedan [2-9] s por enviar"))
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/perfil/")
    waiting = page.locator("#live-leftovers .waiting")
    expect(waiting).to_contain_text(re.compile(r"Enviando \d+ s de una grabación"))
    shoot(page, "barra-enviando")
    accessible_everywhere(page)
    server.silent = False
    server.refuses = (4410, "Esta grabación ya se ha terminado.")
    page.reload()
    expect(waiting).to_contain_text("que ya se terminó o se descartó")
    shoot(page, "barra-guardar")
    axe(page)
    with page.expect_download() as download:
        waiting.get_by_role("button", name="Guardar como archivo").click()
    head = download.value.path().read_bytes()[:12]
    assert head[:4] == b"RIFF" and head[8:] == b"WAVE"
    waiting.get_by_role("button", name="Borrar").click()
    expect(waiting).to_have_count(0)
    page.reload()
    expect(waiting).to_have_count(0)


def test_the_red_button_offers_both_ways(
    page: Page, participant: Participant, consent: Consent, server: Server, shoot: Shoot
) -> None:
    person_page(page, participant)
    add = page.get_by_role("button", name="Añadir una conversación")
    add.focus()
    page.keyboard.press("Enter")
    menu = page.locator(".fab")
    expect(menu.get_by_role("link", name="Grabar una conversación")).to_be_visible()
    shoot(page, "mas")
    axe(page)
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("link", name="Subir una conversación")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Grabar una conversación")).to_be_visible()


def test_the_bar_hides_nothing_at_any_size(
    page: Page, interview: Callable[[], None], server: Server
) -> None:
    interview()
    server.say(type="turns", turns=[turn(n) for n in range(5)])
    middle: ViewportSize = {"width": 1024, "height": 768}
    for size in (DESKTOP, TABLET, middle, ZOOMED):
        page.set_viewport_size(size)
        expect(controls(page)).to_be_in_viewport(ratio=1)
        last = row(page, "redes_apoyo").get_by_role("button").first
        page.get_by_role("button", name="Pausa", exact=True).focus()
        last.focus()
        boxes = last.bounding_box(), controls(page).bounding_box()
        assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"] + 1, size
        assert boxes[1]["height"] <= size["height"] / 3, size
