"""What was said and what is looked for, as vectors that are the nearer the more alike they mean.

The encoder's cosines crowd, so each kind is centred on a middle of its own: that of turns, and
that of what people look for. ``python -m corpus.meaning`` makes both from the corpus.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import BytesIO

import numpy as np

from portal.analysis.encoder import MAX_CHARACTERS, Encoder, Vectors, packaged_vectors
from portal.analysis.text import spoken_form

SHORTEST = 4
"""Words; fewer mean nothing by themselves ("sí, claro")."""

ALIKE, ALIKE_UNFAMILIAR = 0.12, 0.28
"""The least cosine with what is looked for: of what such talk is about, and of anything else. The
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
    """What is looked for: a unit vector, and the least cosine with it that counts as alike."""

    vector: Vectors
    alike: float


def parts(text: str) -> list[str]:
    """A turn in as many parts as the encoder needs to hear all of it; none of one too short."""
    found: list[str] = []
    words = text.split()
    if len(words) < SHORTEST:
        return found
    part = ""
    for word in words:
        longer = f"{part} {word}" if part else word
        if len(longer) > MAX_CHARACTERS and part:
            found.append(part)
            longer = word
        part = longer
    return [*found, part]


def said(texts: list[str], encoder: Encoder) -> Vectors:
    """Unit vectors, shape (n, dimension)."""
    return _centred(encoder.passages(texts), middles().said)


def wanted(text: str, encoder: Encoder) -> Wanted:
    vector = encoder.encode([spoken_form(text)])
    sentences, middle = _familiar()
    near = np.sort(_centred(vector, middle)[0] @ sentences.T)[-_NEAREST:].mean()
    alike = ALIKE if near >= FAMILIAR else ALIKE_UNFAMILIAR
    return Wanted(_centred(vector, middles().searched)[0], alike)


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
