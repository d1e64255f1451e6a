from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from portal.engine import EngineError, metered
from portal.speech.audio import SAMPLE_RATE, decode
from portal.speech.engines.base import Options
from portal.speech.engines.deepgram import DeepgramEngine
from tests.contracts.transcription import Heard, TranscriptStreamContract, fed
from tests.servers.deepgram_live import DeepgramLive

DIALOGUE = Path(__file__).parents[3] / "tests" / "audio" / "dialogue.ogg"
SPANISH = Options(language="es")


@pytest.fixture(scope="module")
def server() -> Iterator[DeepgramLive]:
    server = DeepgramLive()
    with server.running():
        yield server


@pytest.fixture(autouse=True)
def calm(server: DeepgramLive) -> None:
    server.calm()


@pytest.fixture(scope="module")
def sound() -> NDArray[np.float32]:
    return np.concatenate([block[0] for block in decode(DIALOGUE)])


@pytest.fixture
def engine(server: DeepgramLive, models_dir: Path) -> DeepgramEngine:
    return DeepgramEngine(api_key=server.key, url=server.url, models_dir=models_dir)


@pytest.mark.model
class TestDeepgramStream(TranscriptStreamContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, server: DeepgramLive, models_dir: Path) -> DeepgramEngine:
        return DeepgramEngine(api_key=server.key, url=server.url, models_dir=models_dir)

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls) -> Path:
        return DIALOGUE


@pytest.mark.model
def test_what_is_asked_for(
    server: DeepgramLive, engine: DeepgramEngine, sound: NDArray[np.float32]
) -> None:
    with metered() as used:
        stream = engine.stream(options=SPANISH)
        stream.feed(sound[: 6 * SAMPLE_RATE])
        stream.close()
    (query,) = server.queries
    assert query["interim_results"] == ["true"] and query["endpointing"] == ["300"]
    assert query["language"] == ["es"] and query["mip_opt_out"] == ["true"]
    assert query["encoding"] == ["linear16"] and query["sample_rate"] == ["16000"]
    assert [usage.seconds for usage in used] == [6.0]


def test_nobody_is_called_until_somebody_speaks(
    server: DeepgramLive, engine: DeepgramEngine
) -> None:
    stream = engine.stream(options=SPANISH)
    stream.feed(np.zeros(20 * SAMPLE_RATE, np.float32))
    assert server.queries == []
    assert stream.committed_until == pytest.approx(19.2, abs=0.1)


def test_without_the_model_of_voices_the_services_are_taken(
    server: DeepgramLive, sound: NDArray[np.float32]
) -> None:
    engine = DeepgramEngine(api_key=server.key, url=server.url, models_dir=Path("/nonexistent"))
    stream, heard = engine.stream(options=SPANISH), Heard()
    fed(stream, sound, heard)
    heard.take(stream.close())
    assert heard.speakers == ["S1", "S2"] * 4
    assert server.queries[0]["diarize_model"] == ["latest"]


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(HTTPStatus.UNAUTHORIZED, False), (HTTPStatus.TOO_MANY_REQUESTS, True)],
)
def test_a_service_that_lets_nobody_in(
    server: DeepgramLive,
    engine: DeepgramEngine,
    sound: NDArray[np.float32],
    status: HTTPStatus,
    retryable: bool,
) -> None:
    server.refuses = status
    stream = engine.stream(options=SPANISH)
    with pytest.raises(EngineError) as caught:
        stream.feed(sound)
    assert caught.value.retryable is retryable


@pytest.mark.model
def test_a_line_that_breaks_is_said_and_what_was_committed_counts(
    server: DeepgramLive, engine: DeepgramEngine, sound: NDArray[np.float32]
) -> None:
    # Long after «Colombia» was said: what is told last may go with the line.
    server.breaks_after = 20.0
    stream, heard = engine.stream(options=SPANISH), Heard()
    with pytest.raises(EngineError, match="se ha cortado"):
        fed(stream, sound, heard)
    assert "colombia" in heard.text
    assert heard.turns[-1].end <= stream.committed_until <= 20.0
    assert stream.close() == []


def test_nonsense_is_said(
    server: DeepgramLive, engine: DeepgramEngine, sound: NDArray[np.float32]
) -> None:
    server.nonsense = True
    stream = engine.stream(options=SPANISH)
    with pytest.raises(EngineError, match="no se entiende"):
        fed(stream, sound, Heard())
