from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from portal.accounts.models import Employee


def signed_in(request: HttpRequest) -> Employee:
    """Who is asking, typed. Raises PermissionDenied for nobody (the middleware came first)."""
    if not isinstance(request.user, Employee):
        raise PermissionDenied
    return request.user
