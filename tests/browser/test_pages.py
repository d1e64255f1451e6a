"""A person's page, sending a recording, the transcript with its player, and the ficha."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files import File
from playwright.sync_api import Page, Route, expect

from conftest import Cast
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import services as assessments
from portal.assessments.models import Answer, Sheet
from portal.conversations.models import (
    Conversation,
    ProcessingStep,
    Recording,
    Speaker,
    Transcript,
    Turn,
    Upload,
)
from portal.conversations.steps import StepName
from portal.notifications import services as notifications
from portal.participants.models import Consent, Participant
from tests.browser.conftest import accessible_everywhere, axe

# Several workers may share a small machine; what is waited for comes, if late.
expect.set_options(timeout=20_000)

Shoot = Callable[[Page, str], None]
AUDIO = Path(__file__).parent.parent / "audio" / "dialogue.ogg"
CHUNK = 8 * 1024 * 1024

SPEAKERS = {"empleado": "S1", "usuario": "S2", "otro": "S3"}
LINES = (
    ("empleado", "Buenos días. ¿Está usted empadronada en algún sitio?"),
    ("usuario", "Sí, en la calle Olmo, desde marzo, con mi prima."),
    ("otro", "Perdone, ¿puedo cerrar la puerta?"),
    ("empleado", "¿Y entra algún dinero en casa?"),
    ("usuario", "De eso prefiero no hablar."),
)


def conversation_of(consent: Consent, cast: Cast, **fields: object) -> Conversation:
    made = Conversation.objects.create(
        participant=consent.participant,
        consent=consent,
        created_by=cast.owner,
        engine="local",
        **fields,
    )
    recording = Recording(
        conversation=made,
        original_name=AUDIO.name,
        size=AUDIO.stat().st_size,
        sha256=made.pk.hex * 2,
    )
    with AUDIO.open("rb") as file:
        recording.file.save(AUDIO.name, File(file))
    recording.save()
    return made


def steps_of(conversation: Conversation, **states: tuple[str, float, str]) -> None:
    """Every step done, but for those in ``states``: name to (state, progress, reason)."""
    for position, name in enumerate(StepName):
        state, progress, reason = states.get(name, ("done", 1.0, ""))
        ProcessingStep.objects.create(
            conversation=conversation,
            name=name,
            position=position,
            state=state,
            progress=progress,
            reason=reason,
        )


RUNNING = {
    "transcribe": ("running", 0.43, ""),
    "attribute": ("waiting", 0.0, ""),
    "describe": ("waiting", 0.0, ""),
    "assess": ("waiting", 0.0, ""),
    "notify": ("waiting", 0.0, ""),
}


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    """Ready, with a transcript of five turns of four seconds and a ficha filled from it."""
    made = conversation_of(
        consent,
        cast,
        status=Conversation.Status.READY,
        title="Padrón y dinero en casa",
        description="Vive con su prima en la calle Olmo desde marzo.",
        duration=29.0,
    )
    steps_of(made)
    transcript = Transcript.objects.create(
        conversation=made, engine="local", model="base", language="es", duration=29.0
    )
    turns = []
    for position, (role, text) in enumerate(LINES):
        speaker, _ = Speaker.objects.get_or_create(
            transcript=transcript, label=SPEAKERS[role], role=role
        )
        begin = position * 5.0
        words = [
            [f" {w}", begin + n / 4, begin + n / 4 + 0.2, 0.9] for n, w in enumerate(text.split())
        ]
        turns.append(
            Turn.objects.create(
                transcript=transcript,
                speaker=speaker,
                position=position,
                start=begin,
                end=begin + 4,
                text=text,
                words=words,
            )
        )
    assessments.record_findings(
        conversation=made,
        findings=[
            Finding("empadronamiento", "answered", "Sí, en Olmo", (Evidence(1, "calle Olmo"),)),
            Finding("ingresos", "declined", evidence=(Evidence(4, "prefiero no hablar"),)),
            Finding("redes_apoyo", "asked", evidence=(Evidence(3, "¿Y entra"),)),
        ],
        turns=turns,
        engine="local",
        model="1",
    )
    return made


def person_page(page: Page, participant: Participant) -> None:
    page.goto(f"/personas/{participant.pk}/")


# The person's page


def test_an_empty_page_teaches(page: Page, participant: Participant, shoot: Shoot) -> None:
    person_page(page, participant)
    expect(page.get_by_role("heading", name="Todavía no hay conversaciones")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^Ficha:"))).to_have_count(0)
    accessible_everywhere(page)
    shoot(page, "persona-vacia")


def test_every_state_of_a_card(
    page: Page, cast: Cast, consent: Consent, talk: Conversation, shoot: Shoot
) -> None:
    partial = conversation_of(consent, cast, status="partial", title="Segunda visita")
    steps_of(partial, assess=("failed", 0.0, "El texto era demasiado corto."))
    failed = conversation_of(consent, cast, status="failed", duration=3.0)
    steps_of(failed, transcribe=("failed", 0.0, "No se oye ninguna voz."))
    steps_of(conversation_of(consent, cast, duration=754.0), **RUNNING)
    person_page(page, consent.participant)
    expect(page.get_by_role("article")).to_have_count(4)
    expect(page.get_by_text("No se oye ninguna voz.")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Transcribiendo")).to_have_attribute("value", "43")
    expect(page.get_by_role("link", name="Ficha: 1 de 16 respondidas")).to_be_visible()
    expect(page.locator("#activity")).to_contain_text("Transcribiendo")
    accessible_everywhere(page)
    page.get_by_text("Consentimiento del").click()
    axe(page)
    shoot(page, "persona")


def test_a_conversation_that_ends_is_told_and_the_page_stops_asking(
    page: Page, cast: Cast, consent: Consent
) -> None:
    conversation = conversation_of(consent, cast, duration=60.0)
    steps_of(conversation, **RUNNING)
    person_page(page, consent.participant)
    expect(page.locator("#activity")).to_contain_text("Transcribiendo")
    # What one is at with the keyboard stays so while the card is drawn again.
    page.locator(f"#play-{conversation.pk}").focus()
    conversation.steps.update(state="done")
    conversation.status, conversation.title = "ready", "Padrón y salud"
    conversation.save()
    notifications.notify(conversation)
    expect(page.get_by_role("heading", name="Padrón y salud")).to_be_visible()
    expect(page.locator(f"#play-{conversation.pk}")).to_be_focused()
    expect(page.locator("#toasts")).to_contain_text("La conversación está lista")
    expect(page.locator("#activity")).to_have_text("")
    bell = page.get_by_role("button", name="Notificaciones: 1 sin abrir")
    expect(bell).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)  # longer than the two seconds between two questions
    assert asked == []
    bell.click()
    # The menu is above the notice that says the same.
    page.locator("#bell").get_by_role("button", name=re.compile("Padrón y salud")).click()
    expect(page).to_have_url(re.compile(rf"conversacion={conversation.pk}#c-{conversation.pk}$"))
    expect(page.get_by_role("button", name="Notificaciones", exact=True)).to_be_visible()


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


def test_what_failed_is_tried_again(page: Page, cast: Cast, consent: Consent) -> None:
    conversation = conversation_of(consent, cast, status="failed", duration=3.0)
    steps_of(conversation, transcribe=("failed", 0.0, "No se oye ninguna voz."))
    person_page(page, consent.participant)
    page.get_by_role("button", name="Reintentar").click()
    expect(page.get_by_role("article")).to_contain_text("La estamos procesando")
    expect(page.locator("#activity")).to_contain_text("Transcribiendo")
    conversation.refresh_from_db()
    assert conversation.status == "processing"


def test_the_page_of_notifications(page: Page, talk: Conversation, shoot: Shoot) -> None:
    page.goto("/notificaciones/")
    expect(page.get_by_text("Todavía no hay nada")).to_be_visible()
    notifications.notify(talk)
    page.reload()
    expect(page.get_by_role("main").get_by_role("button")).to_have_count(1)
    accessible_everywhere(page)
    shoot(page, "notificaciones")


# Sending a recording


def open_dialog(page: Page, participant: Participant) -> None:
    person_page(page, participant)
    page.get_by_role("navigation", name="Añadir").get_by_role("link").click()
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


def test_the_dialog_as_a_page(page: Page, participant: Participant, consent: Consent) -> None:
    page.goto(f"/personas/{participant.pk}/subir/")
    accessible_everywhere(page)
    send(page, AUDIO)
    expect(page).to_have_url(re.compile(f"/personas/{participant.pk}/$"))
    expect(page.get_by_role("article")).to_have_count(1)


# The transcript and the player


def test_the_transcript_is_a_chat_that_plays(page: Page, talk: Conversation, shoot: Shoot) -> None:
    page.goto(f"/conversaciones/{talk.pk}/")
    boxes = {
        role: page.locator(f".turn.role-{role} .turn-text").first.bounding_box()
        for role in ("empleado", "usuario")
    }
    assert boxes["empleado"] and boxes["usuario"]
    assert boxes["empleado"]["x"] > boxes["usuario"]["x"]
    accessible_everywhere(page)
    shoot(page, "transcripcion")
    page.get_by_role("button", name="Reproducir desde 0:15").click()
    player = page.get_by_role("region", name="Reproductor")
    expect(player).to_be_visible()
    expect(page.locator("#turno-3")).to_have_class(re.compile("is-heard"))
    player.get_by_role("button", name="Pausar").click()
    at = page.locator("audio").evaluate("a => a.currentTime")
    assert 15 <= at < 20
    player.get_by_role("button", name="Retroceder 5 segundos").click()
    back = page.locator("audio").evaluate("a => a.currentTime")
    assert back == pytest.approx(at - 5, abs=0.1)
    player.get_by_role("button", name="Avanzar 5 segundos").click()
    slider = player.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^0:00 de 0:2"))
    axe(page)
    shoot(page, "reproductor")
    page.keyboard.press("Escape")
    expect(player).to_be_hidden()
    expect(page.get_by_role("button", name="Reproducir desde 0:15")).to_be_focused()


def test_a_recording_that_cannot_be_had_is_told(
    page: Page, talk: Conversation, problems: list[str]
) -> None:
    talk.recording.file.delete(save=False)
    page.goto(f"/conversaciones/{talk.pk}/")
    page.get_by_role("button", name="Reproducir", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("No se puede reproducir")
    problems.clear()


def test_a_transcript_that_is_not_there_yet(page: Page, cast: Cast, consent: Consent) -> None:
    conversation = conversation_of(consent, cast)
    steps_of(conversation, **RUNNING)
    page.goto(f"/conversaciones/{conversation.pk}/")
    expect(page.get_by_text("Todavía la estamos transcribiendo")).to_be_visible()
    accessible_everywhere(page)


# The ficha


def sheet_page(page: Page, talk: Conversation) -> None:
    page.goto(f"/personas/{talk.participant_id}/ficha/")


def answer(slug: str) -> Answer:
    return Sheet.objects.get().answers.get(question__slug=slug)


def test_the_ficha_shows_its_proof(page: Page, talk: Conversation, shoot: Shoot) -> None:
    sheet_page(page, talk)
    accessible_everywhere(page)
    shoot(page, "ficha")
    home = page.get_by_role("article", name=re.compile("empadronado"))
    expect(home).to_contain_text("«calle Olmo»")
    home.get_by_role("button", name="Escuchar desde 0:05").click()
    expect(page.get_by_role("region", name="Reproductor")).to_be_visible()
    home.get_by_role("link", name="Fátima Belkacem, 0:05").click()
    expect(page).to_have_url(re.compile(f"/conversaciones/{talk.pk}/#turno-1$"))


def test_an_answer_is_written_with_the_keyboard_alone(
    page: Page, talk: Conversation, shoot: Shoot
) -> None:
    sheet_page(page, talk)
    first = page.get_by_role("article").first
    button = first.get_by_role("button", name=re.compile("Editar: ¿Tiene usted la nacionalidad"))
    page.locator("#main").focus()
    for _ in range(20):
        if button.evaluate("b => b === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("e")
    field = first.get_by_role("textbox", name=re.compile("nacionalidad"))
    expect(field).to_be_focused()
    accessible_everywhere(page)
    shoot(page, "ficha-editar")
    page.keyboard.type("No, tiene")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("residencia")
    page.keyboard.press("Enter")
    expect(button).to_be_focused()
    expect(first).to_contain_text("Escrita por Ana Robles")
    expect(page.get_by_text("2 de 16")).to_be_visible()
    assert answer("nacionalidad").value.splitlines() == ["No, tiene", "residencia"]
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.type(" y algo más")
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    assert answer("nacionalidad").value.splitlines() == ["No, tiene", "residencia"]
    axe(page)


def test_the_state_is_changed_with_the_keyboard(page: Page, talk: Conversation) -> None:
    sheet_page(page, talk)
    first = page.get_by_role("article").first
    state = first.get_by_role("button", name="Sin preguntar")
    state.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    changed = first.get_by_role("button", name="Prefirió no contestar")
    expect(changed).to_be_focused()
    assert answer("nacionalidad").state == "declined"


def test_taking_an_answer_away_is_asked_first(page: Page, talk: Conversation) -> None:
    sheet_page(page, talk)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    home = page.get_by_role("article", name=re.compile("empadronado"))
    home.get_by_role("button", name="Respondida").click()
    home.get_by_role("button", name="Sin preguntar").click()
    assert asked == ["Se quitará la respuesta escrita: «Sí, en Olmo». ¿Seguimos?"]
    assert answer("empadronamiento").value == "Sí, en Olmo"


def test_a_save_that_fails_keeps_what_was_written(
    page: Page, talk: Conversation, problems: list[str]
) -> None:
    sheet_page(page, talk)
    first = page.get_by_role("article").first
    first.get_by_role("button", name=re.compile("^Escribir la respuesta")).click()
    field = first.get_by_role("textbox")
    expect(field).to_be_focused()
    page.route("**/respuestas/**", lambda route: route.abort("connectionreset"))
    page.keyboard.type("No, tiene residencia")
    page.keyboard.press("Enter")
    expect(first.get_by_role("alert")).to_contain_text("Lo que ha escrito sigue aquí")
    expect(field).to_have_value("No, tiene residencia")
    expect(field).to_be_focused()
    page.unroute("**/respuestas/**")
    page.keyboard.press("Enter")
    expect(first).to_contain_text("Escrita por Ana Robles")
    assert answer("nacionalidad").value == "No, tiene residencia"
    problems.clear()


def test_a_ficha_without_conversations_teaches(page: Page, participant: Participant) -> None:
    page.goto(f"/personas/{participant.pk}/ficha/")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("La ficha empieza"))
    accessible_everywhere(page)
