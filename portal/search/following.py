"""How a table is followed, so that what is in it can be found. For migrations.

An app that has something else to be found adds, in a migration of this app, a function
`search_rows_KIND` beside those of 0002 and `follow` for its table, and a Source (sources.py).
"""

from __future__ import annotations

from collections.abc import Sequence

_EVENTS = {
    "insert": "REFERENCING NEW TABLE AS fresh",
    "update": "REFERENCING OLD TABLE AS stale NEW TABLE AS fresh",
    "delete": "REFERENCING OLD TABLE AS stale",
}


def follow(table: str, kind: str, columns: Sequence[str]) -> str:
    """SQL that files each row of ``table`` (with a key ``id``) when it is made, when one of
    ``columns`` changes, and no more once it is gone. Once per statement, however many rows."""
    arguments = ", ".join(f"'{word}'" for word in (kind, *columns))
    return "\n".join(
        f"CREATE TRIGGER search_{event} AFTER {event} ON {table} {rows} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION search_follow({arguments});"
        for event, rows in _EVENTS.items()
    )


def forget(table: str) -> str:
    """SQL that takes `follow` back."""
    return "\n".join(f"DROP TRIGGER search_{event} ON {table};" for event in _EVENTS)
