"""Reads of conversations; what an employee may see follows from the participant."""

from __future__ import annotations

from django.db.models import QuerySet

from portal.accounts.models import Employee
from portal.conversations.models import Conversation
from portal.participants import queries as participants


def visible_to(employee: Employee) -> QuerySet[Conversation]:
    return Conversation.objects.filter(participant__in=participants.visible_to(employee))
