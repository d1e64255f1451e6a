"""What the pipeline finds out of a conversation, kept; what a person said of it stays."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from portal.conversations.models import (
    Conversation,
    Recording,
    Speaker,
    Transcript,
    Turn,
    VoiceActivity,
)
from portal.speech import audio as speech_audio
from portal.speech.engines import base as speech


@transaction.atomic
def save_probe(*, conversation: Conversation, info: speech_audio.AudioInfo) -> None:
    conversation.duration = info.duration
    conversation.save(update_fields=["duration"])
    Recording.objects.filter(conversation=conversation).update(
        codec=info.codec[:30], sample_rate=info.sample_rate, channels=info.channels
    )


def save_engine(*, conversation: Conversation, engine: str) -> None:
    """The one that has transcribed it, which need not be the one that was asked to."""
    if conversation.engine != engine:
        conversation.engine = engine
        conversation.save(update_fields=["engine"])


@transaction.atomic
def save_transcript(*, conversation: Conversation, transcript: speech.Transcript) -> Transcript:
    """Keep ``transcript`` in place of the one before, if any."""
    Turn.objects.filter(transcript__conversation=conversation).delete()
    Transcript.objects.filter(conversation=conversation).delete()
    kept = Transcript.objects.create(
        conversation=conversation,
        engine=transcript.engine,
        model=transcript.model[:80],
        language=transcript.language[:5],
        duration=transcript.duration,
    )
    if transcript.voice:
        VoiceActivity.objects.update_or_create(
            conversation=conversation, defaults={"probability": transcript.voice}
        )
    labels = dict.fromkeys(turn.speaker for turn in transcript.turns)
    speakers = {
        speaker.label: speaker
        for speaker in Speaker.objects.bulk_create(
            Speaker(transcript=kept, label=label) for label in labels
        )
    }
    Turn.objects.bulk_create(
        (
            Turn(
                transcript=kept,
                speaker=speakers[turn.speaker],
                position=position,
                start=turn.start,
                end=turn.end,
                text=turn.text,
                words=[[word.text, word.start, word.end, word.probability] for word in turn.words],
            )
            for position, turn in enumerate(transcript.turns)
        ),
        batch_size=500,
    )
    return kept


@transaction.atomic
def save_roles(*, conversation: Conversation, roles: Mapping[str, str]) -> None:
    """``roles``: a Speaker.Role for each speaker's label. What a person said of one stays."""
    open_to_machines = Speaker.objects.filter(edited_by=None)
    for speaker in open_to_machines.filter(transcript__conversation=conversation):
        speaker.role = Speaker.Role(roles.get(speaker.label, Speaker.Role.OTHER))
        speaker.save(update_fields=["role"])


def save_description(*, conversation: Conversation, title: str, description: str) -> None:
    """What a machine calls it, unless a person has written a title and a description."""
    open_to_machines = Conversation.objects.filter(pk=conversation.pk, titled_by=None)
    open_to_machines.update(title=title[:120], description=description[:400])
    conversation.refresh_from_db(fields=["title", "description"])
