"""The demo office: people of `demo/people.json`, with three conversations on their way.

Made once, through the services that the pages use; the worker then processes the
conversations like any other. What a visitor changes or deletes stays changed.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import click
from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import QuerySet

from portal.accounts.models import Employee, Membership, Team
from portal.conversations import services as conversations
from portal.conversations.models import Conversation
from portal.participants import services as participants

FOLDER = settings.PROJECT / "demo"
# Known to everybody who reads this, so `portal up --demo` serves this computer only.
PASSWORD = "bienvenida a la demo"  # noqa: S105
PATIENCE_SECONDS = 300.0


def build() -> None:
    """Make the office unless its team is there. All of it or nothing."""
    people = _people()
    name = people["team"]["name"]
    if Team.objects.filter(name=name).exists():
        return
    click.echo("Oficina de demostración…", err=True)
    with transaction.atomic():
        team = Team.objects.create(name=name)
        employees = [_employee(data, team) for data in people["employees"]]
        Membership.objects.filter(team=team, employee=employees[0]).update(
            role=Membership.Role.COORDINATOR
        )
        # The list puts the newest on top; people.json is in the order one should see.
        for data in reversed(people["participants"]):
            _participant(data, team, employees)


def pending() -> int:
    """Conversations of the demo office that are still being processed."""
    return _conversations().filter(status=Conversation.Status.PROCESSING).count()


def follow() -> None:
    """Print how processing goes until it has ended, well or not, or nothing moves any more."""
    total = _conversations().count()
    before: tuple[int, str, float] | None = None
    moved = time.monotonic()
    while left := pending():
        step = (
            _conversations()
            .filter(status=Conversation.Status.PROCESSING, steps__state="running")
            .values_list("steps__name", "steps__progress")
            .first()
        ) or ("", 0.0)
        now = (left, *step)
        if now != before:
            before, moved = now, time.monotonic()
            # Transcribing is nearly all of the time a conversation takes.
            part = {"probe": 0.0, "transcribe": 0.95 * step[1], "": 0.0}.get(step[0], 0.95)
            share = (total - left + part) / total
            _say(f"Procesando las {total} conversaciones de muestra… {share:4.0%}")
        if time.monotonic() - moved > PATIENCE_SECONDS:
            _say("Las conversaciones de muestra siguen procesándose; el portal ya se puede usar.")
            break
        time.sleep(0.5)
    else:
        _say(f"Las {total} conversaciones de muestra están procesadas.")
    click.echo(err=True)


def welcome() -> list[str]:
    people = _people()
    lines = [f"Oficina de demostración; entre con la contraseña «{PASSWORD}» como:"]
    lines += [f"  {data['email']}  ({data['name']})" for data in people["employees"]]
    lines += [
        f"Para probar a subir una conversación: {FOLDER / 'audio' / data['upload']}.ogg"
        for data in people["participants"]
        if "upload" in data
    ]
    return lines


def _say(line: str) -> None:
    """In place on a terminal; a line each elsewhere."""
    terminal = sys.stderr.isatty()
    click.echo(f"\r{line:<78}" if terminal else line, err=True, nl=not terminal)


def _people() -> Any:
    return json.loads((FOLDER / "people.json").read_text(encoding="utf-8"))


def _conversations() -> QuerySet[Conversation]:
    return Conversation.objects.filter(participant__team__name=_people()["team"]["name"])


def _employee(data: dict[str, str], team: Team) -> Employee:
    employee = Employee.objects.create_user(data["email"], PASSWORD, name=data["name"])
    Membership.objects.create(team=team, employee=employee)
    return employee


def _participant(data: dict[str, str], team: Team, employees: list[Employee]) -> None:
    interviewer = employees[0]
    interview = data.get("interview")
    if interview:
        written = json.loads(
            (FOLDER / "interviews" / f"{interview}.json").read_text(encoding="utf-8")
        )
        interviewer = next(e for e in employees if e.email == written["employee"])
    participant = participants.create_participant(
        employee=interviewer,
        team=team,
        name=data["name"],
        email=data["email"],
        phone=data["phone"],
    )
    if not interview:
        return
    consent = participants.record_consent(
        participant=participant, employee=interviewer, language="es", record=True, analyse=True
    )
    path = FOLDER / "audio" / f"{interview}.ogg"
    with path.open("rb") as audio:
        conversations.receive(
            employee=interviewer,
            participant=participant,
            consent=consent,
            file=File(audio, name=path.name),
            engine="local",
            language="es",
        )
