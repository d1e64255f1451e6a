"""Who may see which participant. Every other app's queries start from `visible_to`."""

from __future__ import annotations

import re
import uuid

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import CharField, Count, Expression, F, Func, Q, QuerySet, TextChoices, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Employee, Team
from portal.participants.models import Participant

PAGE_SIZE = 40
SIMILAR_NAME = 0.55
# A number without its country prefix.
PHONE_DIGITS = 9


class Unaccent(Func):
    function = "UNACCENT"
    output_field = CharField()


class Sort(TextChoices):
    """How the list is ordered; the value is what an address or a session carries."""

    LAST_INTERACTION = "last", _("Interacción más reciente")
    FIRST_INTERACTION = "first", _("Interacción más antigua")
    NAME = "a-z", _("Nombre, de la A a la Z")
    NAME_BACKWARDS = "z-a", _("Nombre, de la Z a la A")

    @property
    def key(self) -> Expression | F:
        if self in (Sort.NAME, Sort.NAME_BACKWARDS):
            return Lower(Unaccent("name"))
        return F("last_interaction_at")

    @property
    def descends(self) -> bool:
        return self in (Sort.LAST_INTERACTION, Sort.NAME_BACKWARDS)

    @property
    def order(self) -> tuple[str, str]:
        """Of rows annotated with ``sort_key``."""
        return ("-sort_key", "-pk") if self.descends else ("sort_key", "pk")


def teams_of(employee: Employee) -> QuerySet[Team]:
    """Whose participants the employee sees; none for an inactive account."""
    if not employee.is_active:
        return Team.objects.none()
    return Team.objects.filter(memberships__employee=employee)


def visible_to(employee: Employee) -> QuerySet[Participant]:
    """The participants of the employee's teams; nobody's for an inactive account."""
    if not employee.is_active:
        return Participant.objects.none()
    return Participant.objects.filter(team__memberships__employee=employee)


def matching(people: QuerySet[Participant], text: str) -> QuerySet[Participant]:
    """Those with every word of ``text`` in their name, e-mail or phone, accents aside."""
    text = text.replace("\x00", "")  # PostgreSQL takes none
    compact = re.sub(r"[\s.\-()]", "", text)
    if re.fullmatch(r"\+?\d+", compact):
        return people.filter(Q(phone__contains=compact) | Q(email__contains=compact))
    for word in text.split():
        people = people.filter(
            Q(name__unaccent__icontains=word) | Q(email__unaccent__icontains=word)
        )
    return people


def listed(
    employee: Employee, *, text: str = "", sort: Sort = Sort.LAST_INTERACTION
) -> QuerySet[Participant]:
    """Those who match ``text``, in order."""
    people = matching(visible_to(employee), text).annotate(sort_key=sort.key)
    return people.order_by(*sort.order)


def list_page(
    employee: Employee,
    *,
    text: str = "",
    sort: Sort = Sort.LAST_INTERACTION,
    after: uuid.UUID | None = None,
) -> list[Participant]:
    """Up to PAGE_SIZE people, each with ``conversation_count``, ``answered`` and ``total``.

    ``after`` is the id of the last person already shown: a page starts from a person and not
    from a number, so that somebody added meanwhile neither repeats nor hides anybody. A
    person who is not there any more starts the list again.
    """
    people = listed(employee, text=text, sort=sort)
    if after is not None:
        last = visible_to(employee).annotate(sort_key=sort.key).filter(pk=after)
        key = last.values_list("sort_key", flat=True).first()
        if key is not None:
            beyond = "lt" if sort.descends else "gt"
            people = people.filter(
                Q(**{f"sort_key__{beyond}": key}) | Q(sort_key=key, **{f"pk__{beyond}": after})
            )
    # The page first, its counts afterwards: counting every row of an office would be slow.
    page = Participant.objects.filter(pk__in=people.values("pk")[:PAGE_SIZE])
    return list(_with_counts(page).annotate(sort_key=sort.key).order_by(*sort.order))


def list_row(employee: Employee, pk: uuid.UUID) -> Participant | None:
    """One person as `list_page` gives them."""
    return _with_counts(visible_to(employee).filter(pk=pk)).first()


def _with_counts(people: QuerySet[Participant]) -> QuerySet[Participant]:
    return people.select_related("team").annotate(
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
        likeness=TrigramSimilarity(Unaccent("name"), Unaccent(Value(name)))  # type: ignore[arg-type]
    )
    if besides is not None:
        people = people.exclude(pk=besides.pk)
    return list(people.filter(same).order_by("-likeness")[:5])
