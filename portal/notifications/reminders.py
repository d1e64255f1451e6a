"""Consents that are about to expire, told while there is time to ask again."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from portal.accounts.models import Employee, Membership
from portal.notifications import services
from portal.notifications.models import Notification
from portal.participants.models import Consent

BEFORE = timedelta(days=30)
STILL_COMING = timedelta(days=365)
"""Nobody is told of people who have not been heard of for longer."""


def tell_of_consents() -> int:
    """Tell once of each last consent that expires within a month. Returns of how many."""
    days: int = settings.ENV.consent_days
    if not days:
        return 0
    now = timezone.now()
    same_person = Consent.objects.filter(participant=OuterRef("participant"))
    told = Notification.objects.filter(
        participant=OuterRef("participant"),
        kind=Notification.Kind.CONSENT,
        created_at__gt=OuterRef("given_at"),
    )
    expiring = (
        Consent.objects.filter(
            ~Exists(same_person.filter(given_at__gt=OuterRef("given_at"))),
            ~Exists(told),
            given_at__lte=now - timedelta(days=days) + BEFORE,
            participant__last_interaction_at__gt=now - STILL_COMING,
            withdrawn_at=None,
            record=True,
            analyse=True,
        )
        .select_related("participant__team", "recorded_by")
        .order_by("given_at")
    )
    count = 0
    for consent in expiring:
        for employee in _who_asks(consent):
            services.tell_consent_expires(employee, consent.participant)
            count += 1
    return count


def _who_asks(consent: Consent) -> list[Employee]:
    """Who asked the last time, as long as they work in that team; else who coordinates it."""
    members = Employee.objects.filter(
        is_active=True, memberships__team=consent.participant.team_id
    ).distinct()
    return list(members.filter(pk=consent.recorded_by_id)) or list(
        members.filter(
            memberships__team=consent.participant.team_id,
            memberships__role=Membership.Role.COORDINATOR,
        )
    )
