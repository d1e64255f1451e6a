"""The contracts of transcription against the real services: `make test-cloud`.

Costs money, about a cent, and sends out the test conversations, which are invented. Each service is
asked only where its variables are set (portal/environment.py); AWS takes the credentials of the
machine. Not named like a test, so that nothing else runs it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.accounts import engines
from portal.speech.engines import get_engine
from portal.speech.engines.base import TranscriptionEngine
from tests.contracts.transcription import TranscriptionEngineContract, TranscriptStreamContract

DIALOGUE = Path(__file__).parents[1] / "audio" / "dialogue.ogg"


def real(name: str) -> TranscriptionEngine:
    engine = get_engine(name, **engines.options()[name])
    for problem in engine.check():
        pytest.skip(f"{problem.message} {problem.hint}")
    return engine


class _Real:
    service: str

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> TranscriptionEngine:
        return real(cls.service)

    @pytest.fixture(scope="class")
    @classmethod
    def unusable(cls) -> TranscriptionEngine:
        return get_engine(cls.service)

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls) -> Path:
        return DIALOGUE


class TestAWS(_Real, TranscriptionEngineContract):
    service = "aws"


class TestDeepgram(_Real, TranscriptionEngineContract):
    service = "deepgram"


class TestOpenAI(_Real, TranscriptionEngineContract):
    service = "openai"


class TestAWSLive(_Real, TranscriptStreamContract):
    service = "aws"


class TestDeepgramLive(_Real, TranscriptStreamContract):
    service = "deepgram"
