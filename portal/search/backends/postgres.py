"""PostgreSQL's own full text, over the rows that its triggers keep (migrations/0002).

Words are asked by their Spanish stem with and without accents, the last one also by its beginning,
phrases word for word. At most `CANDIDATES` of a kind are weighed, the newest: of a word that half
of all turns have, no order could be told from another's anyway.
"""

# ruff: noqa: S608  # queries are put together from constants; what was typed is passed as values

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from portal.search.backends.base import Scope
from portal.search.models import Entry
from portal.search.questions import Question

CANDIDATES = 400
PERSON = "person"
SHORTEST_NAME = 4
MOST_NAMES = 4
FILED_AT_ONCE = 5000

_STEMS = "plainto_tsquery('spanish', %s) || plainto_tsquery('es_unaccent', %s)"
_BEGINNING = _STEMS + " || to_tsquery('es_plain', quote_literal(%s) || ':*')"
_PHRASE = "phraseto_tsquery('es_plain', %s)"


def as_tsquery(question: Question) -> str:
    """The question as PostgreSQL asks it, in the text form of a tsquery; "" when it asks nothing.

    Words without a meaning of their own (de, la, que) are left out, unless there is nothing else.
    """
    parts = [f"({_STEMS})"] * len(question.words)
    values = [value for word in question.words for value in (word, word)]
    if question.beginning:
        parts.append(f"({_BEGINNING})")
        values += [question.beginning] * 3
    parts += [_PHRASE] * len(question.phrases)
    values += question.phrases
    if not parts:
        return ""
    wanted = " && ".join(parts)
    without = f" && !!{_PHRASE}" * len(question.excluded)
    as_typed = " ".join([*question.wanted, *question.phrases])
    query = (
        f"SELECT (CASE WHEN numnode({wanted}) = 0 THEN plainto_tsquery('es_plain', %s)"
        f" ELSE {wanted} END{without})::text"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [*values, as_typed, *values, *question.excluded])
        row: tuple[str] = cursor.fetchone()
    return row[0]


class PostgresBackend:
    name = "postgres"

    def find(
        self, question: Question, *, limits: Mapping[str, int], scope: Scope
    ) -> dict[str, list[str]]:
        tsquery = as_tsquery(question)
        if not tsquery:
            return {}
        # One way to the server for all kinds: most of the time of a search is on the way.
        parts = []
        values: list[Any] = []
        for kind, limit in limits.items():
            where, asked = _within(question, kind, scope)
            parts.append(_by_words(where))
            values += [tsquery, *asked, tsquery, limit]
            names = _names(question)
            if kind == PERSON and names:
                parts.append(_by_likeness(where))
                values += [names, list(scope.teams), *asked, limit]
        query = f"SELECT kind, object_id FROM ({' UNION ALL '.join(parts)}) AS found ORDER BY place"
        found: dict[str, list[str]] = {kind: [] for kind in limits}
        with connection.cursor() as cursor:
            cursor.execute(query, values)
            for kind, key in cursor.fetchall():
                if key not in found[kind] and len(found[kind]) < limits[kind]:
                    found[kind].append(key)
        return found

    def prepare(self) -> str:
        return ""

    def file(self, kind: str, keys: Sequence[str], *, into: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT search_put(%s, %s)", [kind, list(keys)])

    def filed(self, kind: str, *, after: str, into: str) -> Sequence[str]:
        known = Entry.objects.filter(kind=kind, object_id__gt=after).order_by("object_id")
        return list(known.values_list("object_id", flat=True)[:FILED_AT_ONCE])

    def finish(self, into: str) -> None:
        pass


def _names(question: Question) -> list[str]:
    """What may be a name with a letter wrong; nothing when it is clear that something else is
    meant."""
    plain = not (question.phrases or question.excluded)
    long = all(len(word) >= SHORTEST_NAME for word in question.wanted)
    return list(question.wanted) if plain and long and len(question.wanted) <= MOST_NAMES else []


def _by_words(where: str) -> str:
    return f"""(
        SELECT kind, object_id, row_number() OVER (ORDER BY rank DESC, at DESC, object_id) AS place
        FROM (
            SELECT kind, object_id, at, ts_rank(vector, %s::tsquery, 1) AS rank FROM search_entry
            WHERE {where} AND vector @@ %s::tsquery
            ORDER BY at DESC LIMIT {CANDIDATES}
        ) AS newest ORDER BY place LIMIT %s
    )"""


def _by_likeness(where: str) -> str:
    """After those of the right name."""
    return f"""(
        SELECT kind, object_id, 1000 + row_number() OVER (ORDER BY nearness DESC, at DESC) AS place
        FROM search_names_like(%s, %s) JOIN search_entry USING (id)
        WHERE {where} ORDER BY place LIMIT %s
    )"""


def _within(question: Question, kind: str, scope: Scope) -> tuple[str, list[Any]]:
    """The condition on an entry besides its words, and its values."""
    filters = question.filters
    conditions = {
        "kind = %s": kind,
        "team = ANY(%s)": list(scope.teams),
        "participant = ANY(%s::uuid[])": scope.participants,
        "participant = %s": filters.participant,
        "employee = %s": filters.brought_by,
        "at >= %s": filters.from_moment,
        "at < %s": filters.before_moment,
    }
    asked = {condition: value for condition, value in conditions.items() if value is not None}
    return " AND ".join(asked), list(asked.values())
