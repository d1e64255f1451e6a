"""What the final pass makes of a conversation that was recorded live."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import Cast
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import proofs
from portal.assessments import services as assessments
from portal.assessments.models import Answer
from portal.assessments.questionnaires import seed_default_questionnaire
from portal.conversations.models import Conversation
from portal.live import services
from portal.live.merging import merged
from portal.live.models import LiveRecording, VoiceSample
from portal.live.protocol import SAMPLE_RATE, GapKind
from portal.live.tests.scene import hear, pcm, record
from portal.participants.models import Consent
from portal.pipeline import engines, run, steps
from portal.pipeline.tests.conftest import SPOKEN
from portal.speech.audio import decode
from portal.speech.engines import base as speech
from portal.speech.roles import assign_roles

Start = Callable[..., LiveRecording]


@pytest.fixture
def start(cast: Cast, consent: Consent, tmp_path: Path, settings: Any) -> Start:
    settings.MEDIA_ROOT = str(tmp_path)
    seed_default_questionnaire()

    def begin(**voices: bytes) -> LiveRecording:
        return services.start(
            employee=cast.owner,
            participant=consent.participant,
            consent=consent,
            engine="local",
            language="es",
            voices=voices,
        )

    return begin


def answer(slug: str) -> Answer:
    return Answer.objects.get(question__slug=slug)


def nothing(_share: float) -> None:
    pass


# Without listening again: the steps on the live transcript


def assessed(recording: LiveRecording) -> Conversation:
    conversation = services.finish(recording=recording)
    steps.assess(conversation, nothing)
    return conversation


def test_the_final_pass_answers_what_was_not_ticked_live(start: Start) -> None:
    recording = start()
    hear(record(recording, pcm(16)))
    assessed(recording)
    assert answer("empadronamiento").state == "answered"


def test_the_final_pass_leaves_alone_what_a_person_unticked(start: Start, cast: Cast) -> None:
    recording = start()
    hear(record(recording, pcm(16)))
    services.tick(
        recording=recording, employee=cast.owner, question="empadronamiento", state="unasked"
    )
    assessed(recording)
    assert answer("empadronamiento").state == "unasked"


def test_what_a_person_ticked_is_at_least_asked_after_its_proof_is_gone(
    start: Start, cast: Cast
) -> None:
    recording = start()
    hear(record(recording, pcm(16)), [("usuario", 0.0, "Tengo una lavadora.")])
    services.tick(
        recording=recording, employee=cast.owner, question="redes_apoyo", state="answered"
    )
    conversation = services.finish(recording=recording)
    heard = Finding("redes_apoyo", "answered", "Sí", (Evidence(0, "lavadora"),), 0.5)
    turns = list(conversation.transcript.turns.select_related("speaker"))
    assessments.record_findings(
        conversation=conversation, findings=[heard], turns=turns, engine="x", model="1"
    )
    other = speech.Turn("S1", 60.0, 61.0, "Buenas tardes.")
    proofs.replace_transcript(
        conversation=conversation,
        transcript=speech.Transcript((other,), "es", 61.0, "local", "base"),
    )
    assert answer("redes_apoyo").state == "unasked"
    steps.assess(conversation, nothing)
    marked = answer("redes_apoyo")
    assert (marked.state, marked.edited_by) == ("asked", cast.owner)


def test_voices_with_samples_have_their_roles_and_the_samples_go(start: Start) -> None:
    recording = start(empleado=pcm(2), usuario=pcm(2))
    # By how they talk it would be the other way round.
    said = [("usuario", 0.0, "¿Tiene usted trabajo?"), ("empleado", 4.0, "Yo vivo con mi madre.")]
    hear(record(recording, pcm(16)), said)
    conversation = services.finish(recording=recording)
    steps.attribute(conversation, nothing)
    speakers = conversation.transcript.speakers.values_list("label", "role")
    assert all(label == role for label, role in speakers)
    assert not VoiceSample.objects.exists()


# The whole


@pytest.mark.model
@pytest.mark.parametrize("sampled", [False, True], ids=["no samples", "samples"])
def test_live_answers_survive_where_the_final_pass_has_nothing_better(
    start: Start, sampled: bool
) -> None:
    spoken = SPOKEN / "dialogue.ogg"
    sound = np.concatenate([block[0] for block in decode(spoken)])
    audio = (sound * 32767).astype("<i2").tobytes()
    recording = start(**(samples(audio) if sampled else {}))
    part = record(
        recording, audio[: 2 * 10 * SAMPLE_RATE], (GapKind.PRIVATE, 60_000), audio[320_000:]
    )
    heard = engines.transcription("local").transcribe(
        speech.Audio(spoken), options=speech.Options(language="es")
    )
    for turn in heard.turns:
        services.add_turns(
            part=part,
            turns=[turn],
            heard_samples=int(turn.end * SAMPLE_RATE),
            voices={},
            engine="local",
            model=heard.model,
        )
    services.set_roles(recording=recording, roles=assign_roles(heard.turns).roles)
    turns = merged(list(recording.turns.select_related("part")))
    # Something that the final pass will not say: its proof is in a turn of the person's.
    number, theirs = next(
        (n, t) for n, t in enumerate(turns) if t.role == "usuario" and len(t.text.split()) > 4
    )
    quote = " ".join(theirs.text.split()[:4])
    live = Finding("redes_apoyo", "answered", "Su prima", (Evidence(number, quote),), 0.4)
    services.record_ticks(
        recording=recording, findings=[live], turns=turns, engine="extractive", model="live"
    )
    conversation = services.finish(recording=recording)
    before = conversation.transcript.pk
    run.process(conversation.pk)
    conversation = Conversation.objects.get()
    assert conversation.status == "ready"
    assert conversation.transcript.pk != before
    kept = answer("redes_apoyo")
    assert (kept.state, kept.value, kept.model) == ("answered", "Su prima", "live")
    proof = kept.evidence.get()
    assert proof.turn.transcript_id == conversation.transcript.pk
    assert proof.turn.speaker.role == "usuario"
    assert proof.quote in proof.turn.text
    assert abs(proof.start - theirs.start) < 2
    assert answer("nacionalidad").state == "answered"
    assert conversation.gaps.get().at == 10.0
    assert conversation.duration == pytest.approx(len(sound) / SAMPLE_RATE, abs=0.01)
    assert not VoiceSample.objects.exists()
    if sampled:
        labels = set(conversation.transcript.speakers.values_list("label", flat=True))
        assert labels == {"empleado", "usuario"}


def samples(audio: bytes) -> dict[str, bytes]:
    """The longest turn of each, as the written dialogue says."""
    turns = json.loads((SPOKEN / "dialogue.json").read_text())["turns"]
    longest = {}
    for turn in sorted(turns, key=lambda turn: turn["end"] - turn["start"]):
        start, end = turn["start"], min(turn["end"], turn["start"] + 5)
        longest[turn["speaker"]] = audio[2 * int(start * SAMPLE_RATE) : 2 * int(end * SAMPLE_RATE)]
    return longest
