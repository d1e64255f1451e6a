from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.functional import Promise

from portal.accounts.engines import is_outside
from portal.accounts.models import Team
from portal.usage import queries

register = template.Library()


@register.inclusion_tag("usage/spent.html")
def spent_notice(team: Team, engines: Iterable[tuple[str, str | Promise]]) -> dict[str, str]:
    """Beside a choice of ``engines`` (name, name for people): that those outside will not do it,
    and why; nothing while they will."""
    outside = any(is_outside(name) for name, _label in engines)
    return {"because": queries.why_not_outside(team) if outside else ""}
