"""Leaving a server alone that does not answer, so that nobody waits for it again and again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FAILURES, REST = 3, 60.0


class Breaker:
    """Opens after ``failures`` in a row; ``rest`` seconds later one call may try, and closes it if
    it succeeds. Shared between threads."""

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        rest: float = REST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = failures
        self._rest = rest
        self._clock = clock
        self._failed = 0
        self._again = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        with self._lock:
            return self._failed >= self._most and self._clock() < self._again

    def may_try(self) -> bool:
        """True lets the caller through, who has to tell how it went."""
        with self._lock:
            if self._failed < self._most:
                return True
            if self._clock() < self._again:
                return False
            self._again = self._clock() + self._rest  # others wait for this one
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        with self._lock:
            self._failed += 1
            self._again = self._clock() + self._rest
