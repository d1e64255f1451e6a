"""From a spoken conversation to a ficha, with the real engines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from portal.assessments.models import Answer, Evidence, Sheet
from portal.conversations.models import Conversation, Playback, Speaker, Transcript, Turn
from portal.notifications.models import Notification
from portal.pipeline import run
from portal.pipeline.steps import Progress, Step
from portal.pipeline.tests.conftest import SPOKEN, Receive

pytestmark = pytest.mark.model


def counts() -> dict[str, int]:
    kinds = (Transcript, Turn, Speaker, Sheet, Answer, Evidence, Notification, Playback)
    return {kind.__name__: kind.objects.count() for kind in kinds}


def twice(step: Step) -> Step:
    """The step as after a kill between its result and its state: it is done again."""

    def do(conversation: Conversation, progress: Progress) -> None:
        step.run(conversation, progress)
        before = counts()
        step.run(Conversation.objects.get(pk=conversation.pk), progress)
        assert counts() == before, step.name

    return replace(step, run=do)


def test_from_recording_to_ficha(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "WORK", tuple(map(twice, run.WORK)))
    monkeypatch.setattr(run, "LAST", twice(run.LAST))
    monkeypatch.setattr(run, "AFTERWARDS", twice(run.AFTERWARDS))
    conversation = receive((SPOKEN / "dialogue.ogg").read_bytes())
    run.process(conversation.pk)
    conversation = Conversation.objects.get()
    assert {row.name: row.state for row in conversation.steps.all()} == dict.fromkeys(
        (
            "probe",
            "transcribe",
            "attribute",
            "describe",
            "assess",
            "review",
            "notify",
            "playback",
        ),
        "done",
    )
    assert all(row.attempts == 1 and row.progress == 1.0 for row in conversation.steps.all())
    assert conversation.status == "ready"
    assert conversation.duration == pytest.approx(29.9, abs=0.5)
    assert (conversation.recording.codec, conversation.recording.channels) == ("opus", 1)
    assert 1 <= len(conversation.title.split()) <= 7
    assert 1 <= len(conversation.description.split()) <= 30
    roles = set(conversation.transcript.speakers.values_list("role", flat=True))
    assert roles == {"empleado", "usuario"}
    assert "Colombia" in " ".join(turn.text for turn in conversation.transcript.turns.all())
    answered = Answer.objects.get(question__slug="nacionalidad")
    assert answered.state == "answered"
    evidence = answered.evidence.get()
    assert evidence.quote in evidence.turn.text
    assert Notification.objects.get().kind == "ready"
    folder = Path(conversation.recording.file.path).parent
    playback = conversation.playback
    assert {file.name for file in folder.iterdir()} == {
        "original.ogg",
        Path(playback.file.name).name,
    }
    assert playback.duration == pytest.approx(conversation.duration, abs=0.1)
    assert max(playback.peaks) == 100

    before = counts()
    run.process(conversation.pk)  # nothing is open
    assert counts() == before
