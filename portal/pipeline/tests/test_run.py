"""What is tried, skipped, tried again and told when steps fail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import OperationalError
from django.utils import timezone

from portal.conversations import retrying
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, ProcessingStep
from portal.conversations.steps import StepName
from portal.engine import EngineError
from portal.notifications.models import Notification
from portal.notifications.queries import in_progress
from portal.participants.models import Consent
from portal.pipeline import run
from portal.pipeline.outcomes import Interrupted, TryLater
from portal.pipeline.steps import AFTERWARDS, LAST, WORK, Progress, Step
from portal.pipeline.tests.conftest import Receive
from portal.speech.audio import BadAudio

SECRET = "lo que dijo la persona"


class Rehearsal:
    """The pipeline with every step doing nothing, until a test says otherwise."""

    def __init__(self, conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
        self.conversation = conversation
        self.monkeypatch = monkeypatch
        self.ran: list[str] = []
        self.errors: dict[str, BaseException] = {}
        monkeypatch.setattr(run, "WORK", tuple(self._idle(step) for step in WORK))
        monkeypatch.setattr(run, "AFTERWARDS", self._idle(AFTERWARDS))

    def _idle(self, step: Step) -> Step:
        def do(_conversation: Conversation, progress: Progress) -> None:
            self.ran.append(step.name)
            if step.name in self.errors:
                raise self.errors[step.name]
            progress(0.5)

        return replace(step, run=do)

    def go(self) -> dict[str, str]:
        self.ran.clear()
        run.process(self.conversation.pk)
        return self.states()

    def states(self) -> dict[str, str]:
        return dict(self.conversation.steps.values_list("name", "state"))

    def step(self, name: str) -> ProcessingStep:
        return self.conversation.steps.get(name=name)

    @property
    def status(self) -> str:
        self.conversation.refresh_from_db()
        return self.conversation.status


@pytest.fixture
def rehearsal(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    return Rehearsal(receive(b"sound"), monkeypatch)


def test_all_in_order(rehearsal: Rehearsal) -> None:
    assert set(rehearsal.go().values()) == {"done"}
    assert rehearsal.ran == [
        "probe", "transcribe", "attribute", "assess", "describe", "review", "playback",
    ]  # fmt: skip
    assert rehearsal.status == "ready"
    assert rehearsal.go()
    assert rehearsal.ran == []


def test_the_steps_are_those_that_people_see() -> None:
    names = [step.name for step in WORK]
    assert [*names, LAST.name, AFTERWARDS.name] == list(StepName)
    for position, step in enumerate(WORK):
        assert set(step.needs) <= set(names[:position])


def test_one_that_fails_hides_nothing(rehearsal: Rehearsal) -> None:
    rehearsal.errors["describe"] = EngineError("No hay palabras suficientes.")
    states = rehearsal.go()
    assert (states["describe"], states["assess"], states["notify"]) == ("failed", "done", "done")
    assert rehearsal.step("describe").reason == "No hay palabras suficientes."
    assert rehearsal.status == "partial"
    assert Notification.objects.get().kind == "partial"


def test_what_comes_afterwards_is_not_waited_for(rehearsal: Rehearsal) -> None:
    rehearsal.errors["playback"] = OSError(28, SECRET)
    with pytest.raises(TryLater):
        rehearsal.go()
    assert rehearsal.states()["playback"] == "waiting"
    assert rehearsal.status == "ready"
    assert Notification.objects.get().kind == "ready"
    assert in_progress(rehearsal.conversation.created_by) == []
    rehearsal.errors["playback"] = BadAudio("truncated")
    assert rehearsal.go()["playback"] == "failed"
    assert rehearsal.status == "ready"
    rehearsal.errors.clear()
    retrying.retry(conversation=rehearsal.conversation, employee=rehearsal.conversation.created_by)
    assert rehearsal.go()["playback"] == "done"


def test_one_from_before_there_was_a_step(rehearsal: Rehearsal) -> None:
    rehearsal.step("playback").delete()
    assert set(rehearsal.go().values()) == {"done"}
    assert "playback" not in rehearsal.ran


def test_what_depends_on_it_is_not_tried(rehearsal: Rehearsal) -> None:
    rehearsal.errors["probe"] = BadAudio("silent")
    states = rehearsal.go()
    assert rehearsal.ran == ["probe"]
    assert states == {
        "probe": "failed",
        "transcribe": "skipped",
        "attribute": "skipped",
        "describe": "skipped",
        "assess": "skipped",
        "review": "skipped",
        "notify": "done",
        "playback": "skipped",
    }
    assert rehearsal.status == "failed"
    assert Notification.objects.get().kind == "failed"
    assert "silencio" in rehearsal.step("probe").reason


@pytest.mark.parametrize(
    "error",
    [
        EngineError("La máquina está ocupada.", retryable=True),
        OSError(28, SECRET),
        OperationalError(SECRET),
    ],
)
def test_what_may_succeed_later_is_tried_later(rehearsal: Rehearsal, error: Exception) -> None:
    rehearsal.errors["transcribe"] = error
    waits = []
    for _attempt in range(4):
        with pytest.raises(TryLater) as later:
            rehearsal.go()
        waits.append(later.value.seconds)
        assert rehearsal.step("transcribe").state == "waiting"
        assert rehearsal.step("describe").state == "waiting"
        assert rehearsal.status == "processing"
    assert waits == sorted(waits)
    assert rehearsal.go()["transcribe"] == "failed"
    assert SECRET not in rehearsal.step("transcribe").reason
    assert rehearsal.step("transcribe").attempts == 5


def test_others_go_on_while_one_waits(rehearsal: Rehearsal) -> None:
    rehearsal.errors["describe"] = EngineError("Ocupado.", retryable=True)
    with pytest.raises(TryLater):
        rehearsal.go()
    assert rehearsal.step("assess").state == "done"
    assert not Notification.objects.exists()
    rehearsal.errors.clear()
    rehearsal.go()
    assert rehearsal.ran == ["describe", "playback"]
    assert rehearsal.status == "ready"


@pytest.mark.parametrize("error", [ValueError(SECRET), MemoryError(), FileNotFoundError(SECRET)])
def test_what_cannot_succeed_is_not_tried_again(
    rehearsal: Rehearsal, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    rehearsal.errors["describe"] = error
    assert rehearsal.go()["describe"] == "failed"
    assert rehearsal.step("describe").reason.endswith(".")
    assert SECRET not in rehearsal.step("describe").reason
    assert SECRET not in caplog.text


def test_a_step_that_kills_its_worker_is_given_up(rehearsal: Rehearsal) -> None:
    rehearsal.conversation.steps.filter(name="transcribe").update(state="running", attempts=5)
    states = rehearsal.go()
    assert states["transcribe"] == "failed"
    assert rehearsal.ran == ["probe", "playback"]


def test_a_step_found_running_is_done_again(rehearsal: Rehearsal) -> None:
    rehearsal.conversation.steps.filter(name="probe").update(state="running", attempts=1)
    rehearsal.go()
    assert (rehearsal.step("probe").state, rehearsal.step("probe").attempts) == ("done", 2)


def test_a_worker_told_to_stop_puts_the_step_back(rehearsal: Rehearsal) -> None:
    with pytest.raises(Interrupted):
        run.process(rehearsal.conversation.pk, stopping=lambda: True)
    step = rehearsal.step("probe")
    assert (step.state, step.attempts) == ("waiting", 0)


def test_a_worker_that_was_thought_dead_changes_nothing(rehearsal: Rehearsal) -> None:
    def taken_over(conversation: Conversation, progress: Progress) -> None:
        conversation.steps.filter(name="probe").update(attempts=2, progress=0.9)

    rehearsal.monkeypatch.setattr(run, "WORK", (replace(WORK[0], run=taken_over), *WORK[1:]))
    with pytest.raises(Interrupted):
        run.process(rehearsal.conversation.pk)
    step = rehearsal.step("probe")
    assert (step.state, step.attempts, step.progress) == ("running", 2, 0.9)


def test_progress_is_kept_now_and_then(rehearsal: Rehearsal) -> None:
    seen = []

    def long(conversation: Conversation, progress: Progress) -> None:
        for share in (0.1, 0.2, 0.3):
            progress(share)
            seen.append(rehearsal.step("probe").progress)
            if share == 0.1:
                rehearsal.monkeypatch.setattr(run, "PROGRESS_EVERY", 0.0)

    rehearsal.monkeypatch.setattr(run, "WORK", (replace(WORK[0], run=long),))
    run.process(rehearsal.conversation.pk)
    assert seen == [0.0, 0.2, 0.3]


def test_without_consent_nothing_goes_on(rehearsal: Rehearsal, consent: Consent) -> None:
    Consent.objects.update(withdrawn_at=timezone.now())
    rehearsal.go()
    assert rehearsal.ran == []
    assert "ha retirado su consentimiento" in rehearsal.step("probe").reason
    assert rehearsal.status == "failed"


def test_a_conversation_that_is_gone(rehearsal: Rehearsal) -> None:
    pk = rehearsal.conversation.pk
    rehearsal.conversation.delete()
    run.process(pk)


def test_trying_again_does_only_what_failed(rehearsal: Rehearsal) -> None:
    rehearsal.errors["assess"] = ValueError()
    rehearsal.go()
    owner = rehearsal.conversation.created_by
    Notification.objects.update(opened_at=timezone.now())
    rehearsal.errors.clear()
    retrying.retry(conversation=rehearsal.conversation, employee=owner)
    assert rehearsal.status == "processing"
    with pytest.raises(Refused) as refused:
        retrying.retry(conversation=rehearsal.conversation, employee=owner)
    assert refused.value.code == "running"
    rehearsal.go()
    assert rehearsal.ran == ["assess"]
    assert rehearsal.status == "ready"
    told = Notification.objects.get()
    assert (told.kind, told.opened_at) == ("ready", None)
    with pytest.raises(Refused) as refused:
        retrying.retry(conversation=rehearsal.conversation, employee=owner)
    assert refused.value.code == "nothing_failed"
