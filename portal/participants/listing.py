"""The list at the left: what was asked of it, and what it shows."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from portal.accounts.queries import signed_in
from portal.participants import queries

SESSION_SORT = "participants_sort"


def remember_sort(request: HttpRequest) -> None:
    sort = request.GET.get("sort")
    if sort in queries.Sort:
        request.session[SESSION_SORT] = sort


def listing(
    request: HttpRequest, *, current: object = None, asked: Mapping[str, str]
) -> dict[str, Any]:
    """Context of rows.html. ``current`` is the id of the person whose page this is; ``asked``
    the list's own parameters, empty on the pages where an address means something else."""
    employee = signed_in(request)
    sort = queries.Sort(request.session.get(SESSION_SORT, queries.Sort.LAST_INTERACTION))
    text = asked.get("q", "").replace("\0", "").strip()
    after = _uuid(asked.get("after"))
    current = _uuid(current or asked.get("current"))
    people = queries.list_page(employee, text=text, sort=sort, after=after)
    # Whoever is open is always in sight, however far down the list.
    pinned = None
    if current and not text and not after and all(person.pk != current for person in people):
        pinned = queries.list_row(employee, current)
    return {
        "people": people,
        "pinned": pinned,
        "current": current,
        "text": text,
        "sort": sort.value,
        "sorts": queries.Sort.choices,
        "is_first_page": after is None,
        "last": people[-1] if len(people) == queries.PAGE_SIZE else None,
        "several_teams": len({person.team_id for person in people}) > 1,
    }


def _uuid(value: object) -> uuid.UUID | None:
    try:
        return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
    except ValueError:
        return None
