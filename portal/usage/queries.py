"""What teams have used up, for those who coordinate them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Sum, When
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.accounts.models import Employee, Membership, Team
from portal.participants import queries as participants
from portal.usage.models import Charge


def coordinated_by(employee: Employee) -> QuerySet[Team]:
    return Team.objects.filter(
        memberships__employee=employee, memberships__role=Membership.Role.COORDINATOR
    )


def visible_to(employee: Employee) -> QuerySet[Charge]:
    return Charge.objects.filter(team__in=coordinated_by(employee))


def month_of(day: date) -> Q:
    """Charges of the calendar month of ``day``, by the clock of the office."""
    zone = timezone.get_current_timezone()
    start = datetime(day.year, day.month, 1, tzinfo=zone)
    end = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=zone)
    return Q(charged_at__gte=start, charged_at__lt=end)


def spent(team: Team, day: date | None = None) -> Decimal:
    """In the month of ``day``, or in this one, as far as there are prices."""
    month = Charge.objects.filter(month_of(day or timezone.localdate()), team=team)
    total: Decimal | None = month.aggregate(total=Sum("cost"))["total"]
    return total or Decimal(0)


def is_spent(team: Team) -> bool:
    """Whether the team's cap is reached; what one request costs is only known afterwards."""
    return team.monthly_cap is not None and spent(team) >= team.monthly_cap


def why_not_outside(team: Team) -> str:
    """Why this machine does what an engine outside was to do, for people; empty while there is
    money left."""
    if not is_spent(team):
        return ""
    return _("El equipo ha alcanzado el gasto máximo de este mes en motores de fuera.")


_TOTALS = {
    "seconds": Sum("seconds"),
    "requests": Sum("requests"),
    "tokens_in": Sum("tokens_in"),
    "tokens_out": Sum("tokens_out"),
    "tokens_cached": Sum("tokens_cached"),
    "cost": Sum("cost"),
}


def by_engine(charges: QuerySet[Charge]) -> Sequence[Mapping[str, object]]:
    """Totals of each engine and model; ``unpriced`` counts those that have no price."""
    return list(
        charges.values("engine", "model")
        .annotate(unpriced=Count("pk", filter=Q(cost=None)))  # first: then "cost" is their sum
        .annotate(**_TOTALS)
        .order_by("engine", "model")
    )


def by_conversation(
    charges: QuerySet[Charge], employee: Employee
) -> Sequence[Mapping[str, object]]:
    """Totals of each conversation and engine, the latest conversation first; those that belong to
    none, or to one that is gone, are left out. ``title`` and ``person`` are None where the employee
    may not see whose it is: what a team has paid stays its own when a person goes to another."""
    people = participants.visible_to(employee).filter(pk=OuterRef("conversation__participant"))
    return list(
        charges.exclude(conversation=None)
        .annotate(
            visible=Exists(people),
            title=Case(When(visible=True, then="conversation__title")),
            person=Case(When(visible=True, then="conversation__participant__name")),
        )
        .values(
            "conversation",
            "conversation__created_at",
            "visible",
            "title",
            "person",
            "engine",
            "model",
        )
        .annotate(**_TOTALS)
        .order_by("-conversation__created_at", "engine", "model")
    )
