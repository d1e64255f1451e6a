"""What a later conversation says otherwise: kept beside the answer until a person decides."""

from __future__ import annotations

from django.utils import timezone

from portal.accounts.models import Employee
from portal.analysis.text import words
from portal.assessments.models import Answer, Suggestion
from portal.assessments.records import Proposal
from portal.assessments.typed import Value
from portal.conversations.models import Conversation

YES_NO = {"si", "no"}


def offer(answer: Answer, proposal: Proposal) -> None:
    """Suggest it, if it says otherwise than the answer and comes from no earlier interview. What
    an earlier look at the same conversation suggested gives way. Part of the caller's
    transaction, which holds the ficha's row."""
    waiting = answer.suggestions.filter(conversation=proposal.conversation, taken=None)
    if _is_earlier(proposal.conversation, answer) or not says_otherwise(
        answer, proposal.state, proposal.value, proposal.typed
    ):
        waiting.delete()
        return
    Suggestion.objects.update_or_create(
        answer=answer,
        conversation=proposal.conversation,
        taken=None,
        defaults={
            "state": proposal.state,
            "value": proposal.value,
            "typed": proposal.typed,
            "evidence": list(proposal.evidence),
            "engine": proposal.engine,
            "model": proposal.model,
            "confidence": proposal.confidence,
        },
    )


def was_left(answer: Answer, proposal: Proposal) -> bool:
    """Whether a person did not want the same from the same conversation: the same answer, or
    another wording of the very same words. Reads the answer's suggestions, all of them."""
    quotes = [piece["quote"] for piece in proposal.evidence]
    return any(
        left.taken is False
        and left.conversation_id == proposal.conversation.pk
        and left.state == proposal.state
        and (
            words(left.value).folded == words(proposal.value).folded
            or [piece["quote"] for piece in left.evidence] == quotes
        )
        for left in answer.suggestions.all()
    )


def says_otherwise(answer: Answer, state: str, value: str, typed: Value = None) -> bool:
    """Whether that is news beside what is known. Fewer words or choices of the same are not, nor
    is that somebody would not say again what they have said before."""
    if answer.state != state:
        return not (answer.state == Answer.State.ANSWERED and state == Answer.State.DECLINED)
    if isinstance(answer.typed, list) and isinstance(typed, list):
        return not set(typed) <= set(answer.typed)
    if answer.typed is not None and typed is not None:
        return bool(answer.typed != typed)
    known, new = words(answer.value).folded, words(value).folded
    leads = {*known[:1], *new[:1]}
    return leads == YES_NO or not set(new) <= set(known)


def close_agreeing(answer: Answer, employee: Employee) -> None:
    """The answer has become what they suggested."""
    for suggestion in answer.suggestions.filter(taken=None):
        if not says_otherwise(answer, suggestion.state, suggestion.value, suggestion.typed):
            decide(suggestion, taken=True, employee=employee)


def decide(suggestion: Suggestion, *, taken: bool, employee: Employee) -> None:
    suggestion.taken = taken
    suggestion.decided_by, suggestion.decided_at = employee, timezone.now()
    suggestion.save(update_fields=["taken", "decided_by", "decided_at"])


def _is_earlier(conversation: Conversation, answer: Answer) -> bool:
    source = answer.conversation
    return source is not None and conversation.created_at < source.created_at
