"""Words of Spanish speech with their places in the text, without accents or capitals.

Everything that compares words compares them folded (lower case, no accents, no punctuation), so
that careful writing and raw recognition look alike; everything that shows words slices the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from portal.analysis.language import word_list, word_set

_WORD = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"(?:[.!?…;\n]|[,;]\s*(?=¿))+\s*")
_THOUSANDS = re.compile(r"(?<=\d)\.(?=\d{3}\b)")
_PUNCTUATION = re.compile(r"[.,;:?!¿¡…]")

# Frequent words of Spanish that carry no topic: also how we tell that a turn is in Spanish.
FUNCTION_WORDS = word_set("function_words")


def fold(text: str) -> str:
    """Lower case without accents; ñ becomes n."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def plain(text: str) -> str:
    """In lower case and without accents, character for character: what stands somewhere in it
    stands there in ``text``."""
    return "".join(unicodedata.normalize("NFD", c)[0].lower()[:1] or c for c in text)


@dataclass(frozen=True, slots=True)
class Words:
    """``folded[i]`` is the i-th word of ``text``, which stands at ``spans[i]`` (characters)."""

    text: str
    folded: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.folded)

    def slice(self, start: int, end: int) -> str:
        """The text from word ``start`` to before word ``end``, as it stands."""
        if start >= end:
            return ""
        return self.text[self.spans[start][0] : self.spans[end - 1][1]]


def words(text: str) -> Words:
    found = list(_WORD.finditer(text))
    return Words(text, tuple(fold(m.group()) for m in found), tuple(m.span() for m in found))


def spoken_form(text: str) -> str:
    """Lower case, no punctuation, accents kept: as a recogniser without marks would write it."""
    return " ".join(match.group().lower() for match in _WORD.finditer(text))


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words ``start`` to before ``end`` of a turn; ``interrogative`` when written as a question."""

    start: int
    end: int
    interrogative: bool


_TAG, _LEAD_IN = 2, 5


def sentences(parsed: Words) -> list[Sentence]:
    """Splits at punctuation; a turn without any is one sentence."""
    text, begin = parsed.text, 0
    result: list[Sentence] = []
    # "1.100" is one number, not the end of a sentence.
    masked = _THOUSANDS.sub(",", text)
    bounds = [m.end() for m in _SENTENCE_END.finditer(masked)] + [len(text)]
    word, count = 0, len(parsed)
    for bound in bounds:
        start = word
        while word < count and parsed.spans[word][0] < bound:
            word += 1
        if word > start:
            written = text[begin:bound]
            interrogative = "?" in written or "¿" in written
            before = result[-1] if result else None
            joined = before is not None and text[: parsed.spans[start][0]].rstrip(" ¿")[-1:] in ",;"
            if (
                joined
                and before is not None
                and interrogative
                and (word - start <= _TAG or before.end - before.start <= _LEAD_IN)
            ):
                # "Viven juntos, ¿verdad?" and "La casa, ¿cómo está?" are one question each.
                result[-1] = Sentence(before.start, word, True)
            else:
                result.append(Sentence(start, word, interrogative))
        begin = bound
    return result


# Where speech can be cut when nobody wrote a stop.
_JOINTS = word_set("joints")
_STRETCH_WORDS, _SHORTEST_STRETCH = 16, 5


def is_joint(parsed: Words, place: int) -> bool:
    """Whether a clause may begin at word ``place``."""
    if place == 0 or parsed.folded[place] in _JOINTS:
        return True
    between = parsed.text[parsed.spans[place - 1][1] : parsed.spans[place][0]]
    return any(mark in between for mark in ",;:")


def stretches(parsed: Words, split: Sequence[Sentence]) -> list[Sentence]:
    """Sentences, the long ones cut at joints into pieces of about one statement each."""
    result = []
    for sentence in split:
        start = sentence.start
        while sentence.end - start > _STRETCH_WORDS:
            cuts = [
                place
                for place in range(start + _SHORTEST_STRETCH, start + _STRETCH_WORDS)
                if is_joint(parsed, place) and sentence.end - place >= _SHORTEST_STRETCH
            ]
            cut = cuts[-1] if cuts else start + _STRETCH_WORDS
            result.append(Sentence(start, cut, sentence.interrogative))
            start = cut
        if start < sentence.end:
            result.append(Sentence(start, sentence.end, sentence.interrogative))
    return result


def has_punctuation(text: str) -> bool:
    return _PUNCTUATION.search(text) is not None


def is_spanish(folded: Sequence[str]) -> bool:
    """False for a stretch of four words or more that has next to none of Spanish's common words."""
    if len(folded) < 4:
        return all(word.isascii() for word in folded)
    return sum(word in FUNCTION_WORDS for word in folded) >= max(1, len(folded) // 8)


def stem(word: str) -> str:
    """A light stem of a folded word: without plural, gender and most of a verb's ending."""
    if word.isdigit() or len(word) < 4:
        return word
    for ending in ("ciones", "cion", "mente", "es", "os", "as", "s", "o", "a", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:6]


def content_stems(folded: Sequence[str]) -> list[str]:
    return [stem(word) for word in folded if word not in FUNCTION_WORDS and len(word) > 1]


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` words, white space folded, with "…" where something was left out."""
    parts = text.split()
    if len(parts) <= limit:
        return " ".join(parts)
    return " ".join(parts[:limit]).rstrip(",;:.") + "…"


_UNITS = {word: value for value, word in enumerate(word_list("units"))} | {"un": 1, "una": 1}


def small_number(word: str) -> int | None:
    """The value of a folded number word or figure up to 20, as a household is counted."""
    if word.isdigit() and len(word) <= 2 and int(word) <= 20:
        return int(word)
    return _UNITS.get(word)
