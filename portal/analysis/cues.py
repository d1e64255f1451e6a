"""Cues: words and phrases of a questionnaire, in a small notation a coordinator can write.

A cue is a phrase of folded words that must follow one another. In it

    empadron*      a word that begins so            vivo|vivimos   one of these words
    ~              up to four words between         ~1  ~0         up to one, none
    @fam  #        a class of words of the language (``classes_es.json``): family, numbers

and how it begins says in whose mouth it counts:

    ¿donde vive*?  asks the question                +duermo en     a statement that answers it
    -busca*        a near miss: the sentence is not about this question after all
    nevera         anything else: names the topic, in anyone's mouth
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from portal.analysis.language import read_data
from portal.analysis.text import fold

Kind = Literal["ask", "state", "topic", "miss"]
_KINDS: Mapping[str, Kind] = {"¿": "ask", "+": "state", "-": "miss"}
Failed = set[tuple[int, int]]
"""Of one cue, (element, place): from there on the rest of it does not fit."""
_GAP = 4
_ELEMENT = re.compile(r"~\d?|(?:[^\W_]+\*?|@\w+|#)(?:\|(?:[^\W_]+\*?|@\w+|#))*")


class CueError(ValueError):
    """A cue that cannot be read; the message says which and why, in Spanish."""


@dataclass(frozen=True, slots=True)
class Element:
    """One word of a cue, which may stand up to ``gap`` words after the one before."""

    exact: frozenset[str]
    stems: tuple[str, ...]
    number: bool
    gap: int

    def fits(self, word: str) -> bool:
        return (
            word in self.exact
            or (bool(self.stems) and word.startswith(self.stems))
            or (self.number and word.isdigit())
        )


@dataclass(frozen=True, slots=True)
class Cue:
    kind: Kind
    elements: tuple[Element, ...]

    def match(
        self, folded: Sequence[str], start: int, end: int, failed: Failed | None = None
    ) -> int | None:
        """Where the cue ends when it begins at ``start``, or None.

        Of several ways to lay it over the words, the one whose first word stands earliest, then
        whose second does, and so on. ``failed`` is what earlier looks in the same words, up to the
        same ``end``, have found to lead nowhere. It keeps any from being tried twice: each word of
        a cue with wide gaps may make ten times as many ways.
        """
        failed = set() if failed is None else failed
        way: list[int] = []
        left = [(0, start)]
        while left:
            step = index, at = left.pop()
            way[index:] = [at]
            if index == len(self.elements):
                failed.difference_update(enumerate(way))
                return at
            if step in failed:
                continue
            failed.add(step)  # unless it turns out to be on the way
            element = self.elements[index]
            for place in reversed(range(at, min(at + element.gap + 1, end))):
                if element.fits(folded[place]):
                    left.append((index + 1, place + 1))
        return None


@cache
def _discourse() -> Mapping[str, list[str]]:
    return cast("Mapping[str, list[str]]", read_data("discourse_es.json"))


def phrases(name: str) -> list[str]:
    """Phrases any conversation in Spanish has, in the notation of cues: ``decline``, ``yes`` ..."""
    return _discourse()[name]


@cache
def _word_classes() -> Mapping[str, frozenset[str]]:
    classes = cast("Mapping[str, str]", read_data("classes_es.json"))
    return {name: frozenset(fold(members).split()) for name, members in classes.items()}


@cache
def parse_cue(text: str) -> Cue:
    """Reads one cue; raises CueError."""
    kind: Kind = _KINDS.get(text[:1], "topic")
    body = fold(text).strip("¿?+- ")
    elements, gap = [], 0
    parts = body.split()
    for part in parts:
        if not _ELEMENT.fullmatch(part):
            raise CueError(f"No se entiende «{part}» en la pista «{text}».")
        if part.startswith("~"):
            gap = int(part[1:]) if len(part) > 1 else _GAP
            continue
        exact: set[str] = set()
        stems, number = [], False
        for word in part.split("|"):
            if word == "#" or word.startswith("@"):
                if word not in _word_classes():
                    raise CueError(f"No existe la clase «{word}» de la pista «{text}».")
                exact |= _word_classes()[word]
                number = number or word == "#"
            elif word.endswith("*"):
                stems.append(word[:-1])
            else:
                exact.add(word)
        elements.append(Element(frozenset(exact), tuple(stems), number, gap))
        gap = 0
    if not elements:
        raise CueError(f"La pista «{text}» no tiene palabras.")
    return Cue(kind, tuple(elements))


@dataclass(frozen=True, slots=True)
class Match:
    """Words ``start`` to before ``end`` fit a cue of the group ``key``."""

    key: str
    kind: Kind
    start: int
    end: int
    cue: Cue


class CueIndex:
    """All cues of several groups at once, found in one pass over the words."""

    def __init__(self, groups: Mapping[str, Iterable[str]]) -> None:
        self._exact: dict[str, list[tuple[str, Cue]]] = {}
        self._stems: dict[str, list[tuple[str, Cue]]] = {}
        for key, texts in groups.items():
            for cue in map(parse_cue, texts):
                first = cue.elements[0]
                for word in first.exact:
                    self._exact.setdefault(word, []).append((key, cue))
                for stem in first.stems:
                    self._stems.setdefault(stem, []).append((key, cue))
                if first.number:
                    self._exact.setdefault("#", []).append((key, cue))
        self._lengths = sorted({len(stem) for stem in self._stems})

    def find(self, folded: Sequence[str], start: int = 0, end: int | None = None) -> list[Match]:
        """Every cue that fits within words ``start`` to before ``end``."""
        end = len(folded) if end is None else end
        matches = []
        failed: dict[int, Failed] = {}
        for place in range(start, end):
            word = folded[place]
            candidates = list(self._exact.get("#" if word.isdigit() else word, ()))
            if word.isdigit():
                candidates += self._exact.get(word, ())
            for length in self._lengths:
                if length > len(word):
                    break
                candidates += self._stems.get(word[:length], ())
            for key, cue in candidates:
                stop = cue.match(folded, place, end, failed.setdefault(id(cue), set()))
                if stop is not None:
                    matches.append(Match(key, cue.kind, place, stop, cue))
        return matches


def discourse_index(*names: str) -> CueIndex:
    """The phrases of these names, each a group."""
    return CueIndex({name: phrases(name) for name in names})
