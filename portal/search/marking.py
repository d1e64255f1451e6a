"""Where in a text the words stand that were looked for. Templates escape the pieces and draw them.

PostgreSQL tells, with the readings by which it finds them; whichever engine found the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db import connection

from portal.analysis.text import plain
from portal.search.backends.postgres import as_tsquery
from portal.search.questions import Question

Marked = tuple[tuple[str, bool], ...]
"""Pieces of a text in order, each with whether it was looked for."""

LONGEST = 240
BEFORE = 60
WITHOUT_PREFIX = 9
"""Digits of a phone, as the index has it (`search_rows_person`)."""

_OPEN, _CLOSE = "\x02", "\x03"
_OPTIONS = f'HighlightAll=true, StartSel="{_OPEN}", StopSel="{_CLOSE}"'
_READINGS = ("spanish", "es_unaccent", "es_plain")
# As `search_words` of the migration, and what would be taken for a mark; one character for one.
_NO_WORD = re.compile(r"[^\w\s]|[_\x02\x03]")


def mark(question: Question, texts: Sequence[str]) -> list[Marked]:
    """Each of ``texts`` with what was looked for in it; a long one is cut to where that stands."""
    if not texts:
        return []
    texts = [unicodedata.normalize("NFC", text) for text in texts]
    spans = [_phrases(question, text) for text in texts]
    tsquery = as_tsquery(replace(question, phrases=(), excluded=()))
    if tsquery:
        bare = [_NO_WORD.sub(" ", text) for text in texts]
        columns = ", ".join(["ts_headline(%s::regconfig, words, %s::tsquery, %s)"] * 3)
        values = [value for reading in _READINGS for value in (reading, tsquery, _OPTIONS)]
        query = (
            f"SELECT {columns} FROM unnest(%s::text[]) WITH ORDINALITY AS t(words, n)"  # noqa: S608
            " ORDER BY n"
        )
        with connection.cursor() as cursor:
            cursor.execute(query, [*values, bare])
            for found, row in zip(spans, cursor.fetchall(), strict=True):
                found.update(span for marked in row for span in _spans(marked))
    return [_cut(text, _joined(found)) for text, found in zip(texts, spans, strict=True)]


def mark_number(question: Question, number: str) -> Marked:
    """The number of a phone as it is shown, with the digits that were looked for: with its prefix
    or without, whatever stands between them."""
    places = [place for place, character in enumerate(number) if character.isdigit()]
    digits = "".join(number[place] for place in places)
    found = set[tuple[int, int]]()
    for begin in {0, max(0, len(digits) - WITHOUT_PREFIX)}:
        for word in question.wanted:
            begins = word == question.beginning and digits.startswith(word, begin)
            if begins or digits[begin:] == word:
                found.add((places[begin], places[begin + len(word) - 1] + 1))
    return _cut(number, _joined(found))


def _spans(marked: str) -> Iterable[tuple[int, int]]:
    """From and to which character of the text something is marked."""
    at = 0
    for piece in marked.split(_OPEN):
        inside, closed, outside = piece.partition(_CLOSE)
        if closed:
            yield at, at + len(inside)
        at += len(inside) + len(outside)


def _phrases(question: Question, text: str) -> set[tuple[int, int]]:
    folded = plain(text)
    found: set[tuple[int, int]] = set()
    for phrase in question.phrases:
        words = (re.escape(plain(word)) for word in phrase.split())
        pattern = r"(?<!\w)" + r"[\W_]+".join(words) + r"(?!\w)"
        found.update(match.span() for match in re.finditer(pattern, folded))
    return found


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _cut(text: str, spans: list[tuple[int, int]]) -> Marked:
    first = spans[0][0] if spans else 0
    begin, end = 0, len(text)
    if len(text) > LONGEST:
        begin = max(0, min(first - BEFORE, len(text) - LONGEST))
        if begin:
            begin = text.find(" ", begin, first) + 1 or begin
        if begin + LONGEST < len(text):
            end = max(text.rfind(" ", begin, begin + LONGEST), begin + LONGEST // 2)
    pieces: list[tuple[str, bool]] = [("…", False)] if begin else []
    at = begin
    for start, stop in spans:
        if start >= end:
            break
        pieces += [(text[at:start], False), (text[max(start, at) : min(stop, end)], True)]
        at = min(stop, end)
    pieces.append((text[at:end] + ("…" if end < len(text) else ""), False))
    return tuple((piece, is_mark) for piece, is_mark in pieces if piece)
