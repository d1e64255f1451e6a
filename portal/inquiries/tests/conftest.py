from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from conftest import Cast
from portal.analysis.engines import LOCAL
from portal.analysis.engines.base import Evidence, Reply, Turn
from portal.assessments.tests.conftest import conversation, turns
from portal.conversations.models import Conversation
from portal.inquiries import services
from portal.inquiries.models import Inquiry
from portal.usage import analysing

__all__ = ["conversation", "turns"]


class Scripted:
    """An engine that says what it is told to, whatever the conversation."""

    name, model = "scripted", "1"

    def __init__(self) -> None:
        self.reply = Reply(True, "En la calle Olmo", (Evidence(1, "calle Olmo"),))
        self.meanwhile: Callable[[], None] = lambda: None
        self.heard: list[list[str]] = []

    def ask(self, turns: Sequence[Turn], question: str) -> Reply:
        self.heard.append([turn.text for turn in turns])
        self.meanwhile()
        return self.reply


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    scripted = Scripted()
    others = analysing.get_engine

    def get_engine(name: str, **options: Any) -> Any:
        return scripted if name == LOCAL else others(name, **options)

    monkeypatch.setattr(analysing, "get_engine", get_engine)
    return scripted


@pytest.fixture
def inquiry(conversation: Conversation, cast: Cast) -> Inquiry:
    return services.ask(
        participant=conversation.participant,
        conversation=conversation,
        employee=cast.owner,
        question="¿Dónde vive?",
    )
