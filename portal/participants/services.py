"""Writes of participants and of what they agreed to."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.accounts import engines
from portal.accounts.models import Employee, Team
from portal.participants import consent as consent_wordings
from portal.participants import details
from portal.participants.models import Consent, Participant


@transaction.atomic
def create_participant(
    *, employee: Employee, team: Team, name: str, email: str, phone: str = ""
) -> Participant:
    """Raises PermissionDenied for a team that the employee is not in, ValidationError for
    details that cannot be (`participants.details`)."""
    if not team.memberships.filter(employee=employee).exists():
        raise PermissionDenied
    return Participant.objects.create(
        team=team,
        name=details.clean_name(name),
        email=details.clean_email(email),
        phone=details.clean_phone(phone),
        created_by=employee,
    )


def only_team(employee: Employee) -> Team:
    """The team of those who work in one. Raises ValidationError when it must be said which."""
    teams = list(employee.teams.all()[:2])
    if not teams:
        raise ValidationError(_("Su cuenta todavía no está en ningún equipo."))
    if len(teams) > 1:
        raise ValidationError(_("Elija el equipo que atenderá a esta persona."))
    return teams[0]


@transaction.atomic
def update_participant(
    *, participant: Participant, name: str, email: str, phone: str = ""
) -> Participant:
    """Raises ValidationError for details that cannot be."""
    participant.name = details.clean_name(name)
    participant.email = details.clean_email(email)
    participant.phone = details.clean_phone(phone)
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
    external: bool = False,
) -> Consent:
    """Keep what was agreed with the very words that were read. Raises KeyError for a language
    without a wording."""
    touch(participant)
    return Consent.objects.create(
        participant=participant,
        wording=consent_wordings.wording(
            language,
            organisation=settings.ENV.organisation,
            external=external or engines.may_go_outside(participant.team),
        ),
        language=language,
        record=record,
        analyse=analyse,
        share=share,
        external=external,
        recorded_by=employee,
    )
