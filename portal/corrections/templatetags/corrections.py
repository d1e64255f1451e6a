"""How pages say when something is struck."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from portal.conversations.templatetags.conversations import clock

register = template.Library()


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
