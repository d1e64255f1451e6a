from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from portal.engine import EngineError, metered
from portal.speech.audio import SAMPLE_RATE, decode
from portal.speech.engines import remote_stream
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
    assert sum(usage.seconds for usage in used) == 6.0
    assert sum(usage.requests for usage in used) == 1


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


@pytest.fixture
def by_service(server: DeepgramLive) -> DeepgramEngine:
    """Without a model of voices, which is not what these are about."""
    return DeepgramEngine(api_key=server.key, url=server.url, models_dir=Path("/nonexistent"))


def test_a_service_that_says_nothing_more_is_given_up(
    server: DeepgramLive,
    by_service: DeepgramEngine,
    sound: NDArray[np.float32],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote_stream, "DEAF_FOR", 0.0)
    server.deaf_after = 10.0
    stream, heard = by_service.stream(options=SPANISH), Heard()
    with pytest.raises(EngineError, match="Deepgram") as caught:
        fed(stream, np.concatenate((sound, sound)), heard)
    assert caught.value.retryable
    assert 10 + remote_stream.DEAF < server.heard < 10 + 2.5 * remote_stream.DEAF
    assert stream.close() == []


def test_it_gets_the_time_to_answer_what_is_sent_at_once(
    server: DeepgramLive, by_service: DeepgramEngine, sound: NDArray[np.float32]
) -> None:
    server.deaf_after = 0.0
    stream = by_service.stream(options=SPANISH)
    assert stream.feed(np.concatenate((sound, sound))) == []


def test_nobody_has_to_answer_a_silent_room(
    server: DeepgramLive,
    by_service: DeepgramEngine,
    sound: NDArray[np.float32],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor one in which something is heard now and then that nobody can understand."""
    monkeypatch.setattr(remote_stream, "DEAF_FOR", 0.0)
    server.deaf_after = 0.0
    stream = by_service.stream(options=SPANISH)
    murmur = sound[2 * SAMPLE_RATE : 5 * SAMPLE_RATE]
    for _ in range(10):
        assert stream.feed(murmur) == []
        assert stream.feed(np.zeros(15 * SAMPLE_RATE, np.float32)) == []
    assert len(server.queries) == 1


def test_what_it_uses_is_told_while_it_lasts(
    by_service: DeepgramEngine, sound: NDArray[np.float32]
) -> None:
    whole = np.concatenate((sound, sound, sound))[: 70 * SAMPLE_RATE]
    with metered() as used:
        stream = by_service.stream(options=SPANISH)
        fed(stream, whole, Heard())
        assert sum(usage.requests for usage in used) == 1
        assert sum(usage.seconds for usage in used) == pytest.approx(60, abs=1)
        stream.close()
    assert sum(usage.requests for usage in used) == 1
    assert sum(usage.seconds for usage in used) == pytest.approx(70, abs=1)
