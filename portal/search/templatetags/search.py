from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.translation import ngettext

from portal.search.queries import Group

register = template.Library()


@register.filter
def found_words(groups: Iterable[Group]) -> str:
    """How many are shown, for who hears the page: "12 resultados"."""
    shown = sum(len(group.found) for group in groups)
    return ngettext("%d resultado", "%d resultados", shown) % shown
