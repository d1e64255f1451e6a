"""Where in a turn's audio a quote is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def locate(
    quote: str, text: str, words: Sequence[Sequence[Any]], start: float, end: float
) -> tuple[float, float] | None:
    """Seconds from where to where ``quote`` is said, or None when it does not stand in ``text``.

    ``words`` are ``[text, start, end, probability]`` in order, as a turn keeps them. A turn
    without usable words, whose text a person corrected for example, gives its own
    ``start`` and ``end``.
    """
    at = text.find(quote) if quote.strip() else -1
    if at < 0:
        return None
    until = at + len(quote)
    times: list[tuple[float, float]] = []
    cursor = 0
    for word, word_start, word_end, *_probability in words:
        token = str(word).strip()
        found = text.find(token, cursor)
        if not token or found < 0:
            continue
        cursor = found + len(token)
        if found < until and cursor > at:
            times.append((float(word_start), float(word_end)))
    if not times:
        return start, end
    return max(start, times[0][0]), min(end, max(stop for _start, stop in times))
