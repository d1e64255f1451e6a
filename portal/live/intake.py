"""What to do with each message of one connection. It decides; it reads and writes nothing.

    waiting --hello--> opening --opened()--> recording <--> paused | private --> closed

A connection starts as recording, whatever was before it: a browser that comes back first sends what
it could not, then says in which state it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from portal.live.protocol import (
    SAMPLE_RATE,
    Audio,
    BadEntry,
    CloseCode,
    Entry,
    parse_entry,
)

AHEAD_SECONDS = 30.0
AHEAD_RATIO = 1.01
"""How much more audio than time may have passed: clocks differ, and buffers empty at once."""


class Phase(StrEnum):
    WAITING = "waiting"
    OPENING = "opening"
    RECORDING = "recording"
    PAUSED = "paused"
    PRIVATE = "private"
    CLOSED = "closed"


TOLD = frozenset({Phase.RECORDING, Phase.PAUSED, Phase.PRIVATE})
"""The states that a browser may say it is in."""


class Mode(StrEnum):
    RECORD = "record"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True)
class Begin:
    """Open this part, then call `Intake.opened`."""

    part: UUID
    mode: Mode
    takeover: bool


@dataclass(frozen=True, slots=True)
class Keep:
    """The next entry: write it, then acknowledge it."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Repeat:
    """It came before: acknowledge again what is on disk."""


@dataclass(frozen=True, slots=True)
class Change:
    """The recording is in this state from now on."""

    state: Phase


@dataclass(frozen=True, slots=True)
class Stop:
    """Acknowledge what came before, say why, close."""

    code: CloseCode


Step = Begin | Keep | Repeat | Change | Stop


class Intake:
    """``most_seconds``: of audio that one recording may have, over all its parts."""

    def __init__(self, *, most_seconds: int) -> None:
        self._most_samples = most_seconds * SAMPLE_RATE
        self._mode = Mode.RECORD
        self._next_seq = 0
        self._samples = 0
        self.phase = Phase.WAITING

    def opened(self, *, next_seq: int, samples: int) -> None:
        """The part is open at ``next_seq``; the recording has ``samples`` in all its parts."""
        if self.phase is not Phase.OPENING:
            raise ValueError(f"opened while {self.phase}")
        self._next_seq = next_seq
        self._samples = samples
        self.phase = Phase.RECORDING

    def close(self) -> None:
        self.phase = Phase.CLOSED

    def text(self, message: str) -> Step | None:
        """None once closed: what still arrives then counts for nothing."""
        if self.phase is Phase.CLOSED:
            return None
        match _parsed(message):
            case {"type": "hello", **hello} if self.phase is Phase.WAITING:
                return self._begin(hello)
            case {"type": "state", "state": str(state)} if (
                self.phase in TOLD and state in TOLD and self._mode is Mode.RECORD
            ):
                self.phase = Phase(state)
                return Change(self.phase)
        return self._stop(CloseCode.MALFORMED)

    def _begin(self, hello: Mapping[Any, Any]) -> Step:
        try:
            part, mode = UUID(hello["part"]), Mode(hello["mode"])
        except (KeyError, ValueError, TypeError, AttributeError):
            return self._stop(CloseCode.MALFORMED)
        takeover = hello.get("takeover", False)
        if not isinstance(takeover, bool):
            return self._stop(CloseCode.MALFORMED)
        self.phase = Phase.OPENING
        self._mode = mode
        return Begin(part, mode, takeover)

    def binary(self, message: bytes, *, elapsed: float) -> Step | None:
        """``elapsed``: seconds since the recording was begun. None once closed."""
        if self.phase is Phase.CLOSED:
            return None
        if self.phase not in TOLD:
            return self._stop(CloseCode.MALFORMED)
        try:
            entry = parse_entry(message)
        except BadEntry as error:
            return self._stop(error.code)
        if entry.seq < self._next_seq:
            return Repeat()
        if entry.seq > self._next_seq:
            return self._stop(CloseCode.SEQUENCE)
        if isinstance(entry, Audio):
            refusal = self._refusal(entry, elapsed)
            if refusal is not None:
                return self._stop(refusal)
            self._samples += entry.samples
        self._next_seq += 1
        return Keep(entry)

    def _refusal(self, audio: Audio, elapsed: float) -> CloseCode | None:
        if self.phase is not Phase.RECORDING:
            return CloseCode.WRONG_STATE
        samples = self._samples + audio.samples
        if samples > self._most_samples:
            return CloseCode.TOO_LONG
        if samples > (elapsed * AHEAD_RATIO + AHEAD_SECONDS) * SAMPLE_RATE:
            return CloseCode.TOO_FAST
        return None

    def _stop(self, code: CloseCode) -> Stop:
        self.phase = Phase.CLOSED
        return Stop(code)


def _parsed(message: str) -> object:
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        return None
