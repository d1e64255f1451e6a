from __future__ import annotations

import pytest

from conftest import Cast
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
    transcript = Transcript.objects.create(
        conversation=made, engine="local", model="base", language="es", duration=50.0
    )
    speakers = {
        role: Speaker.objects.create(transcript=transcript, label=label, role=role)
        for label, role in (("S1", "empleado"), ("S2", "usuario"))
    }
    for position, (role, text) in enumerate(LINES):
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
    return made


@pytest.fixture
def turns(conversation: Conversation) -> list[Turn]:
    return list(conversation.transcript.turns.all())


@pytest.fixture
def sheet(participant: Participant) -> Sheet:
    return services.sheet_for(participant)
