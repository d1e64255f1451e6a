"""Reads of conversations; what an employee may see follows from the participant."""

from __future__ import annotations

from django.db.models import QuerySet

from portal.accounts.models import Employee
from portal.conversations.models import Conversation, Upload
from portal.participants import queries as participants
from portal.participants.models import Consent, Participant


def visible_to(employee: Employee) -> QuerySet[Conversation]:
    return Conversation.objects.filter(participant__in=participants.visible_to(employee))


def uploads_visible_to(employee: Employee) -> QuerySet[Upload]:
    return Upload.objects.filter(participant__in=participants.visible_to(employee))


def in_progress(employee: Employee) -> QuerySet[Conversation]:
    """Conversations of theirs that the pipeline is still working on, the newest first."""
    return (
        visible_to(employee)
        .filter(created_by=employee, status=Conversation.Status.PROCESSING)
        .select_related("participant")
        .prefetch_related("steps")
    )


def consent_for_upload(participant: Participant, pk: str) -> Consent | None:
    """The consent of that id, if it is the participant's."""
    return participant.consents.filter(pk=pk).first() if pk.isdecimal() else None
