"""A conversation of two voices with its recording, as the pipeline leaves one."""

from __future__ import annotations

from django.core.files.base import ContentFile

from conftest import Cast
from portal.conversations.models import (
    Conversation,
    ProcessingStep,
    Recording,
    Speaker,
    Transcript,
    Turn,
)
from portal.conversations.steps import StepName
from portal.participants.models import Consent

SOUND = bytes(range(256)) * 40

LINES = (
    ("S1", "empleado", "Buenos días. ¿Está usted empadronada?"),
    ("S2", "usuario", "Sí, <b>en</b> la calle Olmo & con mi prima --> desde marzo."),
    ("S3", "otro", "=HYPERLINK(x)\x0b\x1b tachado: ████"),
)


def conversation(consent: Consent, cast: Cast, **fields: object) -> Conversation:
    given = {"status": "ready", "title": "Padrón y salud", "duration": 29.0, **fields}
    made = Conversation.objects.create(
        participant=consent.participant,
        consent=consent,
        created_by=cast.owner,
        engine="local",
        **given,
    )
    recording = Recording(
        conversation=made, original_name="a.ogg", size=len(SOUND), sha256=made.pk.hex * 2
    )
    recording.file.save("a.ogg", ContentFile(SOUND))
    recording.save()
    return made


def steps(conversation: Conversation, **states: tuple[str, str]) -> None:
    """Every step done, but for those in ``states``: name to (state, reason)."""
    for position, name in enumerate(StepName):
        state, reason = states.get(name, ("done", ""))
        ProcessingStep.objects.create(
            conversation=conversation, name=name, position=position, state=state, reason=reason
        )


def transcribed(conversation: Conversation, language: str = "es") -> Transcript:
    """``LINES``, five seconds apart; each word takes half a second."""
    transcript = Transcript.objects.create(
        conversation=conversation, engine="local", model="base", language=language, duration=29.0
    )
    for position, (label, role, text) in enumerate(LINES):
        speaker = Speaker.objects.create(transcript=transcript, label=label, role=role)
        begin = position * 5.0
        words = text.split()
        Turn.objects.create(
            transcript=transcript,
            speaker=speaker,
            position=position,
            start=begin,
            end=begin + len(words) / 2,
            text=text,
            words=[[word, begin + n / 2, begin + n / 2 + 0.4, 0.9] for n, word in enumerate(words)],
        )
    return transcript
