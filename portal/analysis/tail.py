"""How far back to read for what is new in a talk that goes on."""

from __future__ import annotations

from collections.abc import Sequence


def tail(speakers: Sequence[str], fresh: int, *, changes: int, most: int) -> int:
    """The index from which to read when everything from ``fresh`` on is new: where somebody begins
    to speak, so many ``changes`` of speaker before it, and about ``most`` pieces at most."""
    seen = 0
    for index in range(min(fresh, len(speakers) - 1), 0, -1):
        if speakers[index] == speakers[index - 1]:
            continue
        seen += 1
        if seen > changes or fresh - index >= most:
            return index
    return 0
