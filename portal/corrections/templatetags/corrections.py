"""How pages show moments to review."""

from __future__ import annotations

from django import template

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
