"""Writes of participants and of what they agreed to."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from portal.accounts.models import Employee, Team
from portal.participants import consent as consent_wordings
from portal.participants.models import Consent, Participant


@transaction.atomic
def create_participant(
    *, employee: Employee, team: Team, name: str, email: str, phone: str = ""
) -> Participant:
    """Raises PermissionDenied for a team that the employee is not in."""
    if not team.memberships.filter(employee=employee).exists():
        raise PermissionDenied
    return Participant.objects.create(
        team=team, name=name, email=email, phone=phone, created_by=employee
    )


@transaction.atomic
def update_participant(
    *, participant: Participant, name: str, email: str, phone: str = ""
) -> Participant:
    participant.name = name
    participant.email = email
    participant.phone = phone
    participant.last_interaction_at = timezone.now()
    participant.save(update_fields=["name", "email", "phone", "last_interaction_at"])
    return participant


def touch(participant: Participant) -> None:
    """Something was done with this person: they go to the top of the list."""
    participant.last_interaction_at = timezone.now()
    participant.save(update_fields=["last_interaction_at"])


@transaction.atomic
def record_consent(
    *,
    participant: Participant,
    employee: Employee,
    language: str,
    record: bool,
    analyse: bool,
    share: bool = False,
) -> Consent:
    """Keep what was agreed with the very words that were read. Raises KeyError for a language
    without a wording."""
    touch(participant)
    return Consent.objects.create(
        participant=participant,
        wording=consent_wordings.wording(language, organisation=settings.ENV.organisation),
        language=language,
        record=record,
        analyse=analyse,
        share=share,
        recorded_by=employee,
    )
