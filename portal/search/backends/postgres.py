"""PostgreSQL's own full text, over the rows that its triggers keep (migrations/0002).

Words are asked by their Spanish stem with and without accents, the last one also by its beginning,
phrases word for word. Weighed are those among the `NEWEST` turns one may see, and up to
`CANDIDATES` of all, whichever the index gives: for most questions these are all that there are, and
for a word that half of all turns have they are enough, since no order could be told from another's.
"""

# ruff: noqa: S608  # queries are put together from constants; what was typed is passed as values

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from portal.search.backends.base import Scope
from portal.search.models import Entry
from portal.search.questions import Question

NEWEST = 1000
CANDIDATES = 500
PERSON, TURN = "person", "turn"
SHORTEST_NAME = 4
MOST_NAMES = 4
LIKELY_NAME = 0.6
FILED_AT_ONCE = 5000

_STEMS = "plainto_tsquery('spanish', %s) || plainto_tsquery('es_unaccent', %s)"
_BEGINNING = _STEMS + " || to_tsquery('es_plain', quote_literal(%s) || ':*')"
_PHRASE = "phraseto_tsquery('es_plain', %s)"

Part = tuple[str, list[Any]]
"""A piece of a query and its values."""


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
        parts: list[Part] = []
        for kind, limit in limits.items():
            inside = within(question, kind, scope)
            parts.append(_by_words(tsquery, kind, scope, inside, limit))
            names = names_in(question)
            if kind == PERSON and names:
                parts.append(_by_likeness(names, scope, inside, limit))
        query, values = joined(" UNION ALL ", parts)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM ({query}) AS found ORDER BY place", values)
            rows = cursor.fetchall()
        found: dict[str, list[str]] = {kind: [] for kind in limits}
        by_words = {kind for kind, _, _, nearness in rows if nearness is None}
        for kind, key, _, nearness in rows:
            # A word that was said is hardly a name with several letters wrong.
            unlikely = nearness is not None and by_words and nearness < LIKELY_NAME
            if not unlikely and key not in found[kind] and len(found[kind]) < limits[kind]:
                found[kind].append(key)
        return found

    def prepare(self) -> str:
        return ""

    def has(self, into: str) -> bool:
        return True

    def file(self, kind: str, keys: Sequence[str], *, into: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT search_put(%s, %s)", [kind, list(keys)])

    def filed(self, kind: str, *, after: str, into: str) -> Sequence[str]:
        known = Entry.objects.filter(kind=kind, object_id__gt=after).order_by("object_id")
        return list(known.values_list("object_id", flat=True)[:FILED_AT_ONCE])

    def finish(self, into: str) -> None:
        pass


def names_in(question: Question) -> list[str]:
    """What may be a name with a letter wrong; nothing when it is clear that something else is
    meant."""
    plain = not (question.phrases or question.excluded)
    long = all(len(word) >= SHORTEST_NAME for word in question.wanted)
    return list(question.wanted) if plain and long and len(question.wanted) <= MOST_NAMES else []


def _by_words(tsquery: str, kind: str, scope: Scope, within: Part, limit: int) -> Part:
    matching = joined(" AND ", [within, ("vector @@ %s::tsquery", [tsquery])])
    anywhere, values = matching
    candidates = [
        (
            f"(SELECT kind, object_id, at, vector FROM search_entry WHERE {anywhere}"
            f" LIMIT {CANDIDATES})",
            values,
        )
    ]
    if kind == TURN:
        # Team by team, each from its newest on, in the order that their index has.
        share = NEWEST // len(scope.teams) + 1
        newest = f"""
            SELECT e.* FROM unnest(%s::bigint[]) AS one(of) CROSS JOIN LATERAL (
                SELECT kind, object_id, at, vector FROM (
                    SELECT * FROM search_entry WHERE kind = 'turn' AND team = one.of
                    ORDER BY at DESC LIMIT {share}
                ) AS latest WHERE {anywhere}
            ) AS e"""
        candidates.append((newest, [list(scope.teams), *values]))
    query, values = joined(" UNION ALL ", candidates)
    return (
        f"""(
        SELECT kind, object_id, row_number() OVER (ORDER BY rank DESC, at DESC, object_id) AS place,
            NULL::real AS nearness
        FROM (
            SELECT kind, object_id, at, ts_rank(vector, %s::tsquery, 1) AS rank
            FROM ({query}) AS candidate
        ) AS weighed ORDER BY place LIMIT %s
    )""",
        # Some are in both.
        [tsquery, *values, limit * len(candidates)],
    )


def _by_likeness(names: list[str], scope: Scope, within: Part, limit: int) -> Part:
    """After those of the right name."""
    where, values = within
    return (
        f"""(
        SELECT kind, object_id, 1000 + row_number() OVER (ORDER BY nearness DESC, at DESC) AS place,
            nearness
        FROM search_names_like(%s, %s::bigint[]) JOIN search_entry USING (id)
        WHERE {where} ORDER BY place LIMIT %s
    )""",
        [names, list(scope.teams), *values, limit],
    )


def within(question: Question, kind: str, scope: Scope) -> Part:
    """The condition on an entry besides its words."""
    filters = question.filters
    conditions = {
        "kind = %s": kind,
        # As wide as the column, or the index is not used.
        "team = ANY(%s::bigint[])": list(scope.teams),
        "participant = ANY(%s::uuid[])": scope.participants,
        "participant = %s": filters.participant,
        "employee = %s": filters.brought_by,
        "at >= %s": filters.from_moment,
        "at < %s": filters.before_moment,
    }
    return joined(
        " AND ", [(query, [value]) for query, value in conditions.items() if value is not None]
    )


def joined(by: str, parts: Sequence[Part]) -> Part:
    return by.join(query for query, _ in parts), [v for _, values in parts for v in values]
