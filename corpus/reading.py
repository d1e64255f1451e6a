"""What the corpus holds, as the engine hears it: stretches of speech and what each is about.

A sentence of a person often says several things of which one is labelled, so only the stretches
that overlap the labelled words stand for the question; the others stand for nothing and are
left out.
"""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from portal.analysis.engines.base import Turn
from portal.analysis.questionnaire import default_questionnaire
from portal.analysis.text import sentences, stretches, words

ROOT = Path(__file__).parent
SLUGS = [question.id for question in default_questionnaire().questions]

TEST = ("pass-07", "pass-08")
"""Held back: nobody looks at them, and nothing is learned from them."""

TEST_TALKS = ("10", "11", "12")
"""The talks held back."""

Kind = Literal["asks", "chats", "states", "declines", "evades", "other"]
_NOISY, _MISHEARD = 0.25, 0.06
_MARKS = re.compile(r"[.,;:?!¿¡…«»\"()\-—–]+")


@dataclass(frozen=True, slots=True)
class Sample:
    """A stretch; ``question`` is what it asks or states, None for none of the form."""

    text: str
    kind: Kind
    question: str | None
    employee: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """What somebody says, after what was asked if anything; ``how`` it bears on ``question``."""

    turns: tuple[Turn, ...]
    question: str
    how: str


@dataclass(frozen=True, slots=True)
class Interview:
    id: str
    turns: tuple[Turn, ...]
    gold: tuple[dict[str, Any], ...]
    qa: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Talk:
    turns: tuple[Turn, ...]
    qa: tuple[dict[str, Any], ...]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def misheard(text: str) -> str:
    """As a recogniser would write it: no marks or capitals, here and there a wrong letter."""
    chance = random.Random(zlib.crc32(text.encode()))  # noqa: S311 the same text, the same noise
    heard = []
    for word in _MARKS.sub(" ", text).lower().split():
        if len(word) > 3 and chance.random() < _MISHEARD:
            place = chance.randrange(1, len(word) - 1)
            letter = chance.choice("aeioulrsnt")
            word = word[:place] + chance.choice(["", letter]) + word[place + 1 :]
        heard.append(word)
    return " ".join(heard)


def is_noisy(text: str) -> bool:
    """Whether this text is also learned as a recogniser would write it: one in four."""
    return zlib.crc32(text.encode()) % 100 < 100 * _NOISY


def pieces(text: str) -> list[tuple[str, int, int, bool]]:
    """Stretches as ``(text, start, end, interrogative)``, in characters."""
    parsed = words(text)
    return [
        (
            parsed.slice(p.start, p.end),
            parsed.spans[p.start][0],
            parsed.spans[p.end - 1][1],
            p.interrogative,
        )
        for p in stretches(parsed, sentences(parsed))
    ]


def _variants(text: str) -> Iterator[str]:
    yield text
    if is_noisy(text):
        yield misheard(text)


def _asks(folder: Path) -> Iterator[Sample]:
    for ask in lines(folder / "asks.jsonl"):
        for text in _variants(ask["text"]):
            cut = pieces(text)
            asking = [p for p in cut if p[3]] or cut
            for piece in asking if ask["q"] else cut:
                yield Sample(piece[0], "asks" if ask["q"] else "chats", ask["q"], True)


def _answers(folder: Path) -> Iterator[Sample]:
    for item in lines(folder / "answers.jsonl"):
        text, span = item["text"], item["span"]
        kind: Kind = "other"
        if item["how"] in ("answer", "volunteer"):
            kind = "states"
        elif item["how"] == "decline":
            kind = "declines"
        elif item["how"] == "past":
            kind = "evades"
        begin = text.find(span)
        end = begin + len(span)
        for piece, start, stop, _ in pieces(text):
            if not span or (start < end and stop > begin):
                yield Sample(piece, kind, item["q"], False)
        if is_noisy(text):
            # Its words stand elsewhere once misheard, so what was said in the span is heard alone.
            for piece, *_ in pieces(misheard(span or text)):
                yield Sample(piece, kind, item["q"], False)


@cache
def samples(folder: Path) -> tuple[Sample, ...]:
    """Stretches of ``asks.jsonl`` and ``answers.jsonl`` of one pass."""
    return (*_asks(folder), *_answers(folder))


@cache
def exchanges(folder: Path) -> tuple[Exchange, ...]:
    """Items of ``answers.jsonl`` as talks of one or two turns; one in four as misheard."""
    found = []
    for item in lines(folder / "answers.jsonl"):
        asks = [item["ask"], misheard(item["ask"])]
        for text, ask in zip(_variants(item["text"]), asks, strict=False):
            spoken = ((Turn("empleado", ask),) if ask else ()) + (Turn("usuario", text),)
            found.append(Exchange(spoken, item["q"], item["how"]))
    return tuple(found)


def labelled(folder: Path) -> list[dict[str, Any]]:
    """The whole interviews of a pass in the format of ``bench/eval``, ``qa`` with the questions
    of ``questions.jsonl`` after those of the interview's own writer."""
    more = lines(folder / "questions.jsonl")
    found = []
    for path in sorted((folder / "interviews").glob("*.json")):
        data = json.loads(path.read_text("utf-8"))
        data["qa"] += [item for item in more if item["interview"] == path.stem]
        found.append(data)
    return found


@cache
def interviews(folder: Path) -> tuple[Interview, ...]:
    return tuple(
        Interview(
            data["id"],
            tuple(Turn(t["speaker"], t["text"]) for t in data["turns"]),
            tuple(data["gold"]),
            tuple(data["qa"]),
        )
        for data in labelled(folder)
    )


def talk_files() -> list[Path]:
    """Each by another hand, a talk a line."""
    return sorted((ROOT / "talks").glob("*.jsonl"))


def talks(path: Path) -> list[Talk]:
    return [
        Talk(tuple(Turn(t["speaker"], t["text"]) for t in data["turns"]), tuple(data["qa"]))
        for data in lines(path)
    ]


def passes() -> list[Path]:
    return sorted(ROOT.glob("pass-*"))


def learnable() -> list[Path]:
    """The passes that are not held back."""
    return [folder for folder in passes() if folder.name not in TEST]
