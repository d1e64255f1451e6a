"""The steps leave alone what people have said of a conversation."""

from __future__ import annotations

import pytest

from conftest import Cast
from portal.assessments.tests.conftest import conversation, turns
from portal.conversations import revising
from portal.conversations.models import Conversation, Speaker, Turn
from portal.corrections import editing, voices
from portal.pipeline import engines, steps

__all__ = ["conversation", "turns"]


def idle(_share: float) -> None:
    """No progress is looked at."""


def test_a_corrected_transcript_is_not_made_anew(
    conversation: Conversation, turns: list[Turn], cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was written live, and whose final pass failed at first."""

    def never(name: str) -> None:
        raise AssertionError(name)

    monkeypatch.setattr(engines, "transcription", never)
    with pytest.raises(AssertionError):
        steps.transcribe(conversation, idle)
    who = {"conversation": conversation, "employee": cast.owner, "turn": turns[1].pk, "seen": 0}
    editing.change_text(**who, text="Lo que dijo de verdad.")
    steps.transcribe(conversation, idle)
    assert Turn.objects.get(pk=turns[1].pk).text == "Lo que dijo de verdad."


def test_whose_a_voice_is_stays_as_a_person_said(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    voices.swap_speakers(conversation=conversation, employee=cast.owner, seen=0)
    steps.attribute(conversation, idle)
    assert dict(Speaker.objects.values_list("label", "role")) == {
        "S1": "usuario",
        "S2": "empleado",
    }


def test_a_title_by_hand_stays(conversation: Conversation, turns: list[Turn], cast: Cast) -> None:
    steps.describe(conversation, idle)
    written = conversation.title
    revising.edit_description(
        conversation=conversation, employee=cast.owner, title="A mano", description=""
    )
    steps.describe(conversation, idle)
    conversation.refresh_from_db()
    assert written != conversation.title == "A mano"
