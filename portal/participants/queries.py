"""Who may see which participant. Every other app's queries start from `visible_to`."""

from __future__ import annotations

from django.db.models import QuerySet

from portal.accounts.models import Employee
from portal.participants.models import Participant


def visible_to(employee: Employee) -> QuerySet[Participant]:
    """The participants of the employee's teams; nobody's for an inactive account."""
    if not employee.is_active:
        return Participant.objects.none()
    return Participant.objects.filter(team__memberships__employee=employee)
