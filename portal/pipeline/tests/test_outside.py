"""A conversation that a service outside transcribes: with the person's yes, and not without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from conftest import Cast
from portal.accounts.models import Team
from portal.assessments.models import Answer
from portal.conversations import retrying
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation
from portal.engine import EngineError
from portal.participants.models import Consent
from portal.pipeline import engines, run
from portal.pipeline.outcomes import TryLater
from portal.pipeline.tests.conftest import SPOKEN, Receive
from portal.pipeline.tests.test_one_fails import Reader as Listener
from portal.speech.engines.base import Transcript, TranscriptionEngine
from portal.usage.models import Charge
from tests.servers.deepgram import Deepgram


@pytest.fixture
def server(settings: Any) -> Iterator[Deepgram]:
    server = Deepgram()
    changed = {"deepgram_api_key": server.key, "deepgram_url": server.url}
    settings.ENV = settings.ENV.model_copy(update=changed)
    engines.transcription.cache_clear()
    with server.running():
        yield server
    engines.transcription.cache_clear()


@pytest.fixture
def agreed(consent: Consent) -> Consent:
    consent.external = True
    consent.save()
    return consent


@pytest.fixture
def conversation(server: Deepgram, agreed: Consent, receive: Receive) -> Conversation:
    made = receive((SPOKEN / "dialogue.ogg").read_bytes())
    Conversation.objects.update(engine="deepgram")
    return made


def step(conversation: Conversation, name: str) -> tuple[str, str]:
    row = conversation.steps.get(name=name)
    return row.state, row.reason


def test_it_goes_the_same_way_as_with_the_local_engine(
    conversation: Conversation, server: Deepgram, cast: Cast
) -> None:
    run.process(conversation.pk)
    conversation.refresh_from_db()
    assert conversation.status == "ready"
    assert conversation.transcript.engine == "deepgram"
    roles = [turn.speaker.role for turn in conversation.transcript.turns.all()]
    assert roles == ["empleado", "usuario"] * 4
    assert Answer.objects.filter(question__slug="nacionalidad").exclude(value="").exists()
    assert len(server.requests) == 1
    [charge] = Charge.objects.all()
    assert (charge.team, charge.conversation) == (cast.team, conversation)
    assert (charge.engine, charge.model, charge.requests) == ("deepgram", "nova-3", 1)
    assert charge.seconds == pytest.approx(conversation.duration, abs=1)


def test_without_the_persons_yes_nothing_begins(
    server: Deepgram, consent: Consent, receive: Receive
) -> None:
    with pytest.raises(Refused) as refused:
        receive((SPOKEN / "dialogue.ogg").read_bytes(), engine="deepgram")
    assert "no ha aceptado" in refused.value.public_message


@pytest.fixture
def asked(server: Deepgram) -> Iterator[list[str]]:
    """The engines that a transcription is asked of, with a quick one in the place of the local."""
    names: list[str] = []
    heard = engines.transcription

    def engine(name: str) -> TranscriptionEngine:
        names.append(name)
        return Listener() if name == "local" else heard(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "transcription", engine)
        yield names


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda: Consent.objects.update(external=False), "no ha aceptado"),
        (lambda: Team.objects.update(external_services=False), "no usa servicios externos"),
        (lambda: Team.objects.update(monthly_cap=Decimal(0)), "gasto máximo"),
    ],
    ids=["the person", "the team", "a spent month"],
)
def test_what_may_go_out_no_more_is_transcribed_here_and_says_why(
    conversation: Conversation,
    server: Deepgram,
    asked: list[str],
    change: Callable[[], object],
    why: str,
) -> None:
    change()
    run.process(conversation.pk)
    assert (asked[-1], server.requests) == ("local", [])
    state, reason = step(conversation, "transcribe")
    assert state == "done" and why in reason
    assert "elija" not in reason  # it is done: nobody has to choose
    conversation.refresh_from_db()
    assert (conversation.status, conversation.engine) == ("ready", "local")
    assert not Charge.objects.exists()


class Forgetful(Listener):
    """Fails, and is told to delete what it has."""

    def __init__(self) -> None:
        self.forgot: list[str] = []

    def transcribe(self, *_: object, **__: object) -> Transcript:
        raise EngineError("No.")

    def forget(self, reference: str) -> None:
        self.forgot.append(reference)
        raise EngineError("Not now.")


@pytest.mark.parametrize("yes", [True, False])
def test_what_is_given_up_or_done_here_after_all_is_forgotten_outside(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch, yes: bool
) -> None:
    outside = Forgetful()
    for_name = {"local": Listener(), "deepgram": outside}
    monkeypatch.setattr("portal.pipeline.steps.engines.transcription", for_name.get)
    Consent.objects.update(external=yes)
    run.process(conversation.pk)
    monkeypatch.undo()
    assert step(conversation, "transcribe")[0] == ("failed" if yes else "done")
    assert outside.forgot == [str(conversation.pk)]


def test_trying_again_after_a_no_is_done_here_too(
    conversation: Conversation, server: Deepgram, agreed: Consent, cast: Cast, asked: list[str]
) -> None:
    server.faults.statuses = [401]
    run.process(conversation.pk)
    assert step(conversation, "transcribe")[0] == "failed"
    Consent.objects.update(external=False)
    retrying.retry(conversation=conversation, employee=cast.owner)
    run.process(conversation.pk)
    assert (asked[0], asked[-1], len(server.requests)) == ("deepgram", "local", 1)
    state, reason = step(conversation, "transcribe")
    assert state == "done" and "no ha aceptado" in reason


def test_a_service_that_is_down_is_tried_again_and_costs_no_audio(
    conversation: Conversation, server: Deepgram
) -> None:
    server.faults.statuses = [503]
    with pytest.raises(TryLater):
        run.process(conversation.pk)
    state, reason = step(conversation, "transcribe")
    assert state == "waiting" and "no funciona en este momento" in reason
    run.process(conversation.pk)
    assert step(conversation, "transcribe")[0] == "done"
