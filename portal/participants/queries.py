"""Who may see which participant. Every other app's queries start from `visible_to`."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import CharField, Count, F, Func, Q, QuerySet, Value
from django.db.models.functions import Lower

from portal.accounts.models import Employee
from portal.participants.models import Participant

PAGE_SIZE = 40
SIMILAR_NAME = 0.55
# A number without its country prefix.
PHONE_DIGITS = 9


class Unaccent(Func):
    function = "UNACCENT"
    output_field = CharField()


# key of the choice -> expression that is sorted by, and whether it descends
SORTS: dict[str, tuple[Any, bool]] = {
    "last": (F("last_interaction_at"), True),
    "first": (F("last_interaction_at"), False),
    "a-z": (Lower(Unaccent("name")), False),
    "z-a": (Lower(Unaccent("name")), True),
}
DEFAULT_SORT = "last"


def visible_to(employee: Employee) -> QuerySet[Participant]:
    """The participants of the employee's teams; nobody's for an inactive account."""
    if not employee.is_active:
        return Participant.objects.none()
    return Participant.objects.filter(team__memberships__employee=employee)


def matching(people: QuerySet[Participant], text: str) -> QuerySet[Participant]:
    """Those with every word of ``text`` in their name, e-mail or phone, accents aside."""
    compact = re.sub(r"[\s.\-()]", "", text)
    if re.fullmatch(r"\+?\d+", compact):
        return people.filter(Q(phone__contains=compact) | Q(email__contains=compact))
    for word in text.split():
        people = people.filter(Q(name__unaccent__icontains=word) | Q(email__icontains=word))
    return people


def list_page(
    employee: Employee, *, text: str = "", sort: str = DEFAULT_SORT, after: uuid.UUID | None = None
) -> list[Participant]:
    """Up to PAGE_SIZE people, each with ``conversation_count``, ``answered`` and ``total``.

    ``after`` is the id of the last person already shown: a page starts from a person and not
    from a number, so that somebody added meanwhile neither repeats nor hides anybody. A
    person who is not there any more starts the list again.
    """
    expression, descends = SORTS[sort]
    people = matching(visible_to(employee), text).annotate(sort_key=expression)
    if after is not None:
        last = visible_to(employee).annotate(sort_key=expression).filter(pk=after)
        key = last.values_list("sort_key", flat=True).first()
        if key is not None:
            beyond = "lt" if descends else "gt"
            people = people.filter(
                Q(**{f"sort_key__{beyond}": key}) | Q(sort_key=key, **{f"pk__{beyond}": after})
            )
    order = ("-sort_key", "-pk") if descends else ("sort_key", "pk")
    # The page first, its counts afterwards: counting every row of an office would be slow.
    page = people.order_by(*order).values("pk")[:PAGE_SIZE]
    return list(_with_counts(Participant.objects.filter(pk__in=page), expression).order_by(*order))


def list_row(employee: Employee, pk: object) -> Participant | None:
    """One person as `list_page` gives them."""
    return _with_counts(visible_to(employee).filter(pk=pk), F("name")).first()


def _with_counts(people: QuerySet[Participant], sort_key: Any) -> QuerySet[Participant]:
    return people.select_related("team").annotate(
        sort_key=sort_key,
        conversation_count=Count("conversations"),
        answered=F("sheet__answered"),
        total=F("sheet__total"),
    )


def last_interaction(employee: Employee) -> Participant | None:
    return visible_to(employee).order_by("-last_interaction_at", "-pk").first()


def similar_to(
    employee: Employee, *, name: str, email: str, phone: str, besides: Participant | None = None
) -> list[Participant]:
    """People the employee may see who could be the same person, the likeliest first, at most 5."""
    same = Q(email__iexact=email) | Q(likeness__gte=SIMILAR_NAME)
    if phone:
        same |= Q(phone__endswith=phone[-PHONE_DIGITS:])
    people = visible_to(employee).annotate(
        likeness=TrigramSimilarity(Unaccent("name"), Unaccent(Value(name)))
    )
    if besides is not None:
        people = people.exclude(pk=besides.pk)
    return list(people.filter(same).order_by("-likeness")[:5])
