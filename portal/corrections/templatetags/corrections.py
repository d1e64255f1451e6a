"""How pages show moments to review, and corrections."""

from __future__ import annotations

from datetime import datetime

from portal.conversations.models import Conversation
from portal.corrections import page, queries
from portal.corrections.models import Flag

register = template.Library()


@register.filter
def clock_tenths(seconds: float) -> str:
    """65.25 -> "1:05,2", as exact as an ear needs it."""
    tenths = int(seconds * 10)
    return clock(tenths // 10) + number_format(tenths % 10 / 10, 1).lstrip("0")


@register.filter
def flag_icon(flag: Flag) -> str:
    return ICONS[Flag.Kind(flag.kind)]


@register.filter
def heard_from(flag: Flag) -> float:
    """The second from which to play it."""
    return max(0.0, flag.start - BEFORE)


@register.inclusion_tag("corrections/workbench.html", takes_context=True)
def workbench(context: template.Context, conversation: Conversation) -> dict[str, object]:
    """What a transcript page is corrected with."""
    return {
        **page.bar(conversation),
        "revision": queries.revision(conversation),
        "employee": context["request"].user,
        "csrf_token": context.get("csrf_token"),
    }
