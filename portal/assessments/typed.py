"""The value of an answer as its question's kind has it, and the words for it.

`parse` takes what a person writes, and is strict; `read` takes what was said, and gives up where
it is not sure. `show` writes a value so that `parse` reads the same again. ``kind`` is one of
`Question.Kind`, ``choices`` that question's: ``[{"name", "label"}]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from portal.analysis.numbers import ARTICLES, LARGEST, MONTHS, counted, first_counted
from portal.analysis.text import fold, stem, words

# A number, an ISO date, the name of a choice, or names of choices.
Value = int | float | str | list[str] | None
Choices = Sequence[Mapping[str, str]]

SEPARATOR = "; "
# How many words before a choice a "no" still speaks of it.
NEGATION_REACH = 3

_FIGURES = re.compile(r"(?<!\w)[-−]?(?:\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+(?:[.,]\d+)?)(?!\w)")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_SLASHED = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_NONE = {"ninguno", "ninguna", "ningun", "nadie"}
_YES = {"si", "claro", "correcto", "exacto", "efectivamente", "afirmativo", "bueno"}
_NO = {"no", "nunca", "tampoco", "jamas", "ninguno", "ninguna", "negativo"}
_NEGATIONS = {"no", "ni", "sin", "nunca", "tampoco"}


class Unreadable(ValueError):
    """What a person wrote is not of the question's kind; the message says what would be."""


def parse(kind: str, choices: Choices, text: str) -> Value:
    """What a person wrote. None for a text without a kind of its own. Raises Unreadable."""
    text = text.strip()
    if kind == "integer":
        return _parse_integer(text)
    if kind == "decimal":
        return _parse_decimal(text)
    if kind == "date":
        return _parse_date(text)
    if kind == "select_one":
        return _parse_choice(choices, text)
    if kind == "select_multiple":
        return _parse_choices(choices, text)
    return None


def read(kind: str, choices: Choices, *said: str) -> Value:
    """The one value that the first of these texts tells, or None."""
    for text in said:
        try:
            return parse(kind, choices, text)
        except Unreadable:
            pass
        folded = words(text).folded
        value: Value = None
        if kind in ("integer", "decimal"):
            value = _told_number(text, folded, whole=kind == "integer")
        elif kind == "date":
            value = _told_date(text)
        elif kind == "select_one":
            value = _told_choice(choices, folded)
        elif kind == "select_multiple":
            value = _told_choices(choices, folded) or None
        if value is not None:
            return value
    return None


def show(kind: str, choices: Choices, value: Value) -> str:
    """The words for a value, as the ficha has them."""
    if kind == "date":
        return date.fromisoformat(str(value)).strftime("%d/%m/%Y")
    labels = {choice["name"]: choice["label"] for choice in choices}
    if isinstance(value, list):
        return SEPARATOR.join(labels[name] for name in value)
    if isinstance(value, str):
        return labels.get(value, value)
    if isinstance(value, float):
        exact = format(Decimal(repr(value)), "f")
        return exact.removesuffix(".0").replace(".", ",")
    return "" if value is None else str(value)


def _parse_integer(text: str) -> int:
    number = _written_number(text)
    if number is None or number != int(number) or abs(number) > LARGEST:
        raise Unreadable(_("Escriba un número sin decimales, por ejemplo 3."))
    return int(number)


def _parse_decimal(text: str) -> float:
    number = _written_number(text)
    if number is None or abs(number) > LARGEST:
        raise Unreadable(_("Escriba un número, por ejemplo 3,5."))
    return float(number)


def _written_number(text: str) -> Decimal | None:
    if _FIGURES.fullmatch(text):
        return _figures(text)
    number = counted(words(text).folded)
    return None if number is None else Decimal(number)


def _parse_date(text: str) -> str:
    for iso, said in _dates(text):
        # Nothing else but, perhaps, the day of the week.
        if len(_essential(text)) <= len(_essential(said)) + 1:
            return iso
    raise Unreadable(_("Escriba una fecha con día, mes y año, por ejemplo 31/12/2024."))


def _parse_choice(choices: Choices, text: str) -> str:
    for choice in choices:
        if text in (choice["name"], choice["label"]):
            return choice["name"]
    for choice in choices:
        if fold(text) in (fold(choice["name"]), fold(choice["label"])):
            return choice["name"]
    raise Unreadable(
        _("Elija una de estas opciones: %(labels)s.")
        % {"labels": SEPARATOR.join(choice["label"] for choice in choices)}
    )


def _parse_choices(choices: Choices, text: str) -> list[str]:
    """Labels or names with semicolons between them, or names with spaces as XLSForm has it."""
    try:
        chosen = {_parse_choice(choices, part.strip()) for part in text.split(SEPARATOR.strip())}
    except Unreadable:
        names = {choice["name"] for choice in choices}
        chosen = set(text.split())
        if not chosen or not chosen <= names:
            raise
    return [choice["name"] for choice in choices if choice["name"] in chosen]


def _figures(text: str) -> Decimal:
    """As Spanish writes it; one point that no thousands follow is a decimal point."""
    text = text.replace("−", "-")
    if re.fullmatch(r"-?\d{1,3}(\.\d{3})+(,\d+)?", text) or "," in text:
        text = text.replace(".", "").replace(",", ".")
    return Decimal(text)


def _told_number(text: str, folded: Sequence[str], *, whole: bool) -> Value:
    """The only number in it; an article is one where there is no other."""
    found: list[Decimal] = [_figures(piece) for piece in _FIGURES.findall(text)]
    articles = 0
    place = 0
    while place < len(folded):
        end = first_counted(folded, place)
        if end == place:
            place += 1
            continue
        run = folded[place:end]
        if len(run) == 1 and run[0] in ARTICLES:
            articles += 1
        else:
            found.append(Decimal(counted(run) or 0))
        place = end
    if not found and articles == 1:
        found = [Decimal(1)]
    elif not found and not articles and _NONE & set(folded):
        found = [Decimal(0)]
    if len(set(found)) != 1 or abs(found[0]) > LARGEST:
        return None
    if whole:
        return int(found[0]) if found[0] == int(found[0]) else None
    return float(found[0])


def _dates(text: str) -> Iterator[tuple[str, str]]:
    """(ISO date, the words that say it), for each that exists in the calendar."""
    candidates = [((y, m, d), f"{y}-{m}-{d}") for y, m, d in _ISO.findall(text)]
    candidates += [((y, m, d), f"{d}/{m}/{y}") for d, m, y in _SLASHED.findall(text)]
    for (year_said, month_said, day_said), said in candidates:
        yield from _existing(int(year_said), int(month_said), int(day_said), said)
    folded = _essential(text)
    for place, word in enumerate(folded):
        if word not in MONTHS:
            continue
        # "treinta y uno" is the longest that a day is said in.
        first, day = next(
            (
                (start, number)
                for start in range(max(0, place - 3), place)
                if (number := _small_number(folded[start:place])) is not None
            ),
            (place, 0),
        )
        for end in range(min(len(folded), place + 7), place + 1, -1):
            year = _small_number(folded[place + 1 : end])
            if year is not None:
                yield from _existing(year, MONTHS[word], day, " ".join(folded[first:end]))
                break


def _essential(text: str) -> list[str]:
    return [word for word in words(text).folded if word not in ("de", "del", "el")]


def _small_number(folded: Sequence[str]) -> int | None:
    if len(folded) == 1 and folded[0].isdecimal():
        return int(folded[0])
    return counted(folded)


def _existing(year: int, month: int, day: int, said: str) -> Iterator[tuple[str, str]]:
    try:
        yield date(year, month, day).isoformat(), said
    except ValueError:
        return


def _told_date(text: str) -> str | None:
    found = {iso for iso, _said in _dates(text)}
    return found.pop() if len(found) == 1 else None


def _told_choice(choices: Choices, folded: Sequence[str]) -> str | None:
    plain = _yes_or_no(choices, folded)
    if plain is not None:
        return plain
    found = _told_choices(choices, folded)
    return found[0] if len(found) == 1 else None


def _yes_or_no(choices: Choices, folded: Sequence[str]) -> str | None:
    """For a choice between yes and no alone: what the answer begins with."""
    by_label = {fold(choice["label"]): choice["name"] for choice in choices}
    if set(by_label) != {"si", "no"} or not folded:
        return None
    if folded[0] in _YES:
        return by_label["si"]
    return by_label["no"] if folded[0] in _NO else None


def _told_choices(choices: Choices, folded: Sequence[str]) -> list[str]:
    """Those whose words stand in it and are not denied; the longer takes its words first."""
    heard = [stem(word) for word in folded]
    wanted = [
        (choice["name"], [stem(w) for w in words(choice["label"]).folded]) for choice in choices
    ]
    told: set[str] = set()
    for name, label in sorted(wanted, key=lambda pair: -len(pair[1])):
        for place in range(len(heard) - len(label) + 1):
            if not label or heard[place : place + len(label)] != label:
                continue
            before = folded[max(0, place - NEGATION_REACH) : place]
            if not _NEGATIONS & set(before) or folded[place] in _NEGATIONS:
                told.add(name)
            heard[place : place + len(label)] = [""] * len(label)
    return [choice["name"] for choice in choices if choice["name"] in told]
