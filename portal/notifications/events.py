"""What an employee's browsers are told: that there is something to look at, and nothing of it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete

from portal import news
from portal.notifications.models import Notification

SIGNED_OUT = "signed-out"


def topic(employee_id: int) -> str:
    return f"employee:{employee_id}"


def tell(notification: Notification) -> None:
    """The bell has something new. ``id`` and ``kind`` are for the browser's own notification,
    which names nobody. Part of the caller's transaction."""
    message = {"type": "notifications", "id": notification.pk, "kind": notification.kind}
    news.publish(topic(notification.recipient_id), message)


def tell_opened(employee_id: int) -> None:
    """The bell counts less, on every device."""
    news.publish(topic(employee_id), {"type": "notifications"})


def tell_activity(employee_id: int) -> None:
    """Something of theirs began to be processed, or went on."""
    news.publish(topic(employee_id), {"type": "activity"})


def on_session_deleted(sender: type[Session], instance: Session, **kwargs: Any) -> None:
    """Somebody signed out: streams of that session end at once."""
    employee_id = instance.get_decoded().get(SESSION_KEY)
    if employee_id is not None:
        news.publish(topic(int(employee_id)), {"type": SIGNED_OUT})


def connect() -> None:
    post_delete.connect(on_session_deleted, sender=Session, dispatch_uid="portal.notifications")
