"""Reading what was said, so that it is found by meaning. Outside of pages and of the transactions
that write: an encoder takes some 25 ms for each."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from portal.analysis import meaning as analysis
from portal.analysis.encoder import Encoder, default_encoder
from portal.search import meaning

AT_ONCE = 16
"""Questions of people wait for the same encoder, so it is asked for a few at a time."""


def catch_up(*, told: Callable[[int], object], enough: Callable[[], bool]) -> None:
    """Until nothing is to be read but what is being changed, or it is ``enough``. ``told`` hears
    how many more are done."""
    encoder = default_encoder()
    if encoder is None or meaning.lacking() is not None:
        return
    while not enough():
        done = _read(encoder)
        if not done:
            return
        told(done)


def _read(encoder: Encoder) -> int:
    """Nothing is locked while it reads. A row stands for the words that its entry had when it was
    written: when they change, it is gone, and what was made of them is not filed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.id, m.entry_id, e.object_id FROM search_meaning m"
            " JOIN search_entry e ON e.id = m.entry_id WHERE m.vector IS NULL"
            " ORDER BY m.id LIMIT %s",
            [AT_ONCE],
        )
        rows = cursor.fetchall()
        cursor.execute(
            "SELECT object_id, body FROM search_rows_turn(%s)", [[key for _, _, key in rows]]
        )
        texts = dict(cursor.fetchall())
    parts = {row: analysis.parts(texts.get(key, "")) for row, _, key in rows}
    vectors = analysis.said([part for said in parts.values() for part in said], encoder)
    written = iter(meaning.as_text(vector) for vector in vectors)
    with transaction.atomic(), connection.cursor() as cursor:
        # Who is changing a turn has its entry, and is not waited for: it is read again afterwards.
        cursor.execute(
            "SELECT id FROM search_entry WHERE id = ANY(%s) FOR SHARE SKIP LOCKED",
            [[entry for _, entry, _ in rows]],
        )
        ours = {entry for (entry,) in cursor.fetchall()}
        done = 0
        for row, entry, _ in rows:
            theirs = [next(written) for _ in parts[row]]
            if entry in ours:
                _file(cursor, row, entry, theirs)
                done += 1
    return done


def _file(cursor: CursorWrapper, row: int, entry: int, vectors: list[str]) -> None:
    if not vectors:  # too short to mean anything by itself
        cursor.execute("DELETE FROM search_meaning WHERE id = %s", [row])
        return
    cursor.execute(
        "UPDATE search_meaning SET vector = %s::halfvec WHERE id = %s AND vector IS NULL",
        [vectors[0], row],
    )
    if cursor.rowcount:
        cursor.executemany(
            "INSERT INTO search_meaning (entry_id, vector) VALUES (%s, %s::halfvec)",
            [(entry, vector) for vector in vectors[1:]],
        )
