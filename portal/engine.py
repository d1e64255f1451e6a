"""What engines of speech and of analysis have in common. Knows of no engine and of no Django."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


class EngineError(Exception):
    """An engine could not do its work.

    ``retryable`` says whether the same call may succeed later (a network, a busy
    machine); the retry policy itself belongs to the caller. ``public_message`` is a
    plain Spanish sentence for the interviewer: what happened and what to do.
    """

    def __init__(self, public_message: str, *, retryable: bool = False) -> None:
        super().__init__(public_message)
        self.public_message = public_message
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an engine cannot be used now, or works less well than it could, and how to mend it;
    both sentences in Spanish."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What an engine used up that somebody may be charged for: seconds of audio, or one request
    to a language model. ``tokens_cached`` are those of ``tokens_in`` that its cache knew."""

    engine: str
    model: str
    seconds: float = 0.0
    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0


_meter: ContextVar[list[Usage] | None] = ContextVar("meter", default=None)


@contextmanager
def metered() -> Iterator[list[Usage]]:
    """What is used inside the block, by this thread, whether it ends well or not."""
    used: list[Usage] = []
    token = _meter.set(used)
    try:
        yield used
    finally:
        _meter.reset(token)


def used(usage: Usage) -> None:
    """For engines: say it once for each request, as soon as it is known."""
    meter = _meter.get()
    if meter is not None:
        meter.append(usage)
