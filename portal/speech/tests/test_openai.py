from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.engine import EngineError, metered
from portal.speech.engines.base import Audio, Options
from portal.speech.engines.openai import OpenAIEngine
from tests.contracts.transcription import TranscriptionEngineContract
from tests.servers.openai_transcription import OpenAITranscription, form_of

DIALOGUE = Path(__file__).parents[3] / "tests" / "audio" / "dialogue.ogg"
SPANISH = Options(language="es")


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAITranscription]:
    server = OpenAITranscription()
    with server.running():
        yield server


@pytest.fixture(autouse=True)
def calm(server: OpenAITranscription) -> None:
    server.calm()
    server.words = True


def engine_at(server: OpenAITranscription, **options: object) -> OpenAIEngine:
    given = {"base_url": server.base_url, "api_key": server.key, "retries": 0, **options}
    return OpenAIEngine(**given)  # type: ignore[arg-type]


class TestOpenAIEngine(TranscriptionEngineContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, server: OpenAITranscription, models_dir: Path) -> OpenAIEngine:
        return engine_at(server, models_dir=models_dir)

    @pytest.fixture(scope="class")
    @classmethod
    def unusable(cls) -> OpenAIEngine:
        return OpenAIEngine()

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls) -> Path:
        return DIALOGUE


def test_long_recordings_go_in_parts_and_are_stitched(
    server: OpenAITranscription, models_dir: Path
) -> None:
    engine = engine_at(server, models_dir=models_dir, part_seconds=9.0)
    with metered() as used:
        transcript = engine.transcribe(Audio(DIALOGUE), options=Options())
    assert len(server.requests) > 2
    assert [turn.speaker for turn in transcript.turns] == ["S1", "S2"] * 4
    text = " ".join(turn.text for turn in transcript.turns)
    assert text.startswith("Buenos días. ¿Tiene usted") and text.endswith("duele la espalda.")
    whole = engine_at(server, models_dir=models_dir).transcribe(Audio(DIALOGUE), options=SPANISH)
    assert text == " ".join(turn.text for turn in whole.turns)
    for one, other in zip(transcript.turns, whole.turns, strict=True):
        assert one.start == pytest.approx(other.start, abs=0.01)
    assert sum(usage.seconds for usage in used) == pytest.approx(transcript.duration, abs=0.01)
    # The language that the first part is in is asked for in the others.
    assert "language" not in form_of(server.requests[0])[0]
    assert form_of(server.requests[1])[0]["language"] == ["es"]


def test_a_server_that_times_no_words_is_enough(
    server: OpenAITranscription, models_dir: Path
) -> None:
    server.words = False
    transcript = engine_at(server, models_dir=models_dir).transcribe(
        Audio(DIALOGUE), options=SPANISH
    )
    words = [word for turn in transcript.turns for word in turn.words]
    assert words[0].text == "Buenos" and words[0].start == pytest.approx(0.5, abs=0.01)
    assert words[0].probability == pytest.approx(0.819, abs=0.01)


def test_voices_of_the_service_are_taken_where_it_tells_them(server: OpenAITranscription) -> None:
    engine = engine_at(server, model="gpt-4o-transcribe-diarize", models_dir=Path("/nonexistent"))
    transcript = engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert [turn.speaker for turn in transcript.turns] == ["S1", "S2"] * 4
    fields, _ = form_of(server.requests[0])
    assert fields["response_format"] == ["diarized_json"]


def test_nothing_but_the_sound_is_sent(server: OpenAITranscription, tmp_path: Path) -> None:
    named = tmp_path / "Fátima Benali.ogg"
    named.write_bytes(DIALOGUE.read_bytes())
    engine_at(server, model="x-diarize").transcribe(Audio(named), options=SPANISH)
    (request,) = server.requests
    assert b"Benali" not in request.body and "Benali" not in str(request.headers)


@pytest.mark.parametrize(
    ("status", "retryable", "said"),
    [
        (401, False, "no acepta la clave"),
        (400, False, "no ha aceptado"),
        (429, True, "no da abasto"),
        (503, True, "no funciona"),
    ],
)
def test_what_the_service_refuses_is_said_plainly(
    server: OpenAITranscription, status: int, retryable: bool, said: str
) -> None:
    server.faults.statuses = [status]
    with pytest.raises(EngineError, match=said) as caught:
        engine_at(server).transcribe(Audio(DIALOGUE), options=SPANISH)
    assert caught.value.retryable is retryable
    assert "guardada" in caught.value.public_message


@pytest.mark.parametrize(
    ("fault", "retryable"),
    [({"cut": True}, True), ({"nonsense": True}, False), ({"garbage": True}, False)],
)
def test_half_an_answer_and_nonsense(
    server: OpenAITranscription, fault: dict[str, bool], retryable: bool
) -> None:
    for name, value in fault.items():
        setattr(server.faults, name, value)
    with pytest.raises(EngineError) as caught:
        engine_at(server).transcribe(Audio(DIALOGUE), options=SPANISH)
    assert caught.value.retryable is retryable


def test_a_service_that_does_not_answer(server: OpenAITranscription) -> None:
    server.faults.delay = 2.0
    with pytest.raises(EngineError, match="No se ha podido hablar") as caught:
        engine_at(server, timeout=0.2).transcribe(Audio(DIALOGUE), options=SPANISH)
    assert caught.value.retryable


def test_it_waits_when_it_is_asked_to(server: OpenAITranscription) -> None:
    server.faults.statuses = [429]
    engine_at(server, retries=1).transcribe(Audio(DIALOGUE), options=SPANISH)
    assert len(server.requests) == 2


def test_an_own_server_needs_no_key() -> None:
    assert OpenAIEngine(base_url="http://10.0.0.5:8000/v1").check() == []
    assert "clave" in OpenAIEngine().check()[0].message
