"""Names, numbers and dates of which the recogniser itself was not sure. Pure text and times."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from portal.speech.engines.base import Turn, Word
from portal.speech.languages import COMMON
from portal.speech.turns import ends_sentence

DOUBTFUL = 0.5
"""Probability below which a word is doubted; see docs/decisions/moments.md for what it finds."""

CAPITALISES_NOUNS = ("de", "lb")
"""Languages in which a capital letter says nothing about a name."""

NUMBER = re.compile(
    r"""^(
        .*\d.*
      | dos | tres | cuatro | cinco | seis | siete | ocho | nueve | diez | once | doce | trece
      | catorce | quince | dieci\w+ | veinte | veinti\w+ | treinta | cuarenta | cincuenta | sesenta
      | setenta | ochenta | noventa | cien | cientos? | \w+cient[oa]s | quinient[oa]s | mil
      | mill[oó]n | millones | enero | febrero | marzo | abril | mayo | junio | julio | agosto
      | septiembre | setiembre | octubre | noviembre | diciembre | lunes | martes | mi[eé]rcoles
      | jueves | viernes | s[aá]bado | domingo
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
BETWEEN_NUMBERS = frozenset(("y", "de", "del", "a", "con", "coma"))
"""«treinta y dos», «doce de marzo»."""

EDGES = " .,;:…¿?¡!\"'«»()"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Words ``first`` to ``last`` of a turn; ``probability`` is that of the least sure."""

    kind: Literal["name", "number"]
    first: int
    last: int
    probability: float


def doubts(turn: Turn, language: str) -> Iterator[Doubt]:
    """Each name, number or date of ``turn`` with a word that was hardly heard."""
    words = turn.words
    first = 0
    while first < len(words):
        kind, last = _group(words, first, language)
        if kind is not None:
            probability = min(word.probability for word in words[first : last + 1])
            if probability < DOUBTFUL:
                yield Doubt(kind, first, last, probability)
        first = last + 1


def _group(
    words: Sequence[Word], first: int, language: str
) -> tuple[Literal["name", "number"] | None, int]:
    """What begins with word ``first``, and the last word of it."""
    if _is_number(words[first]):
        last = first
        for after in range(first + 1, len(words)):
            if _breaks(words[after - 1]):
                break
            if _is_number(words[after]):
                last = after
            elif bare(words[after]) not in BETWEEN_NUMBERS or after > last + 1:
                break
        return "number", last
    if language not in CAPITALISES_NOUNS and _is_name(words, first, language):
        last = first
        while last + 1 < len(words) and not _breaks(words[last]):
            if not _is_name(words, last + 1, language):
                break
            last += 1
        return "name", last
    return None, first


def _is_number(word: Word) -> bool:
    return bool(NUMBER.match(bare(word)))


def _is_name(words: Sequence[Word], at: int, language: str) -> bool:
    """Written with a capital where no sentence begins, and no small word."""
    if at == 0 or ends_sentence(words[at - 1]):
        return False
    text = words[at].text.strip()
    # An opening mark begins a sentence within another: «dígame, ¿Cuándo vino?».
    said = bare(words[at])
    return len(said) > 1 and text[0].isupper() and said not in COMMON.get(language, ())


def _breaks(word: Word) -> bool:
    return word.text.strip()[-1:] in ",.;:?!…"


def bare(word: Word) -> str:
    """In lower case, without the marks around it."""
    return unicodedata.normalize("NFC", word.text).strip(EDGES).lower()
