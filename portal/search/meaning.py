"""What was said, found by what it means (docs/decisions/search.md).

The vectors of `Meaning` are in its column ``vector``: there where the database has pgvector and
this machine an encoder. A comment on the column names the encoder that they are of.
"""

# ruff: noqa: S608  # queries are put together from constants; what was typed is passed as values

from __future__ import annotations

import enum

from django.db import DatabaseError, connection, transaction

from portal.analysis import meaning as analysis
from portal.analysis.encoder import Vectors, default_encoder
from portal.search.backends.base import Scope
from portal.search.backends.postgres import TURN, Part, joined, within
from portal.search.questions import Question

EXTENSION = "vector"
SHOWN = 20
PARTS = 5
"""Of one turn, most are not near."""


class Lack(enum.Enum):
    """Why nothing can be found by meaning here."""

    ENCODER = "encoder"
    EXTENSION = "extension"


def _encoder_name() -> str:
    encoder = default_encoder()
    return "" if encoder is None else f"{encoder.name} {analysis.version()}"


def lacking() -> Lack | None:
    if default_encoder() is None:
        return Lack.ENCODER
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT col_description(attrelid, attnum) FROM pg_attribute"
            " WHERE attrelid = 'search_meaning'::regclass AND attname = 'vector'"
        )
        return None if cursor.fetchone() == (_encoder_name(),) else Lack.EXTENSION


def set_up() -> None:
    """Make the vectors' column where it can be made and is not, or is another encoder's; then
    everything is to be read."""
    if lacking() is not Lack.EXTENSION:
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Does nothing where somebody who may has made it; else only those may who are allowed.
            cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}")
            cursor.execute(
                "DELETE FROM search_meaning;"
                " ALTER TABLE search_meaning DROP COLUMN IF EXISTS vector;"
                f" ALTER TABLE search_meaning ADD COLUMN vector halfvec({analysis.dimension()});"
                f" COMMENT ON COLUMN search_meaning.vector IS '{_encoder_name()}';"
                " CREATE INDEX search_unread ON search_meaning (id) WHERE vector IS NULL"
            )
            put_in_line()
    except DatabaseError:
        # Not shipped, not allowed, or too old: words are found all the same, and pages say so.
        return


def put_in_line() -> None:
    """Every turn that is not read, however that came about."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO search_meaning (entry_id) SELECT id FROM search_entry e"
            " WHERE kind = 'turn' AND NOT EXISTS (SELECT FROM search_meaning WHERE entry_id = e.id)"
        )


def waiting() -> int:
    """How many are still to be read. Where nothing is lacking."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM search_meaning WHERE vector IS NULL")
        (count,) = cursor.fetchone()
    return int(count)


def find(question: Question, *, scope: Scope) -> list[str]:
    """Keys of up to `SHOWN` turns, the most alike first. Where nothing is lacking."""
    encoder = default_encoder()
    if encoder is None or not question.said:
        return []
    wanted = analysis.wanted(question.said, encoder)
    conditions: list[Part] = [within(question, TURN, scope)]
    conditions += [
        ("NOT e.vector @@ phraseto_tsquery('es_plain', %s)", [phrase])
        for phrase in question.excluded
    ]
    where, values = joined(" AND ", conditions)
    vector = as_text(wanted.vector)
    with connection.cursor() as cursor:
        # All are compared: an index of nearest neighbours does not know who may see what. OFFSET
        # keeps the comparing apart, or the vectors would be sorted along with what they are of.
        cursor.execute(
            "SELECT object_id FROM (SELECT object_id, at, m.vector <#> %s::halfvec AS distance"
            " FROM search_meaning m JOIN search_entry e ON e.id = m.entry_id"
            f" WHERE {where} AND m.vector <#> %s::halfvec <= %s OFFSET 0) AS near"
            " ORDER BY distance, at DESC, object_id LIMIT %s",
            [vector, *values, vector, -wanted.alike, SHOWN * PARTS],
        )
        # Each as often as parts of it are near.
        return list(dict.fromkeys(key for (key,) in cursor.fetchall()))[:SHOWN]


def as_text(vector: Vectors) -> str:
    """As PostgreSQL reads it, with as many digits as half a float holds."""
    return "[" + ",".join(f"{value:.5f}" for value in vector.tolist()) + "]"
