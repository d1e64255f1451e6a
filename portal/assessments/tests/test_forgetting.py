"""What is struck out of a conversation leaves suggestions and histories too, and comes back."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from conftest import Cast
from portal.assessments import forgetting, review, services
from portal.assessments.models import AnswerChange, Sheet, Suggestion
from portal.assessments.tests.conftest import later_interview
from portal.assessments.tests.test_review import MONEY, MOVED, PADRON, answer, record
from portal.conversations.models import Conversation


def everything() -> list[Any]:
    left_out = ("pk", "id")
    return [
        [
            {name: value for name, value in row.items() if name not in left_out}
            for row in rows.values()
        ]
        for rows in (
            AnswerChange.objects.order_by("pk"),
            Suggestion.objects.order_by("answer", "conversation"),
            Sheet.objects.defer("updated_at").only("answered", "reviewed"),
        )
    ]


def _plain(value: Any) -> str:
    """A time has digits that say nothing of what was told."""
    return "" if isinstance(value, datetime) else str(value)


def forget(conversation: Conversation, word: str, **more: Any) -> list[dict[str, Any]]:
    forgotten = forgetting.forget(
        conversation=conversation,
        gone=lambda piece: word in piece.quote,
        tells=lambda text: word in text,
        **more,
    )
    assert word not in json.dumps(everything(), default=_plain)
    result: list[dict[str, Any]] = json.loads(json.dumps(forgotten))
    return result


def without_times(rows: list[Any]) -> list[Any]:
    return [[{k: v for k, v in row.items() if k != "updated_at"} for row in of] for of in rows]


def test_an_accepted_answer_goes_with_its_history_and_comes_back(
    conversation: Conversation, cast: Cast
) -> None:
    record(conversation, PADRON)
    review.accept(answer=answer(), employee=cast.owner)
    before = without_times(everything())
    forgotten = forget(conversation, "Olmo")
    assert (answer().state, answer().reviewed_by) == ("unasked", None)
    assert Sheet.objects.get().reviewed == 0
    forgetting.remember(conversation=conversation, forgotten=forgotten)
    assert (answer().value, answer().reviewed_by) == ("Sí, en Olmo", cast.owner)
    assert without_times(everything()) == before


def test_what_is_suggested_goes_whether_decided_or_not(
    conversation: Conversation, cast: Cast
) -> None:
    later = later_interview(conversation)
    record(conversation, PADRON)
    services.edit_answer(answer=answer("ingresos"), employee=cast.owner, value="Nada")
    record(later, MOVED, MONEY)
    review.leave(suggestion=Suggestion.objects.get(value="No, en Lugo"), employee=cast.owner)
    before = without_times(everything())
    forgotten = forget(later, "Lugo")
    assert [s.value for s in Suggestion.objects.all()] == ["600 euros"]
    forgetting.remember(conversation=later, forgotten=forgotten)
    assert without_times(everything()) == before
    forget(later, "600")
    assert answer("ingresos").value == "Nada"


def test_a_persons_history_goes_but_for_an_answer_that_stays(
    conversation: Conversation, cast: Cast
) -> None:
    record(conversation, PADRON)
    services.edit_answer(answer=answer(), employee=cast.owner, value="En Roble")
    services.edit_answer(answer=answer("empleo"), employee=cast.owner, value="Roble")
    services.edit_answer(answer=answer("empleo"), employee=cast.owner, value="Sí")
    forgetting.forget(
        conversation=conversation, gone=lambda _piece: False, tells=lambda text: "Roble" in text
    )
    told = AnswerChange.objects.filter(value__contains="Roble")
    assert [change.answer for change in told] == [answer()]
    assert answer().value == "En Roble"
    forget(conversation, "Roble", also=[answer().pk])
    assert answer().state == "unasked"
