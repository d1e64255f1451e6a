"""Whose session a cookie names, for what is asked outside of a request: sockets and streams."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from portal.accounts.models import Employee


def employees(keys: Iterable[str]) -> dict[str, Employee]:
    """Who is signed in by each of the session keys, read anew in two queries however many they are.

    A key is left out when its session has ended, the password was changed since, or the account
    was closed. What Django's `get_user` decides for one request.
    """
    store: SessionStore = import_module(settings.SESSION_ENGINE).SessionStore()
    rows = store.get_model_class().objects.filter(
        session_key__in=list(keys), expire_date__gt=timezone.now()
    )
    sessions: dict[str, dict[str, Any]] = {
        row.session_key: store.decode(row.session_data) for row in rows
    }
    known = Employee.objects.filter(is_active=True).in_bulk(
        {content[SESSION_KEY] for content in sessions.values() if SESSION_KEY in content}
    )
    found = {}
    for key, content in sessions.items():
        employee = known.get(int(content.get(SESSION_KEY, 0)))
        if employee is not None and constant_time_compare(
            content.get(HASH_SESSION_KEY, ""), employee.get_session_auth_hash()
        ):
            found[key] = employee
    return found


def employee(key: str | None) -> Employee | None:
    return employees([key]).get(key) if key else None
