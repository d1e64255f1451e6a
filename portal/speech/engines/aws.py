"""Speech to text by AWS Transcribe.

A recording is put into our bucket in the service's region, a job makes a result of it there, and
both go when the result has been read.

A job has the same name at every attempt at one recording: who starts again after a crash finds the
one that goes on, and pays for one, when its result is read.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portal.engine import EngineError, Problem, Usage, used
from portal.speech import models
from portal.speech.engines import aws_credentials, aws_result, service
from portal.speech.engines.base import Audio, Options, Transcript, no_progress
from portal.speech.outgoing import Outgoing, outgoing

if TYPE_CHECKING:
    from portal.speech.engines.remote_stream import RemoteStream

SERVICE = "AWS Transcribe"
MODEL = "standard"

PARIS = "eu-west-3"

LANGUAGES = {
    "es": "es-ES", "ca": "ca-ES", "gl": "gl-ES", "eu": "eu-ES", "en": "en-GB", "fr": "fr-FR",
    "ar": "ar-SA", "uk": "uk-UA", "ru": "ru-RU", "ro": "ro-RO", "pt": "pt-PT", "de": "de-DE",
    "it": "it-IT", "bg": "bg-BG", "pl": "pl-PL", "zh": "zh-CN", "hi": "hi-IN", "bn": "bn-IN",
    "fa": "fa-IR", "ka": "ka-GE", "sq": "sq-AL", "hy": "hy-AM",
}  # fmt: skip
"""Those of an office that the service knows."""

LIVE_LANGUAGES = {
    code: LANGUAGES[code] for code in ("es", "ca", "gl", "eu", "en", "fr", "pt", "de", "it")
}
"""Those of them that it takes live, as far as is known; one accent of each."""

GUESSED = ("es", "en", "fr", "ca", "pt")
"""What a live conversation may be in when nobody says; more than five are not advised."""

WAITS = (2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0)
"""Seconds between two looks at a job; then always the last."""

LONGEST = 4 * 3600.0
"""Seconds after which a job that says nothing new is given up."""

TELL_EVERY = 1.0

NO_SUCH_JOB = frozenset({"NotFoundException", "BadRequestException"})
"""The second is what it says in practice of a name that no job has."""

NO_CREDENTIALS = Problem(
    "Este equipo no tiene credenciales de AWS.",
    "Dé a la máquina un rol, o ponga AWS_ACCESS_KEY_ID y AWS_SECRET_ACCESS_KEY.",
)

GONE = "GONE"
"""Ours, beside the statuses of the service: it knows no job of that name."""

PACE = 1.5
"""Times faster than spoken that a live connection takes sound: too fast, and it breaks off."""


class AWSEngine:
    """``bucket`` is in ``region``, and ours. ``kms_key``: for what lies in it, None for what the
    bucket says. ``vocabulary``: name of a custom one, for Spanish. Credentials: the machine's.
    ``endpoint``, ``s3_endpoint`` and ``live_endpoint``: where else the service, the bucket and the
    live service are reached. ``models_dir``: where the model of voices is, by which speakers are
    told apart live. ``timeout``: seconds that an answer about a recording may take."""

    name = "aws"
    supports_diarization = True
    supports_streaming = True

    def __init__(
        self,
        *,
        bucket: str | None = None,
        region: str = PARIS,
        kms_key: str | None = None,
        vocabulary: str | None = None,
        endpoint: str | None = None,
        s3_endpoint: str | None = None,
        live_endpoint: str | None = None,
        models_dir: Path | None = None,
        pace: float | None = PACE,
        timeout: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._bucket = bucket
        self._region = region
        self._kms_key = kms_key
        self._vocabulary = vocabulary
        self._endpoint = endpoint
        self._s3_endpoint = s3_endpoint
        self._live_endpoint = live_endpoint
        self._models_dir = models_dir or models.default_models_dir()
        self._pace = pace
        self._timeout = timeout
        self._sleep = sleep

    def check(self) -> list[Problem]:
        return self._lacking() or ([] if aws_credentials.are_there() else [NO_CREDENTIALS])

    def _lacking(self) -> list[Problem]:
        """What the settings lack. That there are credentials the SDK finds out by itself, with more
        patience than a page has."""
        if not self._bucket:
            return [
                Problem(
                    "Falta el lugar de AWS en el que dejar las grabaciones.",
                    "Ponga el nombre del depósito de S3 en PORTAL_AWS_TRANSCRIBE_BUCKET.",
                )
            ]
        return service.lacks(SERVICE, "boto3") or service.lacks(SERVICE, "amazon_transcribe")

    def transcribe(
        self, audio: Audio, *, options: Options, progress: Callable[[float], None] = no_progress
    ) -> Transcript:
        service.first_of(self._lacking())
        if options.language:
            _code(options.language, LANGUAGES)
        with outgoing(audio.path, speakers=options.speakers, channels=True) as sound:
            progress(0.1)
            job = _Job(self._clients(), str(self._bucket), job_name(audio.path, options), self)
            with _failing():
                if not job.goes_on():
                    # Of the same recording before something was struck out of it, or in another
                    # language. That it may not look is no reason to fail.
                    with suppress(EngineError):
                        self.forget(options.reference)
                    job.start(sound, options)
                answer = job.result(progress, self._sleep)
            used(Usage(self.name, MODEL, seconds=sound.duration, requests=1))
            try:
                words, speakers, language = aws_result.read(answer)
            except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
                raise service.unreadable(SERVICE) from error
            transcript = sound.transcript(
                words,
                speakers,
                language=options.language or language or "es",
                engine=self.name,
                model=MODEL,
            )
        progress(1.0)
        return transcript

    def forget(self, reference: str) -> None:
        prefix = _prefix(reference)
        if prefix == _prefix(""):
            return  # of nobody in particular
        clients = self._clients()
        with _failing():
            listing = clients.transcribe.list_transcription_jobs(JobNameContains=prefix)
            left = {job["TranscriptionJobName"] for job in listing["TranscriptionJobSummaries"]}
            files = clients.s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix)
            left |= {file["Key"].partition("/")[0] for file in files.get("Contents", ())}
            for name in left:
                if name.startswith(prefix):
                    _Job(clients, str(self._bucket), name, self).clear()

    def stream(
        self,
        *,
        options: Options,
        start: float = 0.0,
        turns: int = 0,
        voices: Mapping[str, Sequence[float]] | None = None,
        room: Callable[[], bool] = lambda: False,
    ) -> RemoteStream:
        from portal.speech.engines.aws_live import Session
        from portal.speech.engines.remote_stream import open_stream

        service.first_of(self._lacking())
        language = _code(options.language, LIVE_LANGUAGES) if options.language else None
        wanted: dict[str, Any] = {"language_code": language}
        if language is None:
            wanted |= {
                "identify_language": True,
                "language_options": [LIVE_LANGUAGES[code] for code in GUESSED],
                "preferred_language": LIVE_LANGUAGES["es"],
            }
        elif self._vocabulary and options.language == "es":
            wanted["vocabulary_name"] = self._vocabulary

        def connect(by_service: bool) -> Session:
            telling = {"show_speaker_label": True} if by_service else {}
            return Session(region=self._region, endpoint=self._live_endpoint, **wanted, **telling)

        return open_stream(
            connect,
            name=self.name,
            label=SERVICE,
            model=MODEL,
            models_dir=self._models_dir,
            options=options,
            start=start,
            turns=turns,
            voices=voices,
            room=room,
            pace=self._pace,
        )

    def encryption(self) -> dict[str, str]:
        """How our bucket is to keep what we put there."""
        if self._kms_key is None:
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._kms_key}

    def settings(self, sound: Outgoing, options: Options) -> dict[str, Any]:
        """What is asked of a job, but for where its files are."""
        asked: dict[str, Any] = {}
        settings: dict[str, Any] = {}
        if options.language:
            asked["LanguageCode"] = LANGUAGES[options.language]
        else:
            asked["IdentifyLanguage"] = True
        if self._vocabulary and options.language == "es":
            settings["VocabularyName"] = self._vocabulary
        if sound.apart:
            settings["ChannelIdentification"] = True
        elif options.speakers > 1:
            settings |= {"ShowSpeakerLabels": True, "MaxSpeakerLabels": options.speakers}
        if self._kms_key:
            asked["OutputEncryptionKMSKeyId"] = self._kms_key
        return {**asked, "Settings": settings} if settings else asked

    def _clients(self) -> _Clients:
        import boto3
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "max_attempts": 3},
            connect_timeout=10,
            read_timeout=self._timeout,
        )
        transcribe = boto3.client(
            "transcribe", region_name=self._region, endpoint_url=self._endpoint, config=config
        )
        transcribe.meta.events.register("before-parse.transcribe", _whole)
        s3 = boto3.client(
            "s3", region_name=self._region, endpoint_url=self._s3_endpoint, config=config
        )
        return _Clients(transcribe=transcribe, s3=s3)


def _whole(response_dict: Mapping[str, Any], **_: Any) -> None:
    """Half an answer is a line that broke: the SDK would take it for one of another shape. Raises
    BotoCoreError."""
    from botocore.exceptions import ConnectionClosedError

    promised = response_dict["headers"].get("content-length")
    if promised is not None and int(promised) != len(response_dict["body"]):
        raise ConnectionClosedError(endpoint_url=SERVICE)


def _code(language: str, known: Mapping[str, str]) -> str:
    """What the service calls it. Raises EngineError."""
    if language not in known:
        raise EngineError(
            f"{SERVICE} no conoce ese idioma. {service.SAFE} Elija otro motor, u otro idioma."
        )
    return known[language]


class _Clients:
    def __init__(self, *, transcribe: Any, s3: Any) -> None:
        self.transcribe = transcribe
        self.s3 = s3


def job_name(path: Path, options: Options) -> str:
    """The same for the same recording asked for in the same way, and for nothing else: what was
    struck out of it since makes it another."""
    asked = (options.language, options.speakers, options.reference)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(repr(asked).encode())
    return _prefix(options.reference) + digest.hexdigest()[:16]


def _prefix(reference: str) -> str:
    """With which the names of all jobs for that reference begin, and of no other."""
    reference = re.sub(r"[^0-9a-zA-Z-]", "", reference)[:60]
    return f"portal-{reference}-" if reference else "portal-"


class _Job:
    """One transcription at the service. Raises ClientError, BotoCoreError, EngineError."""

    def __init__(self, clients: _Clients, bucket: str, name: str, engine: AWSEngine) -> None:
        self._clients = clients
        self._bucket = bucket
        self._name = name
        self._engine = engine
        self._sound = f"{name}/audio.flac"
        self._result = f"{name}/result.json"

    def goes_on(self) -> bool:
        """Whether an earlier attempt has started it; one that failed is cleared away."""
        status = self._look()
        if status == "FAILED":
            self.clear()
            return False
        return status != GONE

    def start(self, sound: Outgoing, options: Options) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        [whole] = sound.parts
        encryption = self._engine.encryption()
        self._clients.s3.upload_file(
            str(whole.path), self._bucket, self._sound, ExtraArgs=encryption or None
        )
        try:
            self._clients.transcribe.start_transcription_job(
                TranscriptionJobName=self._name,
                Media={"MediaFileUri": f"s3://{self._bucket}/{self._sound}"},
                MediaFormat="flac",
                MediaSampleRateHertz=16_000,
                OutputBucketName=self._bucket,
                OutputKey=self._result,
                **self._engine.settings(sound, options),
            )
        except (
            ClientError
        ):  # it will not: after a broken line it may have begun, and is found again
            with suppress(ClientError, BotoCoreError):
                self.clear()
            raise

    def result(
        self, progress: Callable[[float], None], sleep: Callable[[float], None]
    ) -> Mapping[str, Any]:
        """Wait for it, read it, and leave nothing of it there."""
        waited, looks = 0.0, 0
        while True:
            status = self._look()
            if status == "COMPLETED":
                break
            if status in {"FAILED", GONE} or waited > LONGEST:
                self.clear()
                raise EngineError(
                    f"{SERVICE} no ha podido con esta grabación. {service.SAFE} Pruebe con otro "
                    "motor.",
                    retryable=status == GONE,
                )
            wait = WAITS[min(looks, len(WAITS) - 1)]
            waited, looks = waited + wait, looks + 1
            share = 0.3 + 0.6 * (1 - 0.9**looks)
            while wait > 0:
                progress(share)  # often: it is what stops us when the worker has to go
                sleep(min(wait, TELL_EVERY))
                wait -= TELL_EVERY
        body = self._clients.s3.get_object(Bucket=self._bucket, Key=self._result)["Body"].read()
        self.clear()
        try:
            answer = json.loads(body)
        except ValueError as error:
            raise service.unreadable(SERVICE) from error
        if not isinstance(answer, dict):
            raise service.unreadable(SERVICE)
        return answer

    def _look(self) -> str:
        """The status of the job at the service, or GONE."""
        from botocore.exceptions import ClientError

        try:
            answer = self._clients.transcribe.get_transcription_job(TranscriptionJobName=self._name)
        except ClientError as error:
            if error.response["Error"]["Code"] in NO_SUCH_JOB:
                return GONE
            raise
        try:
            return str(answer["TranscriptionJob"]["TranscriptionJobStatus"])
        except (KeyError, TypeError) as error:
            raise service.unreadable(SERVICE) from error

    def clear(self) -> None:
        """A job that is gone already, or a file, is no reason to fail."""
        from botocore.exceptions import ClientError

        try:
            self._clients.transcribe.delete_transcription_job(TranscriptionJobName=self._name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in NO_SUCH_JOB:
                raise
        self._clients.s3.delete_object(Bucket=self._bucket, Key=self._sound)
        self._clients.s3.delete_object(Bucket=self._bucket, Key=self._result)


@contextmanager
def _failing() -> Iterator[None]:
    """What the SDK raises, as EngineError."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        raise _refused(error) from error
    except NoCredentialsError as error:
        raise service.refused(SERVICE, 401) from error
    except (BotoCoreError, OSError) as error:
        raise service.unreachable(SERVICE) from error


def _refused(error: Any) -> EngineError:
    """From a ClientError."""
    code = error.response.get("Error", {}).get("Code", "")
    if code in {"LimitExceededException", "ThrottlingException", "SlowDown"}:
        return service.refused(SERVICE, 429)
    if code in {"AccessDenied", "AccessDeniedException", "UnrecognizedClientException",
                "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}:  # fmt: skip
        return service.refused(SERVICE, 403)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return service.refused(SERVICE, int(status))
