"""Telling people what became of their conversations."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from portal.conversations.models import Conversation
from portal.notifications.models import Notification


@transaction.atomic
def notify(conversation: Conversation) -> Notification:
    """Tell who brought the conversation how it ended: one entry per conversation.

    Asked again (a step tried again, a worker that died in between), the entry says the latest
    and stands unopened on top. Raises ValueError while the conversation is being processed.
    """
    kind = Notification.Kind(conversation.status)
    # The lock makes two askers wait for each other, so that there is one entry.
    Conversation.objects.select_for_update().get(pk=conversation.pk)
    theirs = Notification.objects.filter(
        recipient=conversation.created_by, conversation=conversation
    )
    notification, _made = theirs.update_or_create(
        defaults={"kind": kind, "opened_at": None, "created_at": timezone.now()},
        create_defaults={
            "kind": kind,
            "recipient": conversation.created_by,
            "conversation": conversation,
        },
    )
    return notification


def mark_opened(notification: Notification) -> None:
    """It is read: on every device it counts no more."""
    if notification.opened_at is None:
        notification.opened_at = timezone.now()
        notification.save(update_fields=["opened_at"])
