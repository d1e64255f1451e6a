from __future__ import annotations

from django import template

from portal.conversations.templatetags.conversations import clock

register = template.Library()


@register.filter
def ms_clock(ms: int | None) -> str:
    """763000 -> "12:43"."""
    return "" if ms is None else clock(ms / 1000)
