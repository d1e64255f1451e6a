"""Every step failing, one by one: what worked stays, and trying again heals it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conftest import Cast
from portal.assessments.models import Sheet
from portal.conversations.models import Conversation
from portal.conversations.steps import NOT_WAITED_FOR, PRODUCTS, StepName
from portal.engine import EngineError
from portal.notifications.models import Notification
from portal.pipeline import engines, run
from portal.pipeline.steps import AFTERWARDS, LAST, WORK, Progress, Step
from portal.pipeline.tests.conftest import SPOKEN, Receive
from portal.speech.engines import base as speech

REASON = "No se ha podido esta vez."
SCRIPT = json.loads((SPOKEN / "dialogue.json").read_text())["turns"]


class Reader:
    """In the place of an engine that listens: it knows what is said in the file."""

    name = "local"

    def transcribe(self, *_args: Any, **_options: Any) -> speech.Transcript:
        speakers = {"empleado": "S1", "usuario": "S2"}
        turns = tuple(
            speech.Turn(speakers[turn["speaker"]], turn["start"], turn["end"], turn["text"])
            for turn in SCRIPT
        )
        return speech.Transcript(turns, "es", turns[-1].end, "local", "base")


@dataclass
class Failing:
    """Fails until it is mended."""

    step: Step
    broken: bool = True

    def run(self, conversation: Conversation, progress: Progress) -> None:
        if self.broken:
            raise EngineError(REASON)
        self.step.run(conversation, progress)


STEPS = {step.name: step for step in (*WORK, LAST, AFTERWARDS)}


@pytest.mark.parametrize("name", STEPS)
def test_what_worked_stays_and_trying_again_heals_it(
    receive: Receive, cast: Cast, monkeypatch: pytest.MonkeyPatch, name: StepName
) -> None:
    monkeypatch.setattr(engines, "transcription", lambda _name: Reader())
    failing = Failing(STEPS[name])
    doing = {**STEPS, name: replace(failing.step, run=failing.run)}
    monkeypatch.setattr(run, "WORK", tuple(doing[step.name] for step in WORK))
    monkeypatch.setattr(run, "LAST", doing[LAST.name])
    monkeypatch.setattr(run, "AFTERWARDS", doing[AFTERWARDS.name])
    conversation = receive((SPOKEN / "dialogue.ogg").read_bytes())
    client = cast.client(cast.owner)

    run.process(conversation.pk)
    conversation.refresh_from_db()
    row = conversation.steps.get(name=name)
    assert (row.state, row.reason) == ("failed", REASON)
    heard = name not in (StepName.PROBE, StepName.TRANSCRIBE)
    expected = "ready" if name in NOT_WAITED_FOR else "partial" if heard else "failed"
    assert conversation.status == expected
    # The audio is there whatever failed, and all that had been made of it.
    assert client.get(reverse("conversations:audio", args=[conversation.pk])).status_code == 200
    assert_shown(client, conversation, heard=heard)
    assert bool(conversation.title) == (heard and name != StepName.DESCRIBE)
    answered = Sheet.objects.filter(answers__state="answered").exists()
    assert answered == (heard and name != StepName.ASSESS)
    if name != StepName.NOTIFY:
        assert Notification.objects.get().kind == expected
        for page in ("card", "transcript"):
            html = read(client, page, conversation)
            assert REASON in html
            assert str(PRODUCTS[name]) in html
            assert "Reintentar" in html
    Notification.objects.update(opened_at=timezone.now())

    failing.broken = False
    response = client.post(reverse("conversations:retry", args=[conversation.pk]))
    assert response.status_code == 302
    conversation.refresh_from_db()
    assert conversation.status == ("ready" if name in NOT_WAITED_FOR else "processing")
    assert_shown(client, conversation, heard=heard)
    run.process(conversation.pk)
    conversation.refresh_from_db()
    assert conversation.status == "ready"
    assert set(conversation.steps.values_list("state", flat=True)) == {"done"}
    assert conversation.title
    assert Sheet.objects.filter(answers__state="answered").exists()
    told = Notification.objects.get()
    assert told.kind == "ready"
    # Of what they did not wait for they are not told a second time.
    assert (told.opened_at is None) == (name != StepName.PLAYBACK)
    assert_shown(client, conversation, heard=True)
    for page in ("card", "transcript"):
        html = read(client, page, conversation)
        assert REASON not in html
        assert "Reintentar" not in html


def read(client: Client, page: str, conversation: Conversation) -> str:
    return client.get(reverse(f"conversations:{page}", args=[conversation.pk])).content.decode()


def assert_shown(client: Client, conversation: Conversation, *, heard: bool) -> None:
    first = SCRIPT[0]["text"].split()[0]
    text = client.get(reverse("conversations:export", args=[conversation.pk, "txt"]))
    if heard:
        assert first in read(client, "transcript", conversation)
        assert "Ver transcripción" in read(client, "card", conversation)
        assert first in text.content.decode()
    else:
        assert "Ver transcripción" not in read(client, "card", conversation)
        assert text.status_code == 302
