from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.translation import ngettext

from portal.search.marking import Marked, mark_number
from portal.search.queries import Group
from portal.search.questions import Question

register = template.Library()


@register.filter
def marked_number(number: str, question: Question) -> Marked:
    return mark_number(question, number)


@register.filter
def found_words(groups: Iterable[Group]) -> str:
    """How many are shown, for who hears the page: "12 resultados"."""
    shown = sum(len(group.found) for group in groups)
    return ngettext("%d resultado", "%d resultados", shown) % shown
