"""What a person decides of a machine's proposals. From then on no machine changes the answer."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from portal.accounts.models import Employee
from portal.assessments import queries, suggestions
from portal.assessments.models import Answer, Sheet, Suggestion
from portal.assessments.records import (
    Action,
    Proposal,
    confirm,
    count,
    keep_left,
    locked_answer,
    put,
    take_back,
)
from portal.conversations.errors import Refused
from portal.participants import services as participants


@transaction.atomic
def accept(*, answer: Answer, employee: Employee, seen: str | None = None) -> Answer:
    """What a machine proposed is right. ``seen``: the `Answer.version` that the person was looking
    at. Raises Refused when there is nothing to accept, or something else by now."""
    answer = _proposed(answer)
    if seen is not None and seen != answer.version and not answer.is_reviewed:
        raise Refused(
            "changed",
            _("Esta propuesta ha cambiado mientras la miraba. Aquí está la de ahora."),
            status=409,
        )
    if not answer.is_reviewed:
        confirm(answer, employee)
        _done(answer, employee)
    return answer


@transaction.atomic
def accept_domain(
    *, sheet: Sheet, domain: str, employee: Employee, seen: Mapping[int, str] | None = None
) -> int:
    """Accept all that machines proposed in the group of the ficha with that slug; tells how many.
    ``seen``: versions of the answers that the person was looking at; what has changed since, or
    was not among them, stays a proposal."""
    sheet = Sheet.objects.select_for_update().get(pk=sheet.pk)
    waiting = [
        answer
        for answer in queries.relevant_answers(sheet)
        if queries.group_of(answer, sheet) == domain
        and answer.is_proposal
        and (seen is None or seen.get(answer.pk) == answer.version)
    ]
    for answer in waiting:
        confirm(answer, employee)
        suggestions.close_agreeing(answer, employee)
    if waiting:
        count(sheet)
        participants.touch(sheet.participant)
    return len(waiting)


@transaction.atomic
def reject(*, answer: Answer, employee: Employee) -> Answer:
    """What a machine proposed is not right: the question is open again, and that conversation
    does not propose the same any more. Raises Refused when there is nothing to reject."""
    answer = _proposed(answer)
    keep_left(answer, employee)
    take_back(answer, Action.REJECTED, employee=employee)
    _done(answer, employee)
    return answer


@transaction.atomic
def take(*, suggestion: Suggestion, employee: Employee) -> Answer:
    """What a later conversation says is the answer now; the one before stays in the history.
    Raises Refused when somebody has decided already."""
    answer, suggestion = _waiting(suggestion)
    suggestions.decide(suggestion, taken=True, employee=employee)
    proposal = Proposal(
        conversation=suggestion.conversation,
        state=suggestion.state,
        value=suggestion.value,
        typed=suggestion.typed,
        evidence=tuple(suggestion.evidence),
        engine=suggestion.engine,
        model=suggestion.model,
        confidence=suggestion.confidence,
    )
    put(answer, proposal, Action.SUGGESTION_TAKEN, employee=employee)
    _done(answer, employee)
    return answer


@transaction.atomic
def leave(*, suggestion: Suggestion, employee: Employee) -> Answer:
    """The answer stays; that conversation does not suggest the same again. Raises Refused when
    somebody has decided already."""
    answer, suggestion = _waiting(suggestion)
    suggestions.decide(suggestion, taken=False, employee=employee)
    participants.touch(answer.sheet.participant)
    return answer


def _proposed(answer: Answer) -> Answer:
    answer = locked_answer(answer)
    if not answer.is_machines:
        raise Refused(
            "nothing",
            _("Aquí ya no hay ninguna propuesta: otra persona la ha cambiado. Mire cómo está."),
            status=409,
        )
    return answer


def _waiting(suggestion: Suggestion) -> tuple[Answer, Suggestion]:
    answer = locked_answer(suggestion.answer)
    found = Suggestion.objects.select_related("conversation").filter(pk=suggestion.pk).first()
    if found is None or found.taken is not None:
        raise Refused(
            "decided",
            _("Esta sugerencia ya no espera: otra persona ha decidido, o su frase ha cambiado."),
            status=409,
        )
    return answer, found


def _done(answer: Answer, employee: Employee) -> None:
    if answer.state != Answer.State.UNASKED:
        suggestions.close_agreeing(answer, employee)
    count(answer.sheet)
    participants.touch(answer.sheet.participant)
