"""What engines of speech and of analysis have in common. Knows of no engine and of no Django."""

from __future__ import annotations

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
