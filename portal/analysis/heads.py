"""How much a stretch of speech sounds like asking or answering a question, declining or evading.

Linear heads over two views of a stretch: its centred embedding, and its words, pairs of words and
letters, hashed. Those of the default form, and of declining and evading, were learned from the
corpus (``corpus/``, ``make train``) and come with the package. A question of somebody's own gets
heads from its text and examples when it is first used: ridge regression in closed form, against
the default form's examples and small talk.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import BytesIO
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray

from portal.analysis.encoder import Encoder, Vectors, text_key
from portal.analysis.engines.base import Question
from portal.analysis.language import read_data
from portal.analysis.text import FUNCTION_WORDS, spoken_form, stem, words

BUCKETS = 4096
TALK = ("chats", "declines", "evades")
_RIDGE = 0.5
_LETTERS = 5
_MOST_SCALED, _SAME_MATTER = 2.2, 0.5


@cache
def small_talk_texts() -> tuple[str, ...]:
    """What is said in such conversations without touching any question."""
    data = cast("dict[str, list[str]]", read_data("small_talk_es.json"))
    return tuple(data["sentences"])


def _hashed(text: str) -> dict[int, float]:
    """Hashed features of a stretch and how much each kind of them weighs."""
    folded = words(text).folded
    found: dict[str, float] = {}
    stems = [stem(word) for word in folded]
    for word, short in zip(folded, stems, strict=True):
        found[f"w {short}"] = 0.6 if word in FUNCTION_WORDS else 2.0
    for pair in pairwise(stems):
        found[f"p {' '.join(pair)}"] = 1.5
    joined = f" {' '.join(folded)} "
    for place in range(len(joined) - _LETTERS + 1):
        found[f"l {joined[place : place + _LETTERS]}"] = 0.6
    hashed: dict[int, float] = {}
    for feature, weight in found.items():
        bucket = zlib.crc32(feature.encode()) % BUCKETS
        hashed[bucket] = max(weight, hashed.get(bucket, 0.0))
    return hashed


def hashed_rows(texts: Sequence[str]) -> Vectors:
    rows = np.zeros((len(texts), BUCKETS), dtype=np.float32)
    for row, text in enumerate(texts):
        for bucket, weight in _hashed(text).items():
            rows[row, bucket] = weight
    return rows


def normalised(rows: NDArray[np.float32]) -> Vectors:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    result: Vectors = (rows / np.maximum(norms, 1e-6)).astype(np.float32)
    return result


@dataclass(frozen=True)
class Space:
    """Where stretches lie: ``mean`` of embeddings, ``idf`` of hashed words."""

    mean: Vectors
    idf: Vectors

    def by_words(self, texts: Sequence[str]) -> Vectors:
        """Shape (n, BUCKETS)."""
        return normalised(hashed_rows(texts) * self.idf)

    def centred(self, texts: Sequence[str], encoder: Encoder) -> Vectors:
        """Shape (n, dimension). The encoder hears every text as a recogniser would write it, so
        that marks and capitals change nothing."""
        return normalised(encoder.encode([spoken_form(text) for text in texts]) - self.mean)

    def by_both(self, texts: Sequence[str], encoder: Encoder) -> Vectors:
        """Shape (n, dimension + BUCKETS)."""
        half = np.float32(np.sqrt(0.5))
        joined: Vectors = np.hstack([self.centred(texts, encoder), self.by_words(texts)]) * half
        return joined


@dataclass(frozen=True)
class Learned:
    """What ``make train`` made. ``columns`` name the heads: ``asks KEY`` and ``states KEY`` for a
    question whose text has that key, and those of ``TALK``. ``typical`` is what a true asking
    and a true stating stretch score."""

    space: Space
    columns: tuple[str, ...]
    both: Vectors
    words: Vectors
    typical: tuple[float, float]

    def save(self, file: str) -> None:
        np.savez_compressed(
            file,
            mean=self.space.mean,
            idf=self.space.idf,
            columns=np.array(self.columns),
            both=self.both.astype(np.float16),
            words=self.words.astype(np.float16),
            typical=np.array(self.typical, dtype=np.float32),
        )


@cache
def learned() -> Learned:
    """The heads that come with the package."""
    file = resources.files("portal.analysis") / "data" / "heads.npz"
    with np.load(BytesIO(file.read_bytes()), allow_pickle=False) as stored:
        return Learned(
            Space(stored["mean"], stored["idf"]),
            tuple(stored["columns"].tolist()),
            stored["both"].astype(np.float32),
            stored["words"].astype(np.float32),
            (float(stored["typical"][0]), float(stored["typical"][1])),
        )


@dataclass(frozen=True)
class Scores:
    """Of n stretches: ``asks`` and ``states`` of shape (n, questions), the others (n,). About 0
    for nothing to do with it; for certain, about 1. ``chats``: an interviewer says what asks
    nothing of the form."""

    asks: Vectors
    states: Vectors
    chats: Vectors
    declines: Vectors
    evades: Vectors


def _learn_own(
    weights: Vectors,
    rows: Vectors,
    owners: Sequence[int | None],
    own: Sequence[int],
    typical: float,
) -> None:
    """Ridge regression into the columns ``own`` of ``weights``, from few examples.

    Scaled until what a true one would have scored, had it not been learned from, is what a
    well-learned head gives: ``typical``.
    """
    wanted = np.array([[owner == number for number in own] for owner in owners], dtype=np.float32)
    inverse = np.linalg.inv(rows @ rows.T + _RIDGE * np.eye(len(rows), dtype=np.float32))
    solved = inverse @ wanted
    left_out = wanted - solved / np.diag(inverse)[:, None]
    for place, number in enumerate(own):
        true = left_out[wanted[:, place] > 0, place]
        if true.size:
            scale = np.clip(typical / max(float(np.median(true)), 0.01), 1.0, _MOST_SCALED)
            weights[:, number] = rows.T @ solved[:, place] * scale


class Heads:
    """The heads of one list of questions; without an encoder they go by words alone."""

    def __init__(
        self, questions: Sequence[Question], encoder: Encoder | None, known: Learned | None = None
    ) -> None:
        self._encoder = encoder
        self._known = known or learned()
        self._count = len(questions)
        columns = [f"asks {text_key(q.text)}" for q in questions]
        columns += [f"states {text_key(q.text)}" for q in questions]
        columns += TALK
        own = [n for n in range(len(questions)) if columns[n] not in self._known.columns]
        self._words = self._weights(columns, self._known.words)
        self._both = self._weights(columns, self._known.both)
        if own:
            self._learn(questions, own)

    def _weights(self, columns: Sequence[str], known: Vectors) -> Vectors:
        weights = np.zeros((known.shape[0], len(columns)), dtype=np.float32)
        for place, name in enumerate(columns):
            if name in self._known.columns:
                weights[:, place] = known[:, self._known.columns.index(name)]
        return weights

    def _learn(self, questions: Sequence[Question], own: Sequence[int]) -> None:
        from portal.analysis.questionnaire import default_questionnaire

        def split(question: Question) -> tuple[list[str], list[str]]:
            asking = [question.text, *(e for e in question.examples if "?" in e)]
            return asking, [e for e in question.examples if "?" not in e]

        default = default_questionnaire().questions
        here = {question.text for question in questions}
        texts = [questions[number].text for number in own]
        alike = Heads(default, self._encoder, self._known).score(texts).asks.max(axis=0)
        # A default question of the same matter tells nothing apart, unless it is asked as well.
        others = [
            split(question)
            for question, same in zip(default, alike, strict=True)
            if question.text in here or same < _SAME_MATTER
        ]
        for stating in (False, True):
            texts = [text for text in small_talk_texts() if ("?" in text) != stating]
            texts += [e.removeprefix("- ") for pair in others for e in pair[stating]]
            owners: list[int | None] = [None] * len(texts)
            for number in own:
                examples = split(questions[number])[stating]
                texts += [e.removeprefix("- ") for e in examples]
                owners += [None if e.startswith("- ") else number for e in examples]
            columns = slice(self._count, None) if stating else slice(None)
            views = [(self._words, self.space.by_words(texts))]
            if self._encoder is not None:
                views.append((self._both, self.space.by_both(texts, self._encoder)))
            for weights, rows in views:
                typical = self._known.typical[stating]
                _learn_own(weights[:, columns], rows, owners, own, typical)

    @property
    def space(self) -> Space:
        return self._known.space

    def by_words(self, texts: Sequence[str]) -> Scores:
        """Hundreds of times faster than ``score``, and less sure."""
        return self._split(self.space.by_words(texts) @ self._words)

    def score(self, texts: Sequence[str]) -> Scores:
        if self._encoder is None or not texts:
            return self.by_words(texts)
        return self._split(self.space.by_both(texts, self._encoder) @ self._both)

    def _split(self, scores: Vectors) -> Scores:
        n = self._count
        return Scores(scores[:, :n], scores[:, n : 2 * n], *scores[:, 2 * n :].T)
