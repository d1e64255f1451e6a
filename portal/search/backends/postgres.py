"""PostgreSQL's own full text, over the rows that its triggers keep (migrations/0002).

Words are asked by their Spanish stem with and without accents, the last one also by its beginning,
phrases word for word. At most `CANDIDATES` of a kind are weighed, the newest: of a word that half
of all turns have, no order could be told from another's anyway.
"""

# ruff: noqa: S608  # queries are put together from constants; what was typed is passed as values

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from portal.search.backends.base import Scope
from portal.search.questions import Question

CANDIDATES = 400
LIKE_A_NAME = 0.45
SHORTEST_NAME = 4

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

    def find(self, question: Question, *, kind: str, scope: Scope, limit: int) -> list[str]:
        found = self._by_words(question, kind, scope, limit)
        if kind == "person" and len(found) < limit:
            alike = self._by_likeness(question, scope, limit)
            found += [key for key in alike if key not in found]
        return found[:limit]

    def _by_words(self, question: Question, kind: str, scope: Scope, limit: int) -> list[str]:
        tsquery = as_tsquery(question)
        if not tsquery:
            return []
        where, values = _within(question, kind, scope)
        query = f"""
            SELECT object_id FROM (
                SELECT object_id, at, vector FROM search_entry
                WHERE {where} AND vector @@ %s::tsquery
                ORDER BY at DESC LIMIT {CANDIDATES}
            ) AS newest
            ORDER BY ts_rank(vector, %s::tsquery, 1) DESC, at DESC, object_id
            LIMIT %s
        """
        return _keys(query, [*values, tsquery, tsquery, limit])

    def _by_likeness(self, question: Question, scope: Scope, limit: int) -> list[str]:
        """People whose name has a part like each word, for letters that are wrong."""
        words = [word.lower() for word in question.wanted if len(word) >= SHORTEST_NAME]
        if not words or len(words) < len(question.wanted) or question.phrases or question.excluded:
            return []
        where, values = _within(question, "person", scope)
        like = " AND ".join(["unaccent(%s) <%% name"] * len(words))
        near = " + ".join(["word_similarity(unaccent(%s), name)"] * len(words))
        query = f"""
            SELECT object_id FROM search_entry WHERE {where} AND {like}
            ORDER BY {near} DESC, at DESC, object_id LIMIT %s
        """
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)",
                    [str(LIKE_A_NAME)],
                )
            return _keys(query, [*values, *words, *words, limit])

    def rebuild(self, kind: str, keys: Sequence[str]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT search_put(%s, %s)", [kind, list(keys)])


def _keys(query: str, values: Sequence[Any]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return [key for (key,) in cursor.fetchall()]


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
