"""Where the words of a turn stand in its text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def placed(text: str, words: Sequence[Sequence[Any]]) -> Iterator[tuple[int, int, float, float]]:
    """Each word that stands in ``text``: its first character, the one after it, and its times.

    ``words`` are ``[text, start, end, probability]`` in order, as a turn keeps them; one that
    does not stand in ``text`` after the one before it is left out.
    """
    cursor = 0
    for word, start, end, *_probability in words:
        token = str(word).strip()
        found = text.find(token, cursor)
        if not token or found < 0:
            continue
        cursor = found + len(token)
        yield found, cursor, float(start), float(end)
