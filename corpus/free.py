"""What the two judges of free questions learn from: the questions asked of the interviews."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corpus import reading
from corpus.fitting import fit, fit_choice
from portal.analysis.encoder import Encoder, Vectors
from portal.analysis.heads import Heads
from portal.analysis.logistic import Logistic
from portal.analysis.passages import Passage
from portal.analysis.retrieval import FOUND, PASSAGE, Search, search
from portal.analysis.text import words

_PASSAGE_PENALTY, _FOUND_PENALTY = 3.0, 20.0
# More than half of these questions have an answer; saying so falsely weighs more than missing one.
_UNSAID = 1.1


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


def _true(item: Mapping[str, Any], found: Search) -> np.ndarray:
    """Which passages hold the answer: of the turns that prove it, those with its key words."""
    proving = [p.turn in item["evidence"] for p in found.passages]
    exact = [t and _holds(p, item["keys"]) for t, p in zip(proving, found.passages, strict=True)]
    return np.array(exact if any(exact) else proving, dtype=np.int64)


def learn(
    names: Sequence[str], encoder: Encoder, heads: Mapping[str, Heads]
) -> tuple[dict[str, Logistic], dict[str, dict[str, Logistic]]]:
    """Judges learned from all passes, and for each pass those learned from the others."""
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

    def found_rows(name: str) -> tuple[Vectors, np.ndarray]:
        rows, labels = [], []
        for item, found in searches[name]:
            chances = rankers[name].choice(found.rows)
            rows.append(found.summary(chances))
            labels.append(int(item["found"]))
        return np.stack(rows), np.array(labels)

    tables = {name: found_rows(name) for name in names}

    def deciding(chosen: Sequence[str]) -> Logistic:
        rows = np.concatenate([tables[name][0] for name in chosen]).astype(np.float64)
        labels = np.concatenate([tables[name][1] for name in chosen])
        return fit(
            rows,
            labels,
            features=FOUND,
            classes=("not said", "said"),
            penalty=_FOUND_PENALTY,
            importance=np.where(labels == 0, _UNSAID, 1.0),
        )

    without = {}
    for name in names:
        others = [n for n in names if n != name]
        without[name] = {"passages": rankers[name], "found": deciding(others)}
    return {"passages": passages(names), "found": deciding(names)}, without
