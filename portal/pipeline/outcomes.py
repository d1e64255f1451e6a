from __future__ import annotations


class Interrupted(BaseException):
    """Stop at once, without a result: the worker is going down, or another one has taken over.

    No Exception, so that no engine takes it for a failure of its own.
    """


class TryLater(Exception):
    """A step waits for its next attempt, ``seconds`` from now."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds
