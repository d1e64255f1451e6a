"""What every transcription engine takes and gives.

Nothing here knows of Django, of settings or of a database. All times are seconds, as
floats, from the start of the audio. Speakers are labels (``"S1"``, ``"S2"`` ...): who is
the employee and who the participant is decided later, by ``portal.speech.roles``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from portal.engine import Problem


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class Turn:
    """An uninterrupted stretch of one speaker. ``text`` is its words joined and trimmed."""

    speaker: str
    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """Turns in order of ``start``; ``duration`` is the audio's, not the last word's. ``voice``:
    where a voice is heard, as ``vad.packed``, of an engine that has listened for that anyway."""

    turns: tuple[Turn, ...]
    language: str
    duration: float
    engine: str
    model: str
    voice: bytes = b""


@dataclass(frozen=True, slots=True)
class Audio:
    """A file on this machine, in any format that PyAV reads."""

    path: Path


@dataclass(frozen=True, slots=True)
class Voice:
    """A few seconds of one person alone: ``samples`` are mono at 16 kHz. Turns of that voice get
    its ``label`` from engines that can tell."""

    label: str
    samples: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Options:
    """``language``: an ISO 639-1 code, or None to let the engine tell. ``speakers``: how many
    to tell apart; 1 means no diarization. ``voices``: samples of them, if there are any.
    ``reference``: the same for every attempt at one recording, so that what goes on at a service
    while this process dies is found again."""

    language: str | None = None
    speakers: int = 2
    vocabulary: tuple[str, ...] = field(default=())
    voices: tuple[Voice, ...] = field(default=())
    reference: str = ""


def no_progress(_share: float) -> None:
    """A ``progress`` callback for callers that show none."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What is being said, as far as it can be told; the next one replaces it, "" clears it."""

    text: str


@dataclass(frozen=True, slots=True)
class Committed:
    """Turns whose words will not change, following those committed before."""

    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Relabelled:
    """Turns committed earlier turn out to be another speaker's: number of the turn -> label."""

    speakers: Mapping[int, str]


StreamEvent = Partial | Committed | Relabelled


@runtime_checkable
class LeavesWork(Protocol):
    """An engine at a service where an attempt that does not come back leaves something behind."""

    def forget(self, reference: str) -> None:
        """Delete what attempts with that `Options.reference` left there. Raises EngineError."""
        ...


class TranscriptStream(Protocol):
    """One recording being transcribed while it is made. Used by one thread at a time.

    ``committed_until``: seconds of what was fed that will not be looked at again: who starts anew
    after a crash feeds from there on, with ``voices`` as it was then. ``model``: as a Transcript's.
    """

    committed_until: float
    model: str

    @property
    def voices(self) -> Mapping[str, Sequence[float]]:
        """Label to a vector of that voice: plain numbers, to be kept and given to
        ``TranscriptionEngine.stream`` again. Empty when the engine has none."""
        ...

    def feed(self, samples: NDArray[np.float32]) -> list[StreamEvent]:
        """Take in what follows, mono at 16 kHz, any length, and give what has become known.

        May take as long as the recogniser needs. Raises EngineError.
        """
        ...

    def cut(self) -> list[StreamEvent]:
        """Something is missing here (a pause): commit what was said before it."""
        ...

    def close(self) -> list[StreamEvent]:
        """The end: commit what is left, and let everything go. May be called twice."""
        ...


class TranscriptionEngine(Protocol):
    """``name`` is the stable id kept with a transcript, in a settings choice and in the API."""

    name: str
    supports_diarization: bool
    supports_streaming: bool

    def check(self) -> list[Problem]:
        """What is missing, said before the first upload. Empty when the engine can be used.
        Must be cheap: it is called to draw a form."""
        ...

    def transcribe(
        self, audio: Audio, *, options: Options, progress: Callable[[float], None] = no_progress
    ) -> Transcript:
        """Transcribe a whole file. ``progress`` gets a share from 0 to 1, never falling.

        Raises EngineError.
        """
        ...

    def stream(
        self,
        *,
        options: Options,
        start: float = 0.0,
        turns: int = 0,
        voices: Mapping[str, Sequence[float]] | None = None,
        room: Callable[[], bool] = lambda: False,
    ) -> TranscriptStream:
        """Transcribe while it is recorded; only where ``supports_streaming``.

        ``start``: the time of the first sample fed, ``turns``: how many were committed before, and
        ``voices``: those of a stream that broke off. ``room`` says whether there is time to spare
        now: for a Partial, or to listen more closely. Raises EngineError.
        """
        ...
