"""Is every pass whole? ``python -m corpus.check [FOLDER...]`` prints what is missing or wrong."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.assess import scorer
from corpus.reading import ROOT, SLUGS, TEST, learnable, lines, passes, talk_files
from portal.analysis.text import words

STATE_OF = {
    "answer": "answered",
    "volunteer": "answered",
    "decline": "declined",
    "past": "asked",
    "near_miss": "unasked",
}
# One less than was asked of the writers: what a pass held back says too has been taken out.
LEAST_ASKS, LEAST_OTHER, LEAST_ANSWERS = 19, 40, 29
LEAST = {"answer": 10, "volunteer": 5, "decline": 2, "past": 2, "near_miss": 3}
INTERVIEWS, TURNS = 4, range(38, 61)
LEAST_FREE, LEAST_UNSAID = 10, 0.3


def problems(folder: Path) -> list[str]:
    """Sentences about what is wrong with a pass; empty when it is whole."""
    return [*_asks(folder), *_answers(folder), *_interviews(folder), *_free(folder)]


def _asks(folder: Path) -> Iterator[str]:
    asks = lines(folder / "asks.jsonl")
    counts = Counter(ask["q"] for ask in asks)
    for slug in SLUGS:
        if counts[slug] < LEAST_ASKS:
            yield f"asks: {slug}: {counts[slug]} of {LEAST_ASKS}"
    if counts[None] < LEAST_OTHER:
        yield f"asks: null: {counts[None]} of {LEAST_OTHER}"
    for slug in counts.keys() - {*SLUGS, None}:
        yield f"asks: unknown question {slug}"
    for text, times in Counter(ask["text"] for ask in asks).items():
        if times > 1:
            yield f"asks: twice: {text}"


def _answers(folder: Path) -> Iterator[str]:
    answers = lines(folder / "answers.jsonl")
    counts = Counter((answer["q"], answer["how"]) for answer in answers)
    for slug in SLUGS:
        total = sum(counts[slug, how] for how in STATE_OF)
        if total < LEAST_ANSWERS:
            yield f"answers: {slug}: {total} of {LEAST_ANSWERS}"
        for how, least in LEAST.items():
            if counts[slug, how] < least:
                yield f"answers: {slug}: {how}: {counts[slug, how]} of {least}"
    for number, answer in enumerate(answers, 1):
        where = f"answers:{number}"
        if answer["q"] not in SLUGS or answer["how"] not in STATE_OF:
            yield f"{where}: unknown question or how"
            continue
        if answer["state"] != STATE_OF[answer["how"]]:
            yield f"{where}: state of {answer['how']} is {STATE_OF[answer['how']]}"
        if answer["span"] not in answer["text"]:
            yield f"{where}: span is not verbatim: {answer['span']}"
        if bool(answer["span"]) != (answer["how"] in ("answer", "volunteer", "decline")):
            yield f"{where}: span missing or too much"
        if bool(answer["value"]) != (answer["state"] == "answered"):
            yield f"{where}: value missing or too much"


def _interviews(folder: Path) -> Iterator[str]:
    paths = sorted((folder / "interviews").glob("*.json"))
    if len(paths) < INTERVIEWS:
        yield f"interviews: {len(paths)} of {INTERVIEWS}"
    for path in paths:
        data = json.loads(path.read_text("utf-8"))
        turns = data["turns"]
        if len(turns) not in TURNS:
            yield f"{path.name}: {len(turns)} turns"
        if {turn["speaker"] for turn in turns} - {"empleado", "usuario", "otro"}:
            yield f"{path.name}: unknown speaker"
        if [gold["question"] for gold in data["gold"]] != SLUGS:
            yield f"{path.name}: gold is not the questions in order"
        for gold in data["gold"]:
            where = f"{path.name}: {gold['question']}"
            answered, unasked = gold["state"] == "answered", gold["state"] == "unasked"
            if answered != bool(gold["keys"]) or unasked == bool(gold["evidence"]):
                yield f"{where}: keys or evidence do not fit {gold['state']}"
            if any(not 0 <= at < len(turns) for at in gold["evidence"]):
                yield f"{where}: evidence out of range"
            elif answered and all(turns[at]["speaker"] == "empleado" for at in gold["evidence"]):
                yield f"{where}: evidence is the employee's"
        found = [item["found"] for item in data["qa"]]
        if sorted(found) != [False] * 2 + [True] * 4:
            yield f"{path.name}: qa is not four found and two not"


def _free(folder: Path) -> Iterator[str]:
    """The questions a later hand asked of the interviews."""
    asked = lines(folder / "questions.jsonl")
    paths = {path.stem: path for path in (folder / "interviews").glob("*.json")}
    for number, item in enumerate(asked, 1):
        if item["interview"] not in paths:
            yield f"questions:{number}: unknown interview {item['interview']}"
    for name, path in paths.items():
        data = json.loads(path.read_text("utf-8"))
        own = [item for item in asked if item["interview"] == name]
        yield from _asked_of(f"questions of {name}", own, data["turns"], beside=data["qa"])


def _asked_of(
    where: str,
    own: Sequence[dict[str, Any]],
    turns: Sequence[dict[str, str]],
    *,
    beside: Sequence[dict[str, Any]] = (),
) -> Iterator[str]:
    """Free questions of one conversation, which has others ``beside``."""
    unsaid = sum(not item["found"] for item in own)
    if len(own) < LEAST_FREE or unsaid < LEAST_UNSAID * len(own):
        yield f"{where}: {len(own)}, {unsaid} of them not spoken of"
    said = Counter(item["q"] for item in [*own, *beside])
    yield from (f"{where}: twice: {q}" for q, times in said.items() if times > 1)
    for item in own:
        if any(not 0 <= at < len(turns) for at in item["evidence"]):
            yield f"{where}: evidence out of range: {item['q']}"
            continue
        proof = " ".join(turns[at]["text"] for at in item["evidence"])
        if not item["found"] == bool(item["keys"]) == bool(item["evidence"]):
            yield f"{where}: keys or evidence missing or too much: {item['q']}"
        elif not _scorer().has_keys(proof, item["keys"]):
            yield f"{where}: keys are not in the evidence: {item['q']}"


def problems_of_talks(path: Path) -> list[str]:
    """Sentences about what is wrong with the talks of one hand."""
    found = []
    for number, talk in enumerate(lines(path), 1):
        where = f"talk {number}"
        found += _asked_of(where, talk["qa"], talk["turns"])
        if {turn["speaker"] for turn in talk["turns"]} - {"empleado", "usuario", "otro"}:
            found.append(f"{where}: unknown speaker")
    return found


@cache
def _scorer() -> ModuleType:
    return scorer()


def _texts(folder: Path) -> dict[str, str]:
    """What is asked and said, folded, with the line it stands in."""
    found = {}
    for name in ("asks.jsonl", "answers.jsonl"):
        for line in lines(folder / name):
            spoken = " ".join(words(f"{line.get('ask', '')} {line['text']}").folded)
            found[spoken] = f"{folder.name}/{name}: {line['text']}"
    return found


def leaked() -> list[str]:
    """Lines of passes to learn from that a pass held back has too: they would be learned."""
    held = {text for name in TEST for text in _texts(ROOT / name)}
    return [line for f in learnable() for text, line in _texts(f).items() if text in held]


def main() -> int:
    folders = [Path(name) for name in sys.argv[1:]] or passes()
    found = [f"{f.name}: {problem}" for f in folders for problem in problems(f)]
    if not sys.argv[1:]:
        found += [
            f"talks/{p.name}: {problem}" for p in talk_files() for problem in problems_of_talks(p)
        ]
    found += [f"also held back: {line}" for line in leaked()]
    print(*(found or ["OK"]), sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
