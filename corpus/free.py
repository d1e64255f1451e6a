"""What free questions are answered with is learned from those asked of the corpus's interviews."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from corpus import reading
from corpus.fitting import fit_choice
from corpus.matching import Case, mean_told
from corpus.matching import learn as match
from portal.analysis.encoder import Encoder
from portal.analysis.heads import Heads
from portal.analysis.logistic import Logistic
from portal.analysis.matching import BY_WORDS, Heard, Matching
from portal.analysis.passages import Passage
from portal.analysis.retrieval import PASSAGE, Search, search
from portal.analysis.text import words

_PASSAGE_PENALTY = 3.0


def _holds(passage: Passage, keys: Sequence[Sequence[str]]) -> bool:
    said = " ".join(passage.folded)
    return any(" ".join(words(key).folded) in said for group in keys for key in group)


def _searches(
    folder: Path, encoder: Encoder, heads: Heads
) -> Iterator[tuple[dict[str, Any], Search]]:
    for interview in reading.interviews(folder):
        for item in interview.qa:
            found = search(interview.turns, item["q"], encoder, heads)
            if found is not None:
                yield item, found


def _true(item: Mapping[str, Any], found: Search | Heard) -> np.ndarray:
    """Which passages hold the answer: of the turns that prove it, those with its key words."""
    proving = [p.turn in item["evidence"] for p in found.passages]
    exact = [t and _holds(p, item["keys"]) for t, p in zip(proving, found.passages, strict=True)]
    return np.array(exact if any(exact) else proving, dtype=np.int64)


def _case(item: Mapping[str, Any], heard: Heard) -> Case:
    return Case(heard, _true(item, heard).astype(np.float64), bool(item["found"]))


@dataclass(frozen=True)
class Asking:
    """What answers free questions: ``judges`` of their numbers, and which answer goes with which
    question."""

    judges: Mapping[str, Logistic]
    matches: Matching


def learn(
    names: Sequence[str], encoder: Encoder, heads: Mapping[str, Heads]
) -> tuple[Asking, dict[str, Asking]]:
    """Learned from all passes, and for each pass from the others."""
    searches = {name: list(_searches(reading.ROOT / name, encoder, heads[name])) for name in names}

    def passages(chosen: Sequence[str]) -> Logistic:
        some = [pair for name in chosen for pair in searches[name] if _true(*pair).any()]
        rows = np.concatenate([found.rows for _, found in some]).astype(np.float64)
        right = [_true(item, found) for item, found in some]
        return fit_choice(
            rows,
            np.concatenate(right),
            np.repeat(np.arange(len(right)), [len(labels) for labels in right]),
            features=PASSAGE,
            classes=("other", "holds"),
            penalty=_PASSAGE_PENALTY,
        )

    rankers = {name: passages([n for n in names if n != name]) for name in names}
    cases = {
        name: [
            _case(item, found.heard(rankers[name], encoder, heads[name].space))
            for item, found in searches[name]
        ]
        for name in names
    }
    mean = mean_told([case for some in cases.values() for case in some])

    def asking(chosen: Sequence[str], ranker: Logistic) -> Asking:
        matches, judges = match([case for name in chosen for case in cases[name]], mean)
        return Asking({"passages": ranker, **judges}, matches)

    without = {n: asking([m for m in names if m != n], rankers[n]) for n in names}
    whole = asking(names, passages(names))
    _, judges = match([case.by_words() for some in cases.values() for case in some], mean)
    by_words = {f"{name}{BY_WORDS}": judge for name, judge in judges.items()}
    return Asking({**whole.judges, **by_words}, whole.matches), without
