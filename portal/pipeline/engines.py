"""The engines of this installation, made once per worker process and only where one is used."""

from __future__ import annotations

from functools import cache

from portal.accounts.engines import options
from portal.speech import engines as transcriptions
from portal.speech.engines.base import TranscriptionEngine


@cache
def transcription(name: str) -> TranscriptionEngine:
    """Raises EngineError when this installation has no engine of that name."""
    return transcriptions.get_engine(name, **options().get(name, {}))
