"""From what was said to a ficha by a language model, and by the local engine when it is away."""

from __future__ import annotations

import pytest

from portal.analysis.llm.prompts import VERSION
from portal.assessments.models import Answer
from portal.conversations.models import Conversation
from portal.pipeline import engines, run
from portal.pipeline.tests.conftest import SPOKEN, Receive
from portal.pipeline.tests.test_one_fails import Reader as Listener
from portal.usage.models import Charge
from portal.usage.tests.conftest import consent, reader, server  # noqa: F401  # fixtures
from tests.servers.openai_server import OpenAIServer


@pytest.fixture
def conversation(
    receive: Receive,
    server: OpenAIServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> Conversation:
    monkeypatch.setattr(engines, "transcription", lambda _name: Listener())
    return receive((SPOKEN / "dialogue.ogg").read_bytes())


def test_an_upload_is_one_request(
    conversation: Conversation,
    server: OpenAIServer,  # noqa: F811
) -> None:
    run.process(conversation.pk)
    conversation.refresh_from_db()
    assert conversation.status == "ready" and conversation.title
    answer = Answer.objects.get(question__slug="nacionalidad")
    assert (answer.state, answer.engine, answer.model) == (
        "answered",
        "llm",
        f"{server.model} · prompts {VERSION}",
    )
    assert len(server.requests) == 1
    [charge] = Charge.objects.all()
    assert (charge.conversation, charge.requests) == (conversation, 1)
    assert charge.tokens_in == server.tokens_in
    assert not conversation.steps.exclude(reason="").exists()


def test_a_server_that_is_away_costs_nothing_but_the_model(
    conversation: Conversation,
    server: OpenAIServer,  # noqa: F811
) -> None:
    server.faults.fail = [401] * 2
    run.process(conversation.pk)
    conversation.refresh_from_db()
    assert conversation.status == "ready" and conversation.title
    assert Answer.objects.get(question__slug="nacionalidad").engine == "extractive"
    told = dict(conversation.steps.exclude(reason="").values_list("name", "reason"))
    assert set(told) == {"assess", "describe"}
    assert all("no acepta la clave" in reason for reason in told.values())
    assert not Charge.objects.exists()
