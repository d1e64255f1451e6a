"""Which answer goes with which question, learned from the corpus: ``data/matching.npz``.

A passage is heard once more, as something told and together with what it replies to. How well it
goes with the question is a bilinear form of low rank over both embeddings, beside the named
numbers of ``retrieval.py``. All passages compete with one more choice: that nobody says it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import BytesIO

import numpy as np

from portal.analysis.encoder import Encoder, Vectors
from portal.analysis.heads import Space, normalised
from portal.analysis.logistic import Logistic, Matrix
from portal.analysis.passages import Passage
from portal.analysis.seeking import KINDS, FreeQuestion
from portal.analysis.text import spoken_form

NEAR = ("near", "nearer than others")
UNSAID = ("known", "names", *KINDS)
BY_WORDS = " by words"
"""What the judges are called that were learned for where no encoder is installed."""

_ASKED_CHARACTERS = 120


@dataclass(frozen=True)
class Heard:
    """The passages that a question may be answered by; ``rows[i]`` are the numbers of passage i,
    ``told[i]`` its embedding after what it replies to, ``unsaid`` what lets doubt that anybody
    says it. Without an encoder all embeddings are zeros."""

    passages: tuple[Passage, ...]
    rows: Vectors
    question: Vectors
    told: Vectors
    unsaid: Vectors


def hear(
    question: FreeQuestion,
    passages: Sequence[Passage],
    rows: Vectors,
    known: float,
    encoder: Encoder | None,
    space: Space,
) -> Heard:
    """``known`` is the share of the question that is named anywhere."""
    asked: Vectors = np.zeros(len(space.mean), dtype=np.float32)
    told: Vectors = np.zeros((len(passages), len(asked)), dtype=np.float32)
    if encoder is not None:
        asked = space.centred([question.text], encoder)[0]
        told = encoder.encode([_in_context(passage) for passage in passages], told=True)
    kinds = [float(kind == question.kind) for kind in KINDS]
    unsaid = np.array([known, len(question.names), *kinds], dtype=np.float32)
    return Heard(tuple(passages), rows, asked, told, unsaid)


def _in_context(passage: Passage) -> str:
    asked = spoken_form(" ".join(passage.asked))[-_ASKED_CHARACTERS:]
    return f"{asked} {spoken_form(passage.text)}".strip()


@dataclass(frozen=True)
class Matching:
    """``mean`` of what is told; ``questions`` and ``told``, shape (dimension, rank), bring both
    to where they are compared; ``unsaid``, shape (dimension,), what a question's sound alone
    lets expect."""

    mean: Vectors
    questions: Vectors
    told: Vectors
    unsaid: Vectors

    def centred(self, told: Vectors) -> Vectors:
        """Zeros, of what was heard without an encoder, stay zeros."""
        there = np.any(told, axis=1, keepdims=True)
        return normalised(np.where(there, told - self.mean, 0.0).astype(np.float32))

    def near(self, heard: Heard) -> Vectors:
        """Shape (n, NEAR): the cosine with the question, and by how many standard deviations it
        is above that of the others."""
        near = self.centred(heard.told) @ heard.question
        spread = max(float(near.std()), 1e-3)
        return np.stack([near, (near - near.mean()) / spread], axis=1)

    def weigh(self, heard: Heard, judges: Mapping[str, Logistic]) -> tuple[Matrix, float]:
        """How likely each passage is the one that answers, if any does; and the logarithm of how
        much likelier it is that one does than that none does."""
        kind = "" if heard.question.any() else BY_WORDS
        rows = np.hstack([heard.rows, self.near(heard)])
        goes = (self.centred(heard.told) @ self.told) @ (heard.question @ self.questions)
        odds = judges[f"holds{kind}"].odds(rows) + goes
        most = odds.max()
        shares = np.exp(odds - most)
        unsaid = judges[f"unsaid{kind}"].odds(heard.unsaid[None, :])[0]
        unsaid += heard.question @ self.unsaid
        return shares / shares.sum(), float(most + np.log(shares.sum()) - unsaid)

    def save(self, file: str) -> None:
        np.savez_compressed(
            file,
            mean=self.mean,
            questions=self.questions.astype(np.float16),
            told=self.told.astype(np.float16),
            unsaid=self.unsaid.astype(np.float16),
        )


@cache
def matching() -> Matching:
    """What comes with the package."""
    file = resources.files("portal.analysis") / "data" / "matching.npz"
    with np.load(BytesIO(file.read_bytes()), allow_pickle=False) as stored:
        parts = {name: stored[name].astype(np.float32) for name in stored.files}
        return Matching(**parts)
