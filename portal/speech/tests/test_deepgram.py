from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.engine import EngineError, metered
from portal.speech.engines.base import Audio, Options
from portal.speech.engines.deepgram import DeepgramEngine
from tests.contracts.transcription import TranscriptionEngineContract
from tests.servers.deepgram import Deepgram

DIALOGUE = Path(__file__).parents[3] / "tests" / "audio" / "dialogue.ogg"
SPANISH = Options(language="es")


@pytest.fixture(scope="module")
def server() -> Iterator[Deepgram]:
    server = Deepgram()
    with server.running():
        yield server


@pytest.fixture(autouse=True)
def calm(server: Deepgram) -> None:
    server.calm()


@pytest.fixture
def engine(server: Deepgram) -> DeepgramEngine:
    return DeepgramEngine(api_key=server.key, url=server.url, timeout=20)


class TestDeepgramEngine(TranscriptionEngineContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, server: Deepgram) -> DeepgramEngine:
        return DeepgramEngine(api_key=server.key, url=server.url)

    @pytest.fixture(scope="class")
    @classmethod
    def unusable(cls) -> DeepgramEngine:
        return DeepgramEngine()

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls) -> Path:
        return DIALOGUE


def test_what_is_asked_for(server: Deepgram, engine: DeepgramEngine) -> None:
    with metered() as used:
        wanted = Options(language="es", vocabulary=("padrón", "NIE"))
        transcript = engine.transcribe(Audio(DIALOGUE), options=wanted)
    (request,) = server.requests
    assert request.query == {
        "model": ["nova-3"],
        "language": ["es"],
        "diarize_model": ["latest"],
        "smart_format": ["true"],
        "utterances": ["true"],
        "mip_opt_out": ["true"],
        "keyterm": ["padrón", "NIE"],
    }
    assert [(usage.engine, usage.seconds) for usage in used] == [("deepgram", transcript.duration)]
    assert transcript.voice


def test_the_language_is_found_and_one_voice_is_one(
    server: Deepgram, engine: DeepgramEngine
) -> None:
    transcript = engine.transcribe(Audio(DIALOGUE), options=Options(speakers=1))
    assert transcript.language == "es"
    assert {turn.speaker for turn in transcript.turns} == {"S1"}
    assert "diarize_model" not in server.requests[0].query


@pytest.mark.parametrize(
    ("status", "retryable", "said"),
    [
        (401, False, "no acepta la clave"),
        (402, False, "no acepta la clave"),
        (400, False, "no ha aceptado"),
        (429, True, "no da abasto"),
        (502, True, "no funciona"),
    ],
)
def test_what_the_service_refuses_is_said_plainly(
    server: Deepgram, engine: DeepgramEngine, status: int, retryable: bool, said: str
) -> None:
    server.faults.statuses = [status]
    with pytest.raises(EngineError, match=said) as caught:
        engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert caught.value.retryable is retryable
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "retryable"),
    [({"cut": True}, True), ({"nonsense": True}, False), ({"garbage": True}, False)],
)
def test_half_an_answer_and_nonsense(
    server: Deepgram, engine: DeepgramEngine, fault: dict[str, bool], retryable: bool
) -> None:
    for name, value in fault.items():
        setattr(server.faults, name, value)
    with pytest.raises(EngineError) as caught:
        engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert caught.value.retryable is retryable


def test_a_service_that_does_not_answer(server: Deepgram) -> None:
    server.faults.delay = 2.0
    slow = DeepgramEngine(api_key=server.key, url=server.url, timeout=0.2)
    with pytest.raises(EngineError, match="No se ha podido hablar") as caught:
        slow.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert caught.value.retryable
