from __future__ import annotations

from datetime import date, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.accounts.queries import signed_in
from portal.usage import queries

SHOWN = 100
BEGINNING = date(2020, 1, 1)


@require_safe
def month(request: HttpRequest) -> HttpResponse:
    """What the teams one coordinates have used up in a month: ``?mes=2026-11``, or this one."""
    employee = signed_in(request)
    today = timezone.localdate()
    first = min(max(_month(request.GET.get("mes", ""), today), BEGINNING), today.replace(day=1))
    charges = queries.visible_to(employee).filter(queries.month_of(first))
    following = (first + timedelta(days=32)).replace(day=1)
    context = {
        "month": first,
        "before": (first - timedelta(days=1)).replace(day=1),
        "after": following if following <= today else None,
        "teams": [
            {
                "team": team,
                "spent": queries.spent(team, first),
                "engines": queries.by_engine(charges.filter(team=team)),
                "conversations": queries.by_conversation(charges.filter(team=team), employee)[
                    :SHOWN
                ],
            }
            for team in queries.coordinated_by(employee)
        ],
        "currency": settings.ENV.currency,
    }
    return render(request, "usage/month.html", context)


def _month(text: str, today: date) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
