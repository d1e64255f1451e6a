"""Numbers as Spanish says them, in words and in figures."""

from __future__ import annotations

import re
from collections.abc import Sequence

from portal.analysis.text import words

# Beyond it a spreadsheet or a script's number would round.
LARGEST = 10**15

_SMALL_WORDS = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro "
    "veinticinco veintiseis veintisiete veintiocho veintinueve"
)
_TENS_WORDS = "treinta cuarenta cincuenta sesenta setenta ochenta noventa"
_HUNDREDS_STEMS = "doscient trescient cuatrocient quinient seiscient setecient ochocient novecient"
_MONTH_WORDS = (
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
)
_SMALL = {word: value for value, word in enumerate(_SMALL_WORDS.split())}
_SMALL |= {"un": 1, "una": 1, "veintiun": 21, "veintiuna": 21, "primero": 1}
_TENS = {word: value * 10 for value, word in enumerate(_TENS_WORDS.split(), 3)}
_HUNDREDS = {"cien": 100, "ciento": 100} | {
    f"{word}{ending}": value * 100
    for value, word in enumerate(_HUNDREDS_STEMS.split(), 2)
    for ending in ("os", "as")
}
MONTHS = {word: number for number, word in enumerate(_MONTH_WORDS.split(), 1)} | {"setiembre": 9}
ARTICLES = {"un", "una", "uno"}
LONGEST = 7
"""Words that one number is said in."""

_PARTS = {"media": 30, "medio": 5, "cuarto": 15} | MONTHS
_MOST_FIGURES = 18
_GROUPED = re.compile(r"(?<=\d)\.(?=\d{3}(?!\d))")


def counted(folded: Sequence[str]) -> int | None:
    """The number that these words, all of them, say."""
    total, current, last = 0, 0, LARGEST
    for place, word in enumerate(folded):
        if word == "y" and last in _TENS.values() and place + 1 < len(folded):
            continue
        if word == "mil" and not total:
            total, current, last = max(current, 1) * 1000, 0, LARGEST
            continue
        value = _SMALL.get(word, _TENS.get(word, _HUNDREDS.get(word)))
        # Hundreds, then tens, then units: "dos tres" are two numbers.
        if value is None or not (
            last == LARGEST
            or (last >= 100 and 0 < value < 100)
            or (last in _TENS.values() and 0 < value < 10)
        ):
            return None
        current, last = current + value, value
    return total + current if folded else None


def first_counted(folded: Sequence[str], place: int) -> int:
    """Where the longest number ends that is said in words from ``place`` on; there for none."""
    for end in range(min(len(folded), place + LONGEST), place, -1):
        if folded[end - 1] != "y" and counted(folded[place:end]) is not None:
            return end
    return place


def numbers(text: str, *, articles: bool = False) -> list[int]:
    """All that are said, in order, with ``articles`` also one for "un" and "una". Of what has a
    comma each side counts."""
    folded = words(_GROUPED.sub("", text)).folded
    found: list[int] = []
    place = 0
    while place < len(folded):
        word = folded[place]
        end = first_counted(folded, place)
        if end > place and (articles or end > place + 1 or word not in ARTICLES):
            found.append(counted(folded[place:end]) or 0)
        elif word.isdecimal():
            found.append(int(word[:_MOST_FIGURES]))
        place = max(end, place + 1)
    return found


def unsaid(told: str, said: str) -> bool:
    """Whether ``told`` has a number that ``said`` has not. A month and a part of an hour may be
    told in figures, a year be said by its last two, and a long number in pieces."""
    heard = numbers(said, articles=True)
    digits = "".join(map(str, heard))
    parts = {_PARTS[word] for word in words(said).folded if word in _PARTS}
    return any(
        number not in heard
        and number not in parts
        and not (1900 <= number < 2100 and number % 100 in heard)
        and not (number >= 100 and str(number) in digits)
        for number in numbers(told)
    )
