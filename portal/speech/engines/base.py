"""What every transcription engine takes and gives.

Nothing here knows of Django, of settings or of a database. All times are seconds, as
floats, from the start of the audio. Speakers are labels (``"S1"``, ``"S2"`` ...): who is
the employee and who the participant is decided later, by ``portal.speech.roles``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

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
    """Turns in order of ``start``; ``duration`` is the audio's, not the last word's."""

    turns: tuple[Turn, ...]
    language: str
    duration: float
    engine: str
    model: str


@dataclass(frozen=True, slots=True)
class Audio:
    """A file on this machine, in any format that PyAV reads."""

    path: Path


@dataclass(frozen=True, slots=True)
class Options:
    """``language``: an ISO 639-1 code, or None to let the engine tell. ``speakers``: how many
    to tell apart; 1 means no diarization."""

    language: str | None = None
    speakers: int = 2
    vocabulary: tuple[str, ...] = field(default=())


def no_progress(_share: float) -> None:
    """A ``progress`` callback for callers that show none."""


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
