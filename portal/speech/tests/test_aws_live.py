from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from awscrt import io
from numpy.typing import NDArray

from portal.engine import EngineError
from portal.speech.audio import decode
from portal.speech.engines.aws import AWSEngine
from portal.speech.engines.base import Options
from tests.contracts.transcription import Heard, TranscriptStreamContract, fed
from tests.servers.aws_streaming import AWSStreaming

DIALOGUE = Path(__file__).parents[3] / "tests" / "audio" / "dialogue.ogg"
SPANISH = Options(language="es")


@pytest.fixture(scope="module")
def server() -> Iterator[AWSStreaming]:
    server = AWSStreaming()

    class Trusting(io.TlsContextOptions):  # the SDK trusts what the system does
        def __init__(self) -> None:
            super().__init__()
            self.override_default_trust_store(server.certificate.encode())

    with server.running(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(io, "TlsContextOptions", Trusting)
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield server


@pytest.fixture(autouse=True)
def calm(server: AWSStreaming) -> None:
    server.calm()


@pytest.fixture(scope="module")
def sound() -> NDArray[np.float32]:
    return np.concatenate([block[0] for block in decode(DIALOGUE)])


def engine_at(server: AWSStreaming, models_dir: Path, **options: Any) -> AWSEngine:
    return AWSEngine(
        bucket="nube", live_endpoint=server.url, models_dir=models_dir, pace=None, **options
    )


@pytest.mark.model
class TestAWSStream(TranscriptStreamContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, server: AWSStreaming, models_dir: Path) -> AWSEngine:
        return engine_at(server, models_dir)

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls) -> Path:
        return DIALOGUE


NOWHERE = Path("/nonexistent")


def test_what_is_asked_for(server: AWSStreaming, sound: NDArray[np.float32]) -> None:
    stream = engine_at(server, NOWHERE, vocabulary="acogida").stream(options=SPANISH)
    heard = Heard()
    fed(stream, sound, heard)
    heard.take(stream.close())
    assert heard.speakers == ["S1", "S2"] * 4
    (asked,) = server.asked
    assert asked["x-amzn-transcribe-language-code"] == "es-ES"
    assert asked["x-amzn-transcribe-sample-rate"] == "16000"
    assert asked["x-amzn-transcribe-vocabulary-name"] == "acogida"
    assert asked["x-amzn-transcribe-show-speaker-label"].lower() == "true"


def test_the_language_is_found(server: AWSStreaming, sound: NDArray[np.float32]) -> None:
    stream = engine_at(server, NOWHERE).stream(options=Options())
    stream.feed(sound)
    stream.close()
    assert server.asked[0]["x-amzn-transcribe-identify-language"].lower() == "true"
    assert "es-ES" in server.asked[0]["x-amzn-transcribe-language-options"]


@pytest.mark.parametrize(
    ("kind", "retryable"), [("AccessDeniedException", False), ("LimitExceededException", True)]
)
def test_a_service_that_lets_nobody_in(
    server: AWSStreaming, sound: NDArray[np.float32], kind: str, retryable: bool
) -> None:
    server.refuses = kind
    with pytest.raises(EngineError) as caught:
        engine_at(server, NOWHERE).stream(options=SPANISH).feed(sound)
    assert caught.value.retryable is retryable


def test_a_line_that_breaks_is_said_and_what_was_committed_counts(
    server: AWSStreaming, sound: NDArray[np.float32]
) -> None:
    # Long after «Colombia» was said: what is told last may go with the line.
    server.breaks_after = 20.0
    stream, heard = engine_at(server, NOWHERE).stream(options=SPANISH), Heard()
    with pytest.raises(EngineError) as caught:
        fed(stream, sound, heard)
    assert caught.value.retryable
    assert "colombia" in heard.text
    assert stream.close() == []


@pytest.mark.parametrize(
    "nonsense", ["<html>", {"results": None}, {"Transcript": {"Results": [{"Alternatives": [{}]}]}}]
)
def test_nonsense_is_said(
    server: AWSStreaming, sound: NDArray[np.float32], nonsense: object
) -> None:
    server.nonsense = nonsense
    stream = engine_at(server, NOWHERE).stream(options=SPANISH)
    with pytest.raises(EngineError, match="no se entiende"):
        fed(stream, sound, Heard())


def test_a_language_that_it_does_not_take(server: AWSStreaming) -> None:
    with pytest.raises(EngineError, match="no conoce ese idioma"):
        engine_at(server, NOWHERE).stream(options=Options(language="ka"))
