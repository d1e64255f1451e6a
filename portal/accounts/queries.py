from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.accounts.models import Employee, Membership, Team


def signed_in(request: HttpRequest) -> Employee:
    """Who is asking, typed. Raises PermissionDenied for nobody (the middleware came first)."""
    if not isinstance(request.user, Employee):
        raise PermissionDenied
    return request.user


def coordinated_by(employee: Employee) -> QuerySet[Team]:
    """The teams that the employee coordinates; none for an inactive account."""
    if not employee.is_active:
        return Team.objects.none()
    return Team.objects.filter(
        memberships__employee=employee, memberships__role=Membership.Role.COORDINATOR
    )
