"""What was said and what is looked for, as vectors: the larger their product, the more alike.

A vector is an embedding, and beside it how far a text has to do with each question of the default
form (`heads.py`, by words alone): the product is the cosine of the embeddings and what they share
of these matters. The encoder's cosines crowd, so each kind is centred on a middle of its own: that
of turns, and that of what people look for. ``python -m corpus.meaning`` makes both from the corpus.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import BytesIO

import numpy as np

from portal.analysis.encoder import MAX_CHARACTERS, Encoder, Vectors, packaged_vectors
from portal.analysis.heads import Heads, Scores, learned
from portal.analysis.questionnaire import default_questionnaire
from portal.analysis.text import sentences, spoken_form, stretches, words

SHORTEST = 4
"""Words; fewer mean nothing by themselves ("sí, claro")."""

ALIKE, ALIKE_UNFAMILIAR = 0.12, 0.33
"""The least product with what is looked for: of what such talk is about, and of anything else. The
farther something is from all such talk, the less its being nearest says."""

FAMILIAR, _NEAREST = 0.27, 3
"""A text is of what such talk is about when it is so near to the nearest few of the sentences that
come with the package (mean cosine)."""


@dataclass(frozen=True)
class Middles:
    """Of what people say and of what they look for: shape (dimension,) each."""

    said: Vectors
    searched: Vectors


@cache
def middles() -> Middles:
    file = resources.files("portal.analysis") / "data" / "meaning.npz"
    with np.load(BytesIO(file.read_bytes()), allow_pickle=False) as stored:
        return Middles(stored["said"], stored["searched"])


@dataclass(frozen=True)
class Wanted:
    """What is looked for: its vector, and the least product with it that counts as alike."""

    vector: Vectors
    alike: float


def parts(text: str) -> list[str]:
    """A turn in as many parts as the encoder needs to hear all of it; none of one too short."""
    found: list[str] = []
    spoken = text.split()
    if len(spoken) < SHORTEST:
        return found
    part = ""
    for word in spoken:
        longer = f"{part} {word}" if part else word
        if len(longer) > MAX_CHARACTERS and part:
            found.append(part)
            longer = word
        part = longer
    return [*found, part]


def dimension() -> int:
    return int(middles().said.size) + len(default_questionnaire().questions)


@cache
def version() -> str:
    """Of all that vectors are made with but the encoder: others cannot be compared."""
    parts = (middles().said, middles().searched, learned().space.idf, learned().words)
    return f"{zlib.crc32(b''.join(part.tobytes() for part in parts)):08x}"


def said(texts: list[str], encoder: Encoder) -> Vectors:
    """Shape (n, `dimension`)."""
    about = np.zeros((len(texts), len(default_questionnaire().questions)), dtype=np.float32)
    for row, text in enumerate(texts):
        parsed = words(text)
        pieces = [parsed.slice(p.start, p.end) for p in stretches(parsed, sentences(parsed))]
        if pieces:
            about[row] = _about(_heads().by_words(pieces), asked=False).max(axis=0)
    return np.hstack([_centred(encoder.encode(texts, told=True), middles().said), about])


def wanted(text: str, encoder: Encoder) -> Wanted:
    vector = encoder.encode([spoken_form(text)])
    sentences, middle = _familiar()
    near = np.sort(_centred(vector, middle)[0] @ sentences.T)[-_NEAREST:].mean()
    alike = ALIKE if near >= FAMILIAR else ALIKE_UNFAMILIAR
    about = _about(_heads().by_words([text]), asked=True)
    return Wanted(np.hstack([_centred(vector, middles().searched), about])[0], alike)


@cache
def _heads() -> Heads:
    return Heads(default_questionnaire().questions, None)


def _about(scores: Scores, *, asked: bool) -> Vectors:
    """Shape (n, questions), each 0 to 1. People say what answers; they look for that or ask."""
    most = np.maximum(scores.states, scores.asks) if asked else scores.states
    return np.clip(most, 0.0, 1.0)


@cache
def _familiar() -> tuple[Vectors, Vectors]:
    """The package's sentences, and their middle."""
    vectors = np.stack(list(packaged_vectors().values()))
    middle = vectors.mean(axis=0)
    return _centred(vectors, middle), middle


def _centred(vectors: Vectors, middle: Vectors) -> Vectors:
    rows = vectors - middle
    centred: Vectors = (
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    ).astype(np.float32)
    return centred
