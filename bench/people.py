"""Employees who record at the same time, each with a participant who consented and a session.

    python -m bench.people NUMBER      prints [{"cookies": {...}, "participant": id}]

Runs beside a portal, with its environment. They get their sessions directly: a hundred sign-ins
from one address are what the portal rightly refuses.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.conf import settings  # noqa: E402  # after Django is set up
from django.contrib.auth import (  # noqa: E402
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
)

from portal.accounts.models import Employee, Membership, Team  # noqa: E402
from portal.participants import services  # noqa: E402


def make_people(number: int) -> list[dict[str, Any]]:
    team, _ = Team.objects.get_or_create(name="Bench")
    made = []
    for i in range(number):
        employee = Employee.objects.create_user(f"bench-{os.getpid()}-{i}@example.org", name="B")
        Membership.objects.create(team=team, employee=employee)
        participant = services.create_participant(
            employee=employee, team=team, name=f"Persona {i}", email="bench@example.org"
        )
        services.record_consent(
            participant=participant, employee=employee, language="es", record=True, analyse=True
        )
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(employee.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = employee.get_session_auth_hash()
        session.create()
        cookies = {
            settings.SESSION_COOKIE_NAME: session.session_key,
            settings.CSRF_COOKIE_NAME: "b" * 32,
        }
        made.append({"cookies": cookies, "participant": str(participant.pk)})
    return made


if __name__ == "__main__":
    json.dump(make_people(int(sys.argv[1])), sys.stdout)
