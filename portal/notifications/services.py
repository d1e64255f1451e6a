"""Telling people what became of their conversations, and what waits for them."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from portal.accounts.models import Employee
from portal.conversations.models import Conversation
from portal.notifications import events
from portal.notifications.models import Notification
from portal.participants import queries as participants
from portal.participants.models import Participant

Kind = Notification.Kind
OUTCOMES = (Kind.READY, Kind.PARTIAL, Kind.FAILED)


@transaction.atomic
def notify(conversation: Conversation) -> Notification:
    """Tell who brought the conversation how it ended: one entry per conversation. Where it says
    otherwise than the ficha, tell that too, also to those who answer for what stands there.

    Asked again (a step tried again, a worker that died in between), an entry says the latest
    and stands unopened on top. Raises ValueError while the conversation is being processed.
    """
    kind = Kind(conversation.status)
    # The lock makes two askers wait for each other, so that there is one entry.
    Conversation.objects.select_for_update().get(pk=conversation.pk)
    for employee in _concerned_by_suggestions(conversation):
        _tell(employee, conversation.participant, conversation, Kind.SUGGESTION)
    return _tell(conversation.created_by, conversation.participant, conversation, kind)


def tell_consent_expires(employee: Employee, participant: Participant) -> Notification:
    return _tell(employee, participant, None, Kind.CONSENT)


@transaction.atomic
def mark_opened(notification: Notification) -> None:
    """It is read: on every device it counts no more."""
    if notification.opened_at is None:
        notification.opened_at = timezone.now()
        notification.save(update_fields=["opened_at"])
        events.tell_opened(notification.recipient_id)


@transaction.atomic
def _tell(
    employee: Employee, participant: Participant, conversation: Conversation | None, kind: Kind
) -> Notification:
    latest = {"kind": kind, "opened_at": None, "created_at": timezone.now()}
    notification, _made = Notification.objects.update_or_create(
        recipient=employee,
        participant=participant,
        conversation=conversation,
        kind__in=OUTCOMES if kind in OUTCOMES else [kind],
        defaults=latest,
        create_defaults={
            **latest,
            "recipient": employee,
            "participant": participant,
            "conversation": conversation,
        },
    )
    events.tell(notification)
    return notification


def _concerned_by_suggestions(conversation: Conversation) -> list[Employee]:
    waiting = conversation.suggestions.filter(taken=None)
    if not waiting.exists():
        return []
    reviewers = Employee.objects.filter(pk__in=waiting.values("answer__reviewed_by"))
    concerned = {conversation.created_by, *reviewers}
    person = conversation.participant_id
    return [who for who in concerned if participants.visible_to(who).filter(pk=person).exists()]
