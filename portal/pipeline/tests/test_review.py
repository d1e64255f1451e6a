"""The step that looks for moments to review: what it reads, and what its failure leaves."""

from __future__ import annotations

import numpy as np
import pytest

from portal.conversations import results
from portal.conversations.models import Conversation, Gap, VoiceActivity
from portal.corrections import flags
from portal.corrections.models import Flag
from portal.pipeline import steps
from portal.pipeline.tests.conftest import SPOKEN, Receive
from portal.speech import quality
from portal.speech.audio import BadAudio
from portal.speech.engines import base as speech


def turn(start: float, text: str, probability: float = 0.9) -> speech.Turn:
    words = tuple(
        speech.Word(word, start + n * 0.4, start + n * 0.4 + 0.4, probability)
        for n, word in enumerate(text.split())
    )
    return speech.Turn("S1", start, words[-1].end, text, words)


TURNS = (
    turn(0.6, "Buenos días. ¿Tiene usted la nacionalidad española o no?"),
    turn(5.7, "No, soy de Colombia pero tengo permiso de residencia.", 0.3),
)
"""Of a recording in which others speak until second 29."""


@pytest.fixture
def conversation(receive: Receive) -> Conversation:
    made = receive((SPOKEN / "dialogue.ogg").read_bytes())
    results.save_transcript(
        conversation=made, transcript=speech.Transcript(TURNS, "es", 29.9, "other", "1")
    )
    return made


def review(conversation: Conversation) -> list[tuple[str, str]]:
    steps.review(Conversation.objects.get(pk=conversation.pk), lambda share: None)
    return [(flag.kind, flag.quote) for flag in conversation.flags.all()]


@pytest.mark.model
@pytest.mark.django_db
def test_of_an_engine_that_did_not_listen_for_voices(conversation: Conversation) -> None:
    found = review(conversation)
    assert ("name", "Colombia") in found
    missed = conversation.flags.filter(kind="missed")
    assert missed.exists()
    assert all(flag.start > 9 and flag.turn is None for flag in missed)
    assert review(conversation) == found


@pytest.mark.django_db
def test_what_the_engine_heard_is_enough(conversation: Conversation) -> None:
    # By what it heard nobody spoke after the two turns; the file is not opened again.
    said = [(t.start, t.end) for t in TURNS]
    voice = bytearray(int(29.9 * 31.25))
    for start, end in said:
        for step in range(int(start * 31.25), int(end * 31.25)):
            voice[step] = 250
    results.save_transcript(
        conversation=conversation,
        transcript=speech.Transcript(TURNS, "es", 29.9, "local", "base", bytes(voice)),
    )
    conversation.recording.file.delete(save=False)
    assert review(conversation) == [("name", "Colombia")]
    Gap.objects.create(conversation=conversation, kind=Gap.Kind.PAUSED, at=10.0, seconds=60)
    assert review(conversation) == [("name", "Colombia")]
    results.save_transcript(
        conversation=conversation,
        transcript=speech.Transcript(TURNS, "es", 29.9, "local", "base", bytes(len(voice))),
    )
    assert VoiceActivity.objects.count() == 1
    assert {kind for kind, _ in review(conversation)} >= {"silence"}


@pytest.mark.django_db
def test_a_sound_that_cannot_be_read_leaves_what_there_is(
    receive: Receive,
) -> None:
    made = receive(b"no sound at all")
    results.save_transcript(
        conversation=made, transcript=speech.Transcript(TURNS, "es", 29.9, "other", "1")
    )
    turns = list(made.transcript.turns.all())
    moments = quality.moments(TURNS, np.empty(0, np.float32), language="es")
    flags.save(conversation=made, moments=moments, turns=turns)
    before = Flag.objects.count()
    assert before
    with pytest.raises(BadAudio):
        review(made)
    assert (Flag.objects.count(), made.transcript.turns.count()) == (before, 2)
