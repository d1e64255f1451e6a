"""How pages show moments to review, corrections, and what is struck."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from portal.conversations.models import Conversation
from portal.conversations.templatetags.conversations import clock
from portal.corrections import page, queries
from portal.corrections.models import Flag

register = template.Library()

BEFORE = 1.0
"""Seconds heard before a moment, to come into what is being said."""

ICONS = {
    Flag.Kind.MISSED: "bi-soundwave",
    Flag.Kind.GAP: "bi-hourglass",
    Flag.Kind.LOOP: "bi-repeat",
    Flag.Kind.OVERLAP: "bi-people",
    Flag.Kind.NAME: "bi-person",
    Flag.Kind.NUMBER: "bi-123",
    Flag.Kind.LANGUAGE: "bi-translate",
    Flag.Kind.SILENCE: "bi-volume-mute",
}


@register.filter
def flag_icon(flag: Flag) -> str:
    return ICONS[Flag.Kind(flag.kind)]


@register.filter
def heard_from(flag: Flag) -> float:
    """The second from which to play it."""
    return max(0.0, flag.start - BEFORE)


@register.filter
def clock_tenths(seconds: float) -> str:
    """65.25 -> "1:05,2", as exact as an ear needs it."""
    tenths = int(seconds * 10)
    return clock(tenths // 10) + number_format(tenths % 10 / 10, 1).lstrip("0")


@register.filter
def day_and_time(moment: datetime) -> str:
    """ "hoy 10:31", "24 de noviembre, 10:31"."""
    local = timezone.localtime(moment)
    if local.date() == timezone.localdate():
        return _("hoy %(time)s") % {"time": date_format(local, "H:i")}
    return date_format(local, r"j \d\e F, H:i")


@register.inclusion_tag("corrections/workbench.html", takes_context=True)
def workbench(context: template.Context, conversation: Conversation) -> dict[str, object]:
    """What a transcript page is corrected with."""
    return {
        **page.bar(conversation),
        "revision": queries.revision(conversation),
        "employee": context["request"].user,
        "csrf_token": context.get("csrf_token"),
    }
