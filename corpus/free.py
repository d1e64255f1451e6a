"""What free questions are answered with is learned from those asked of the corpus's interviews.

Here the judges of named numbers: which passages are worth reading together with the question, and
what is chosen where nothing can be read so. The reading itself is taught by ``cross_encoder.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from corpus import reading
from corpus.fitting import fit_choice
from corpus.reading import Interview, Talk
from portal.analysis.encoder import Encoder, Vectors
from portal.analysis.heads import Heads
from portal.analysis.logistic import Logistic
from portal.analysis.passages import Passage
from portal.analysis.retrieval import CHOICE, PASSAGE, Search, search
from portal.analysis.text import words

BY_WORDS = "answers by words"
_PENALTY = 3.0
_SOUND = [n for n, name in enumerate(PASSAGE) if "similar" in name or name == "nearness"]

Asked = tuple[Mapping[str, Any], Search]
"""A question as the corpus has it, held against its conversation."""


def _holds(passage: Passage, keys: Sequence[Sequence[str]]) -> bool:
    said = " ".join(passage.folded)
    return any(" ".join(words(key).folded) in said for group in keys for key in group)


def asked(
    conversations: Sequence[Interview | Talk], encoder: Encoder, heads: Heads
) -> Iterator[Asked]:
    for conversation in conversations:
        for item in conversation.qa:
            found = search(conversation.turns, item["q"], encoder, heads)
            if found is not None:
                yield item, found


def right(item: Mapping[str, Any], passages: Sequence[Passage]) -> np.ndarray:
    """Which passages hold the answer: of the turns that prove it, those with its key words."""
    proving = [p.turn in item["evidence"] for p in passages]
    exact = [t and _holds(p, item["keys"]) for t, p in zip(proving, passages, strict=True)]
    return np.array(exact if any(exact) else proving, dtype=np.int64)


def worth_reading(some: Sequence[Asked]) -> Logistic:
    """Which passage holds the answer, of questions that have one."""
    some = [one for one in some if right(one[0], one[1].passages).any()]
    labels = [right(item, found.passages) for item, found in some]
    return fit_choice(
        np.concatenate([found.rows for _, found in some]).astype(np.float64),
        np.concatenate(labels),
        np.repeat(np.arange(len(labels)), [len(label) for label in labels]),
        features=PASSAGE,
        classes=("other", "holds"),
        penalty=_PENALTY,
    )


def _by_words(some: Sequence[Asked], judge: Logistic) -> Logistic:
    """Which passage answers, or that nobody says it, from what needs no encoder."""
    rows: list[Vectors] = []
    labels = []
    for item, found in some:
        candidates = found.likeliest(judge)
        label = np.append(right(item, candidates.passages), int(not item["found"]))
        if label.any():
            rows.append(candidates.rows)
            rows[-1][:, _SOUND] = 0.0
            labels.append(label)
    return fit_choice(
        np.concatenate(rows).astype(np.float64),
        np.concatenate(labels),
        np.repeat(np.arange(len(labels)), [len(label) for label in labels]),
        features=CHOICE,
        classes=("other", "answers"),
        penalty=_PENALTY,
    )


def learn(
    names: Sequence[str], encoder: Encoder, heads: Mapping[str, Heads]
) -> tuple[dict[str, Logistic], dict[str, dict[str, Logistic]]]:
    """Judges learned from all passes, and for each pass those learned from the others."""
    every = {
        name: list(asked(reading.interviews(reading.ROOT / name), encoder, heads[name]))
        for name in names
    }

    def judges(chosen: Sequence[str]) -> dict[str, Logistic]:
        some = [one for name in chosen for one in every[name]]
        passages = worth_reading(some)
        return {"passages": passages, BY_WORDS: _by_words(some, passages)}

    return judges(names), {name: judges([n for n in names if n != name]) for name in names}
