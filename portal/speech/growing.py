"""Numbers of which more come behind and the first go, as sound does while it is heard."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Growing:
    """Adding takes time in proportion to what is added, however much is kept. ``values`` that were
    taken stay as they are."""

    def __init__(self) -> None:
        self._store: NDArray[np.float32] = np.empty(0, np.float32)
        self._first = self._after = 0

    def __len__(self) -> int:
        return self._after - self._first

    @property
    def values(self) -> NDArray[np.float32]:
        return self._store[self._first : self._after]

    def add(self, more: NDArray[np.float32]) -> None:
        if self._after + len(more) > len(self._store):
            kept = self.values
            self._store = np.empty(2 * (len(kept) + len(more)), np.float32)
            self._store[: len(kept)] = kept
            self._first, self._after = 0, len(kept)
        self._store[self._after : self._after + len(more)] = more
        self._after += len(more)

    def drop(self, count: int) -> None:
        """The first ``count`` of those there are."""
        self._first += count

    def clear(self) -> None:
        self._first = self._after
