from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from portal.engine import EngineError, metered
from portal.speech.audio import SAMPLE_RATE, decode
from portal.speech.engines.aws import AWSEngine, job_name
from portal.speech.engines.base import Audio, Options
from portal.speech.tests.conftest import write_audio
from tests.contracts.transcription import TranscriptionEngineContract
from tests.servers.aws_transcribe import AWSTranscribe
from tests.servers.hearing import conversation

DIALOGUE = Path(__file__).parents[3] / "tests" / "audio" / "dialogue.ogg"
BUCKET = "transcripciones"
SPANISH = Options(language="es", reference="0b9c9d0e-0000-4000-8000-000000000000")


@pytest.fixture(scope="module", autouse=True)
def credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield


@pytest.fixture(scope="module")
def s3(credentials: None) -> Iterator[Any]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="eu-west-3")
    where = {"LocationConstraint": "eu-west-3"}
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    yield client
    moto.stop()


@pytest.fixture(scope="module")
def server(s3: Any) -> Iterator[AWSTranscribe]:
    server = AWSTranscribe(s3)
    with server.running():
        yield server


@pytest.fixture(autouse=True)
def calm(server: AWSTranscribe) -> None:
    server.calm()


def engine_at(server: AWSTranscribe, s3: Any, **options: Any) -> AWSEngine:
    return AWSEngine(
        bucket=BUCKET,
        endpoint=server.url,
        s3_endpoint=s3.meta.endpoint_url,
        sleep=lambda seconds: None,
        **options,
    )


@pytest.fixture
def engine(server: AWSTranscribe, s3: Any) -> AWSEngine:
    return engine_at(server, s3)


def left(s3: Any) -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


class TestAWSEngine(TranscriptionEngineContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, server: AWSTranscribe, s3: Any) -> AWSEngine:
        return engine_at(server, s3)

    @pytest.fixture(scope="class")
    @classmethod
    def unusable(cls) -> AWSEngine:
        return AWSEngine()

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls) -> Path:
        return DIALOGUE


def test_what_is_asked_for_and_that_nothing_is_left(
    server: AWSTranscribe, s3: Any, engine: AWSEngine
) -> None:
    with metered() as used:
        transcript = engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    (asked,) = server.started
    assert asked["LanguageCode"] == "es-ES"
    assert asked["Settings"] == {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 2}
    assert SPANISH.reference in asked["TranscriptionJobName"]
    assert server.jobs == {} and left(s3) == []
    assert [usage.seconds for usage in used] == [transcript.duration]
    assert transcript.turns[0].text == "Buenos días. ¿Tiene usted la nacionalidad española?"


def test_the_language_is_found_and_a_vocabulary_is_for_spanish(
    server: AWSTranscribe, s3: Any
) -> None:
    engine = engine_at(server, s3, vocabulary="acogida", kms_key="alias/portal")
    assert engine.transcribe(Audio(DIALOGUE), options=Options()).language == "es"
    engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    engine.transcribe(Audio(DIALOGUE), options=Options(language="fr"))
    unknown, spanish, french = server.started
    assert unknown["IdentifyLanguage"] and "LanguageCode" not in unknown
    assert "VocabularyName" not in unknown["Settings"]
    assert spanish["Settings"]["VocabularyName"] == "acogida"
    assert "VocabularyName" not in french["Settings"]
    assert {asked["OutputEncryptionKMSKeyId"] for asked in server.started} == {"alias/portal"}


def test_a_worker_that_died_finds_its_job_again(
    server: AWSTranscribe, s3: Any, engine: AWSEngine
) -> None:
    died(engine, SPANISH)
    with metered() as used:
        transcript = engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert len(server.started) == 1
    assert [usage.requests for usage in used] == [1], "paid by whoever gets the result"
    assert [turn.speaker for turn in transcript.turns] == ["S1", "S2"] * 4
    assert left(s3) == []


def test_a_job_that_is_not_begun_leaves_no_sound(
    server: AWSTranscribe, s3: Any, engine: AWSEngine
) -> None:
    server.refuses = "The requested vocabulary couldn't be found"
    with metered() as used, pytest.raises(EngineError, match="no ha aceptado"):
        engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert left(s3) == [] and used == []


def died(engine: AWSEngine, options: Options) -> None:
    """An attempt that does not come back."""

    class Died(BaseException):
        pass

    def die(share: float) -> None:
        if share > 0.3:
            raise Died

    with pytest.raises(Died):
        engine.transcribe(Audio(DIALOGUE), options=options, progress=die)


def test_what_is_given_up_is_forgotten_and_nothing_else(
    server: AWSTranscribe, s3: Any, engine: AWSEngine
) -> None:
    other = Options(language="es", reference="1b9c9d0e-0000-4000-8000-000000000000")
    died(engine, SPANISH)
    died(engine, other)
    assert len(server.jobs) == 2
    engine.forget("")
    assert len(server.jobs) == 2
    engine.forget(SPANISH.reference)
    assert list(server.jobs) == [job_name(DIALOGUE, other)]
    assert left(s3) == [f"{job_name(DIALOGUE, other)}/audio.flac"]
    engine.forget(other.reference)
    assert server.jobs == {} and left(s3) == []


def test_asked_anew_in_another_way_the_former_job_goes(
    server: AWSTranscribe, s3: Any, engine: AWSEngine
) -> None:
    died(engine, SPANISH)
    engine.transcribe(Audio(DIALOGUE), options=Options(language="fr", reference=SPANISH.reference))
    assert server.jobs == {} and left(s3) == []


def test_a_job_that_failed_is_cleared_and_can_be_tried_again(
    server: AWSTranscribe, s3: Any, engine: AWSEngine
) -> None:
    server.fails = "The media format provided does not match"
    with pytest.raises(EngineError, match="no ha podido") as caught:
        engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert not caught.value.retryable
    assert server.jobs == {} and left(s3) == []
    server.fails = ""
    engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert len(server.started) == 2


def test_each_recording_has_a_name_of_its_own(tmp_path: Path) -> None:
    other = tmp_path / "b.ogg"
    other.write_bytes(DIALOGUE.read_bytes() + b"x")
    names = {
        job_name(DIALOGUE, SPANISH),
        job_name(other, SPANISH),
        job_name(DIALOGUE, Options(language="fr", reference=SPANISH.reference)),
        job_name(DIALOGUE, Options(language="es", reference="another")),
    }
    assert len(names) == 4
    assert job_name(DIALOGUE, SPANISH) in names


def test_a_person_to_each_channel_is_used(
    server: AWSTranscribe, engine: AWSEngine, tmp_path: Path
) -> None:
    mono = np.concatenate([block[0] for block in decode(DIALOGUE)])
    sides = np.stack([mono, mono]) * 0.02
    for word in conversation()[1]:
        a, b = int(word.start * SAMPLE_RATE), int(word.end * SAMPLE_RATE) + 800
        sides[word.speaker, a:b] = mono[a:b]
    stereo = write_audio(tmp_path / "dos.wav", sides.astype(np.float32), rate=SAMPLE_RATE)
    transcript = engine.transcribe(Audio(stereo), options=SPANISH)
    assert server.started[0]["Settings"] == {"ChannelIdentification": True}
    assert [turn.speaker for turn in transcript.turns] == ["S1", "S2"] * 4


def test_two_channels_of_the_same_are_one(
    server: AWSTranscribe, engine: AWSEngine, tmp_path: Path
) -> None:
    mono = np.concatenate([block[0] for block in decode(DIALOGUE)])
    stereo = write_audio(tmp_path / "dos.wav", np.stack([mono, mono]), rate=SAMPLE_RATE)
    engine.transcribe(Audio(stereo), options=SPANISH)
    assert server.started[0]["Settings"]["ShowSpeakerLabels"]


@pytest.mark.parametrize(
    ("status", "retryable", "said"),
    [(403, False, "no acepta la clave"), (400, False, "no ha aceptado"), (500, True, "funciona")],
)
def test_what_the_service_refuses_is_said_plainly(
    server: AWSTranscribe, engine: AWSEngine, status: int, retryable: bool, said: str
) -> None:
    server.faults.statuses = [status] * 5
    with pytest.raises(EngineError, match=said) as caught:
        engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert caught.value.retryable is retryable


@pytest.mark.parametrize(
    ("fault", "retryable"),
    [({"cut": True}, True), ({"nonsense": True}, False), ({"garbage": True}, False)],
)
def test_half_an_answer_and_nonsense(
    server: AWSTranscribe, engine: AWSEngine, fault: dict[str, bool], retryable: bool
) -> None:
    for name, value in fault.items():
        setattr(server.faults, name, value)
    with pytest.raises(EngineError) as caught:
        engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert caught.value.retryable is retryable


def test_nonsense_about_a_job_that_goes_on_leaves_the_job(
    server: AWSTranscribe, engine: AWSEngine
) -> None:
    def told(share: float) -> None:
        server.faults.nonsense = share > 0.3

    with pytest.raises(EngineError, match="no se entiende"):
        engine.transcribe(Audio(DIALOGUE), options=SPANISH, progress=told)
    server.faults.nonsense = False
    engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert len(server.started) == 1


@pytest.mark.parametrize("result", ["<html>", "[]", '{"results": null}'])
def test_a_result_of_another_shape(
    server: AWSTranscribe, s3: Any, engine: AWSEngine, result: str
) -> None:
    server.leaves = result
    with pytest.raises(EngineError, match="no se entiende"):
        engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert left(s3) == []


def test_a_service_that_does_not_answer(server: AWSTranscribe, s3: Any) -> None:
    server.faults.delay = 2.0
    slow = engine_at(server, s3, timeout=0.1)
    with pytest.raises(EngineError, match="No se ha podido hablar") as caught:
        slow.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert caught.value.retryable


def test_a_service_out_of_reach(s3: Any) -> None:
    engine = AWSEngine(
        bucket=BUCKET, endpoint="http://127.0.0.1:9", s3_endpoint=s3.meta.endpoint_url
    )
    with pytest.raises(EngineError, match="No se ha podido hablar") as caught:
        engine.transcribe(Audio(DIALOGUE), options=SPANISH)
    assert caught.value.retryable


def test_a_language_it_does_not_know(engine: AWSEngine) -> None:
    with pytest.raises(EngineError, match="no conoce ese idioma"):
        engine.transcribe(Audio(DIALOGUE), options=Options(language="ur"))


def test_it_waits_ever_longer_and_can_be_stopped(server: AWSTranscribe, s3: Any) -> None:
    server.looks = 6
    slept: list[float] = []
    told: list[float] = []
    engine = AWSEngine(
        bucket=BUCKET, endpoint=server.url, s3_endpoint=s3.meta.endpoint_url, sleep=slept.append
    )
    engine.transcribe(Audio(DIALOGUE), options=SPANISH, progress=told.append)
    assert sum(slept) == pytest.approx(2 + 3 + 5 + 8 + 13 + 20)
    assert max(slept) <= 1.0 and len(told) > len(slept)
