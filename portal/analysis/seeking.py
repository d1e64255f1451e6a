"""What kind of answer a free question looks for, and where a stretch of speech has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import cast

from portal.analysis.language import read_data, word_list, word_set
from portal.analysis.text import Sentence, Words, content_stems, small_number, stem, words

# Words of asking itself: they name no topic.
_ASKING = frozenset(stem(word) for word in word_list("asking"))
_PEOPLE = word_set("people")
_TIMES = word_set("times")
_DATES = word_set("dates")
_PLACE_BEFORE = word_set("before_places")
_NUMBERS = word_set("larger_numbers")
_REASONS = word_set("reasons")
_QUESTION_WORDS = word_set("question_words")
_LONG_AGO_OR_FOR = ("ano", "mes", "semana", "dia", "hora")
_MONEY = 20

KINDS = (
    *("name", "age", "hour", "duration", "money", "count", "reason", "place", "time", "person"),
    *("yes-no", "other"),
)
"""What is looked for; those before "yes-no" are told by the words of an answer."""


@cache
def _openings() -> Mapping[str, tuple[str, ...]]:
    """Words that ask for each kind, in Spanish, English and French; the first kind that fits."""
    data = cast("dict[str, list[str]]", read_data("seeking.json"))
    return {kind: tuple(said) for kind, said in data.items()}


class FreeQuestion:
    """What a free question looks for: its content stems, its names, and the kind of answer."""

    def __init__(self, text: str) -> None:
        parsed = words(text)
        self.text = text
        stems = content_stems(parsed.folded)
        self.stems = [s for s in dict.fromkeys(stems) if s not in _ASKING]
        self.names = {
            stem(word)
            for place, word in enumerate(parsed.folded)
            if place > 0 and parsed.text[parsed.spans[place][0]].isupper() and len(word) > 2
        }
        self.kind = self._kind(parsed)
        self.typed = KINDS.index(self.kind) < KINDS.index("yes-no")

    @staticmethod
    def _kind(parsed: Words) -> str:
        said = f" {' '.join(parsed.folded)} "
        for kind, openings in _openings().items():
            if any(f" {opening}" in said for opening in openings):
                return kind
        asks = "?" in parsed.text and parsed.folded
        return "yes-no" if asks and parsed.folded[0] not in _QUESTION_WORDS else "other"

    def signs(self, parsed: Words, piece: Sentence) -> tuple[float, list[int]]:
        """How far the stretch ``piece`` holds the kind of thing that is looked for, 0 to 1, and
        at which words of ``parsed`` it stands."""
        if not self.typed:
            return 0.0, []
        places = range(piece.start, piece.end)
        folded = parsed.folded
        numbers = [p for p in places if _is_number(folded[p])]
        if self.kind in ("age", "hour", "count"):
            return float(bool(numbers)), numbers
        if self.kind == "money":
            large = [p for p in numbers if _is_large(folded[p])]
            return (1.0, large) if large else (0.4 * bool(numbers), numbers)
        if self.kind == "duration":
            lengths = [p for p in places if folded[p].startswith(_LONG_AGO_OR_FOR)]
            times = [p for p in places if folded[p] in _TIMES]
            if numbers and lengths:
                return 1.0, numbers
            return 0.6 * bool(times), times
        if self.kind == "time":
            dates = [p for p in places if folded[p] in _DATES]
            times = [p for p in places if folded[p] in _TIMES]
            if dates or times:
                return (1.0, dates) if dates else (0.7, times)
            return 0.5 * bool(numbers), numbers
        if self.kind == "reason":
            reasons = [p for p in places if folded[p] in _REASONS]
            return (1.0 if reasons else 0.3), reasons
        return self._named(parsed, places)

    def _named(self, parsed: Words, places: Sequence[int]) -> tuple[float, list[int]]:
        """Places, people and names: told by a capital, of which a recogniser's text may have
        none."""
        folded = parsed.folded
        capitals = [p for p in places if _is_capital(parsed, p)]
        # A capital at the start may name somebody, and a text in lower case anybody.
        perhaps = parsed.text.islower() or parsed.text[parsed.spans[places[0]][0]].isupper()
        if self.kind == "place":
            after = [p for p in capitals if folded[p - 1] in _PLACE_BEFORE]
            before = [p for p in places if folded[p] in _PLACE_BEFORE]
            return (1.0, after) if after else (0.5 * bool(before), before)
        if self.kind == "person":
            people = [p for p in places if folded[p] in _PEOPLE]
            found = sorted({*capitals, *people})
            return (1.0 if found else 0.5 * perhaps), found
        called = [p for p in places if folded[p].startswith(("llam", "apellid", "nombre"))]
        return (1.0 if capitals or called else 0.6 * perhaps), capitals


def _is_number(word: str) -> bool:
    return word.isdigit() or word in _NUMBERS or (small_number(word) or 0) > 1


def _is_large(word: str) -> bool:
    return int(word) >= _MONEY if word.isdigit() else word in _NUMBERS


def _is_capital(parsed: Words, place: int) -> bool:
    """A capital at the start of a sentence names nobody."""
    begin = parsed.spans[place][0]
    return (
        parsed.text[begin].isupper()
        and place > 0
        and parsed.text[:begin].rstrip()[-1:] not in ".?!…¿¡"
    )
