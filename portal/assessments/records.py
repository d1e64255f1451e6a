"""How an answer changes: what it becomes, and the row of its history that says so.

All of it is part of the caller's transaction, which holds the ficha's row (`locked_sheet`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from django.utils import timezone

from portal.accounts.models import Employee
from portal.assessments import queries
from portal.assessments.models import Answer, AnswerChange, Evidence, Sheet, Suggestion
from portal.assessments.typed import Value
from portal.conversations.models import Conversation

Action = AnswerChange.Action
SETTLED = (Answer.State.ANSWERED, Answer.State.DECLINED)


class Piece(TypedDict):
    """A quote as JSON: the id of its turn, and from when to when it is said (seconds)."""

    turn: int
    quote: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a machine says the answer is, with its proof."""

    conversation: Conversation
    state: str
    value: str
    typed: Value
    evidence: tuple[Piece, ...]
    engine: str
    model: str
    confidence: float


def locked_sheet(conversation: Conversation) -> Sheet | None:
    """The participant's ficha, if there is one: two conversations of one person take turns."""
    return Sheet.objects.select_for_update().filter(participant=conversation.participant_id).first()


def locked_answer(answer: Answer) -> Answer:
    """As it is now, with its ficha; nobody else changes it until the transaction ends."""
    sheet = Sheet.objects.select_for_update().get(pk=answer.sheet_id)
    answer.refresh_from_db()
    answer.sheet = sheet
    return answer


def pieces(evidence: Iterable[Evidence]) -> tuple[Piece, ...]:
    return tuple(
        Piece(turn=piece.turn_id, quote=piece.quote, start=piece.start, end=piece.end)
        for piece in evidence
    )


def put(
    answer: Answer, proposal: Proposal, action: Action, *, employee: Employee | None = None
) -> None:
    """The proposal is the answer; with ``employee``, who says that it is right."""
    answer.state = proposal.state
    answer.value = proposal.value
    answer.typed = proposal.typed
    answer.origin = Answer.Origin.MACHINE
    answer.engine = proposal.engine
    answer.model = proposal.model
    answer.confidence = proposal.confidence
    answer.conversation = proposal.conversation
    answer.edited_by = None
    answer.reviewed_by = employee
    answer.reviewed_at = timezone.now() if employee else None
    answer.save()
    answer.evidence.all().delete()
    Evidence.objects.bulk_create(
        Evidence(
            answer=answer,
            turn_id=piece["turn"],
            quote=piece["quote"],
            start=piece["start"],
            end=piece["end"],
            position=position,
        )
        for position, piece in enumerate(proposal.evidence)
    )
    note(answer, action, employee=employee, evidence=proposal.evidence)
    # What the same conversation had suggested is this, or was worse.
    answer.suggestions.filter(conversation=proposal.conversation, taken=None).delete()


def take_back(
    answer: Answer, action: Action = Action.TAKEN_BACK, *, employee: Employee | None = None
) -> None:
    """As if nobody had answered."""
    source = answer.conversation
    answer.state, answer.origin = Answer.State.UNASKED, Answer.Origin.NONE
    answer.value = answer.engine = answer.model = ""
    answer.typed = None
    answer.confidence, answer.conversation = 0.0, None
    answer.edited_by = answer.reviewed_by = answer.reviewed_at = None
    answer.save()
    answer.evidence.all().delete()
    note(answer, action, employee=employee, conversation=source)


def confirm(answer: Answer, employee: Employee) -> None:
    """A person says that what a machine proposed is right."""
    answer.reviewed_by, answer.reviewed_at = employee, timezone.now()
    answer.save(update_fields=["reviewed_by", "reviewed_at", "updated_at"])
    note(answer, Action.ACCEPTED, employee=employee)


def note(
    answer: Answer,
    action: Action,
    *,
    employee: Employee | None = None,
    conversation: Conversation | None = None,
    evidence: Iterable[Piece] = (),
) -> None:
    """What it has become, in its history. What a person wrote comes from no conversation."""
    written = action == Action.EDITED
    AnswerChange.objects.create(
        answer=answer,
        action=action,
        state=answer.state,
        value=answer.value,
        evidence=list(evidence),
        conversation=None if written else conversation or answer.conversation,
        engine="" if written else answer.engine,
        model="" if written else answer.model,
        employee=employee,
    )


def keep_left(answer: Answer, employee: Employee) -> None:
    """What a machine proposed and a person does not want: its conversation will not propose the
    same again."""
    if answer.origin == Answer.Origin.MACHINE and answer.conversation and answer.state in SETTLED:
        Suggestion.objects.create(
            answer=answer,
            conversation=answer.conversation,
            state=answer.state,
            value=answer.value,
            typed=answer.typed,
            evidence=list(pieces(answer.evidence.all())),
            engine=answer.engine,
            model=answer.model,
            confidence=answer.confidence,
            taken=False,
            decided_by=employee,
            decided_at=timezone.now(),
        )


def count(sheet: Sheet) -> None:
    """Bring its counts up to the answers that count."""
    answers = queries.relevant_answers(sheet)
    sheet.total = len(answers)
    sheet.answered = sum(answer.state == Answer.State.ANSWERED for answer in answers)
    sheet.reviewed = sum(answer.is_reviewed and answer.state in SETTLED for answer in answers)
    sheet.save(update_fields=["answered", "reviewed", "total", "updated_at"])
