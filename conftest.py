"""The cast of every access test, and small things of it.

`ana` owns what is made here, `bruno` works in her team, `carla` coordinates it, and
`diego` works in another office: he must never see any of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from portal.accounts.models import Employee, Membership, Team
from portal.participants.models import Consent, Participant

PASSWORD = "una frase larga para entrar"


@dataclass(frozen=True)
class Cast:
    team: Team
    other_team: Team
    owner: Employee
    teammate: Employee
    coordinator: Employee
    stranger: Employee

    def client(self, employee: Employee | None) -> Client:
        client = Client()
        if employee is not None:
            client.force_login(employee)
        return client


@pytest.fixture
def cast(db: None) -> Cast:
    team = Team.objects.create(name="Oficina Centro")
    other_team = Team.objects.create(name="Oficina Norte")

    def employee(name: str, in_team: Team, role: str = Membership.Role.MEMBER) -> Employee:
        made = Employee.objects.create_user(
            f"{name.split()[0].lower()}@example.org", PASSWORD, name=name
        )
        Membership.objects.create(team=in_team, employee=made, role=role)
        return made

    return Cast(
        team=team,
        other_team=other_team,
        owner=employee("Ana Robles", team),
        teammate=employee("Bruno Salas", team),
        coordinator=employee("Carla Vega", team, Membership.Role.COORDINATOR),
        stranger=employee("Diego Luna", other_team),
    )


@pytest.fixture
def participant(cast: Cast) -> Participant:
    return Participant.objects.create(
        team=cast.team, name="Fátima Belkacem", email="fatima@example.org", created_by=cast.owner
    )


@pytest.fixture
def consent(participant: Participant, cast: Cast) -> Consent:
    return Consent.objects.create(
        participant=participant,
        wording="¿Está de acuerdo en que grabemos esta conversación?",
        language="es",
        record=True,
        analyse=True,
        recorded_by=cast.owner,
    )


def expire(consent: Consent) -> None:
    """Its days are over."""
    consent.given_at = timezone.now() - timedelta(days=configured.ENV.consent_days)
    consent.save(update_fields=["given_at"])


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """The cast signs up in every test: the slow hash that protects people would only wait."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
