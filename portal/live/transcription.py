"""What a recording's screen says of its transcription; pure, the time is given in seconds."""

from __future__ import annotations

SILENT_SECONDS = 15.0
"""A recogniser that is at a recording says so every 5 seconds."""

PAUSE_SECONDS = 5.0
"""Without audio for so long, nothing is to be expected of a recogniser."""

STATUSES = frozenset({"starting", "live", "later", "off"})
LATER = "later"


class TranscriptionWatch:
    """Each method gives the new status when that changed, else None."""

    def __init__(self) -> None:
        self.status = "starting"
        self._audio_at: float | None = None
        # Since when it has been due.
        self._waiting_since = 0.0

    def audio(self, now: float) -> None:
        if self._audio_at is None or now - self._audio_at > PAUSE_SECONDS:
            self._waiting_since = now
        self._audio_at = now

    def heard(self, status: str, now: float) -> str | None:
        self._waiting_since = now
        return self._change(status) if status in STATUSES else None

    def look(self, now: float) -> str | None:
        """To be asked every second or so."""
        if self._audio_at is None or now - self._audio_at > PAUSE_SECONDS:
            return None
        return self._change(LATER) if now - self._waiting_since > SILENT_SECONDS else None

    def _change(self, status: str) -> str | None:
        if status == self.status:
            return None
        self.status = status
        return status
