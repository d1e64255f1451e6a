"""What tells who somebody is, taken out of a text and put back into what is made of it.

Names, telephone numbers, e-mail addresses, identity documents and where somebody lives become
placeholders before a text leaves this machine. The same thing has the same placeholder in all the
texts of one ``Pseudonyms``, and ``restore`` brings back exactly what was there.

Names are those that are given, those of a list, and those that somebody introduces ("me llamo");
documents and numbers are known by their form. What is none of this stays: a rare name that nobody
introduces, or "la casa verde junto a la farmacia". It makes a text less telling,
not anonymous.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from string import ascii_lowercase
from typing import cast

from portal.analysis.language import read_data
from portal.analysis.text import FUNCTION_WORDS, fold, plain

_ACCENTS = r"[\u0300-\u036f]*"
_LETTER = r"[^\W\d_]"
_DIGITS = "cero|un|uno|una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve"
_STREETS = (
    r"calle|c/|avenida|avda\.?|plaza|plazuela|paseo|carretera|camino|ronda|traves[ií]a|glorieta|"
    r"urbanizaci[oó]n|callej[oó]n|rambla|carrer|street|rue"
)
_SMALL = r"(?:de|del|la|las|los|el|do|da|i|y)"
_CAPITAL = rf"(?:[A-ZÁÉÍÓÚÜÑÇÀÈÒ]{_LETTER}*)"

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("CORREO", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    # As they are said: "rosa arroba correo punto es".
    ("CORREO", re.compile(r"\b[\w.+-]+ arroba \w+(?: punto \w+)+", re.IGNORECASE)),
    (
        "DOCUMENTO",
        re.compile(
            r"\b(?:[XYZ][ -]?\d{7}|\d{2}\.?\d{3}\.?\d{3})[ -]?[A-Z]\b"
            r"|\b[A-Z]{2,3}[ -]?\d{6,7}\b|\bES\d{2}(?:[ -]?\d{4}){5}\b",
            re.IGNORECASE,
        ),
    ),
    (
        "TELEFONO",
        re.compile(
            r"(?<![\w+])(?:(?:\+|00)\d{1,3}[ .-]?)?(?:\d[ .-]?){8,12}\d(?!\w)"
            rf"|\b(?:(?:{_DIGITS})[ ,]+){{6,}}(?:{_DIGITS})\b",
            re.IGNORECASE,
        ),
    ),
    (
        "DIRECCION",
        re.compile(
            rf"(?<=\b)(?i:{_STREETS})\s+(?P<what>(?:{_SMALL}\s+){{0,3}}"
            rf"(?:{_CAPITAL}(?:\s+(?:{_SMALL}\s+){{0,2}}{_CAPITAL}){{0,3}}|{_LETTER}+)"
            r"(?:,?\s+(?:n[uú]mero\s+|n\.?º\s*)?\d+(?:,?\s*\d+\.?º?\s*[A-Za-z]?\b)?)?)"
        ),
    ),
)
_INTRODUCED = re.compile(
    r"(?i:\b(?:me llamo|se llama|mi nombre es|su nombre es|se llaman|my name is|je m'appelle|"
    r"do[nñ]a?|se[ñn]ora?|sra?\.)\s+)"
    rf"(?P<what>{_CAPITAL}(?:\s+(?:{_SMALL}\s+){{0,2}}{_CAPITAL}){{0,3}})"
    rf"|(?i:\b(?:me llamo|mi nombre es)\s+)(?P<spoken>{_LETTER}+)"
)
_CAPITALS = re.compile(rf"\b{_CAPITAL}(?:\s+(?:(?:de|del|la|los)\s+){{0,2}}{_CAPITAL})*")
_WORD_END = re.compile(r"\w*")
_KINDS = ("NOMBRE", "CORREO", "DOCUMENTO", "TELEFONO", "DIRECCION")
_NO_NAME = FUNCTION_WORDS | {"senor", "senora", "don", "dona", "usted"}


@cache
def _listed(which: str) -> frozenset[str]:
    data = cast("dict[str, str]", read_data("names_es.json"))
    return frozenset(fold(name) for name in data[which].split())


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    kind: str


class Pseudonyms:
    """For the texts of one piece of work; ``names`` are of people who are known to be spoken of."""

    def __init__(self, texts: Iterable[str], *, names: Sequence[str] = ()) -> None:
        self._names = [_written(part) for name in names for part in _parts(name)]
        self._placeholders: dict[tuple[str, str], str] = {}
        self._originals: dict[str, str] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._spellings: dict[str, int] = {}
        whole = "\n".join(texts)
        self._prefix = ""
        while any(f"{self._prefix}{kind}_" in whole for kind in _KINDS):
            self._prefix += "X"  # somebody's words look like a placeholder
        kinds = "|".join(_KINDS)
        self._placeholder = re.compile(rf"{self._prefix}(?:{kinds})_\d+[a-z]*")

    def hide(self, text: str) -> str:
        result, at = [], 0
        for found in self._find(text):
            result += [text[at : found.start], self._put(found.kind, text[found.start : found.end])]
            at = found.end
        return "".join((*result, text[at:]))

    def restore(self, text: str) -> str:
        """With every placeholder that ``hide`` gave in its place; others stay as they are."""
        return self._placeholder.sub(lambda m: self._originals.get(m.group(), m.group()), text)

    def _put(self, kind: str, original: str) -> str:
        """One number for one person or thing; each way of writing it has a letter of its own, so
        that just that comes back."""
        known = self._placeholders.get((kind, original))
        if known is not None:
            return known
        key = fold(original).split()[0] if kind == "NOMBRE" else re.sub(r"\W", "", fold(original))
        number = self._numbers.setdefault((kind, key), len(self._numbers) + 1)
        placeholder = f"{self._prefix}{kind}_{number}"
        count = self._spellings.get(placeholder, 0)
        self._spellings[placeholder] = count + 1
        placeholder += _letters(count)
        self._placeholders[kind, original] = placeholder
        self._originals[placeholder] = original
        return placeholder

    def _find(self, text: str) -> list[_Found]:
        """What is to go, in order, none over another: of two that overlap the earlier, and of two
        that begin together the longer."""
        found = [
            _Found(*match.span("what" if "what" in pattern.groupindex else 0), kind)
            for kind, pattern in _PATTERNS
            for match in pattern.finditer(text)
        ]
        for match in _INTRODUCED.finditer(text):
            group = "what" if match.group("what") else "spoken"
            if fold(match.group(group)) not in _NO_NAME:
                found.append(_Found(*match.span(group), "NOMBRE"))
        found += [_Found(*span, "NOMBRE") for span in _names(text)]
        folded = plain(text)
        for name in self._names:
            found += [_Found(*match.span(), "NOMBRE") for match in name.finditer(folded)]
        result: list[_Found] = []
        for one in sorted(found, key=lambda f: (f.start, -f.end)):
            if one.end > one.start and (not result or one.start >= result[-1].end):
                # To the end of the word: a figure after a placeholder would belong to it.
                rest = _WORD_END.match(text, one.end)
                result.append(replace(one, end=rest.end() if rest else one.end))
        return result


def _names(text: str) -> Iterable[tuple[int, int]]:
    """Runs of capitalised words from a first name of the list on; one alone counts unless it opens
    a sentence and is a word like any other there, which the list leaves out."""
    for match in _CAPITALS.finditer(text):
        parts = list(re.finditer(rf"{_LETTER}+", match.group()))
        for number, part in enumerate(parts):
            folded = fold(part.group())
            if not part.group()[0].isupper():
                continue
            first = folded in _listed("first")
            after = parts[number + 1 :]
            if first or (folded in _listed("last") and after):
                yield match.start() + part.start(), match.end()
                break


def _parts(name: str) -> list[str]:
    """A whole name and each of its words that is none of the language."""
    words = [word for word in name.split() if len(word) > 2 and fold(word) not in _NO_NAME]
    return [" ".join(name.split()), *words] if words else []


def _written(name: str) -> re.Pattern[str]:
    """A name in a `plain` text: recognisers drop accents, and some write one as a character of its
    own, which stands apart there."""
    parts = plain(unicodedata.normalize("NFC", name)).split()
    spelt = ("".join(f"{re.escape(letter)}{_ACCENTS}" for letter in part) for part in parts)
    return re.compile(r"(?<!\w)" + r"\s+".join(spelt) + r"(?!\w)")


def _letters(count: int) -> str:
    """ "", "b", ..., "z", "zb" ...: of the first way to write something nothing is said."""
    full, rest = divmod(count, len(ascii_lowercase) - 1)
    return "z" * full + ("" if not rest else ascii_lowercase[rest])
