from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from portal.accounts.queries import signed_in
from portal.participants.listing import listing
from portal.participants.models import Participant

register = template.Library()

# Circumference of the ring's circle (r = 15.9155): a length on it is a percentage.
RING = 100


@register.inclusion_tag("participants/people_list.html", takes_context=True)
def people_list(context: Context) -> dict[str, Any]:
    """The column at the left, with the row of the page's ``participant`` marked."""
    participant = context.get("participant")
    current = participant.pk if isinstance(participant, Participant) else None
    request = context["request"]
    match = request.resolver_match
    # On its own page the list stands in the page at every width, and follows the address.
    in_page = match is not None and match.view_name == "participants:list"
    asked = request.GET if in_page else {}
    return {
        **listing(request, current=current, asked=asked),
        "request": request,
        "in_page": in_page,
        "coordinates": signed_in(request).coordinates_a_team,
    }


@register.filter
def phone(number: str) -> str:
    """``+34600112233`` -> ``+34 600 112 233``, for people to read."""
    prefix, rest = ("+34 ", number[3:]) if number.startswith("+34") else ("", number)
    if not rest.isdigit():
        return number
    return prefix + " ".join(rest[at : at + 3] for at in range(0, len(rest), 3))


@register.inclusion_tag("participants/ring.html")
def ring(answered: int | None, total: int | None) -> dict[str, Any]:
    """How much of a ficha is answered, as a ring; nothing without a ficha."""
    share = round(RING * answered / total) if answered is not None and total else 0
    return {"answered": answered, "total": total, "share": share, "rest": RING - share}
