from __future__ import annotations

from collections.abc import Sequence

import pytest

from conftest import Cast
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import services
from portal.assessments.models import Sheet
from portal.conversations.models import Conversation, Speaker, Transcript, Turn
from portal.participants.models import Consent, Participant

LINES = (
    ("empleado", "¿Está usted empadronada en algún sitio?"),
    ("usuario", "Sí, en la calle Olmo, desde marzo."),
    ("empleado", "¿Y entra algún dinero en casa?"),
    ("usuario", "De eso prefiero no hablar."),
    ("empleado", "¿Qué tal de salud?"),
)


@pytest.fixture
def conversation(participant: Participant, consent: Consent, cast: Cast) -> Conversation:
    """Five turns of ten seconds, every word half a second long."""
    made = Conversation.objects.create(
        participant=participant,
        consent=consent,
        created_by=cast.owner,
        engine="local",
        status=Conversation.Status.READY,
        title="Padrón y dinero en casa",
        duration=50.0,
    )
    _say(made, LINES)
    return made


@pytest.fixture
def turns(conversation: Conversation) -> list[Turn]:
    return list(conversation.transcript.turns.all())


@pytest.fixture
def sheet(participant: Participant) -> Sheet:
    return services.sheet_for(participant)


@pytest.fixture
def filled(conversation: Conversation, turns: list[Turn]) -> Sheet:
    """One machine's answer with its proof, and one refusal."""
    return services.record_findings(
        conversation=conversation,
        findings=[
            Finding("empadronamiento", "answered", "Sí, en Olmo", (Evidence(1, "calle Olmo"),)),
            Finding("ingresos", "declined", evidence=(Evidence(3, "prefiero no hablar"),)),
        ],
        turns=turns,
        engine="local",
        model="1",
    )


LATER = (
    ("empleado", "¿Sigue empadronada en la calle Olmo?"),
    ("usuario", "No, ahora vivo en Lugo, con mi hermana."),
    ("empleado", "¿Y de dinero, cómo va?"),
    ("usuario", "Gano unos 600 euros limpiando."),
)


def later_interview(before: Conversation) -> Conversation:
    """Another one of the same person, of four turns like those of ``before``."""
    made = Conversation.objects.create(
        participant=before.participant,
        consent=before.consent,
        created_by=before.created_by,
        engine="local",
        status=Conversation.Status.READY,
        title="Se ha mudado",
        duration=40.0,
    )
    _say(made, LATER)
    return made


def _say(conversation: Conversation, lines: Sequence[tuple[str, str]]) -> None:
    transcript = Transcript.objects.create(
        conversation=conversation,
        engine="local",
        model="base",
        language="es",
        duration=len(lines) * 10.0,
    )
    speakers = {
        role: Speaker.objects.create(transcript=transcript, label=label, role=role)
        for label, role in (("S1", "empleado"), ("S2", "usuario"))
    }
    for position, (role, text) in enumerate(lines):
        begin = position * 10.0
        Turn.objects.create(
            transcript=transcript,
            speaker=speakers[role],
            position=position,
            start=begin,
            end=begin + 9,
            text=text,
            words=[
                [f" {w}", begin + n * 0.5, begin + n * 0.5 + 0.5, 0.9]
                for n, w in enumerate(text.split())
            ],
        )
