"""Speech to text by Deepgram: whole recordings over HTTP, and live ones over a WebSocket."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portal.engine import Problem, Usage, used
from portal.speech import models
from portal.speech.engines import service
from portal.speech.engines.base import Audio, Options, Transcript, Word, no_progress
from portal.speech.outgoing import outgoing

if TYPE_CHECKING:
    from deepgram import DeepgramClient

    from portal.speech.engines.remote_stream import RemoteStream

SERVICE = "Deepgram"

EUROPE = "https://api.eu.deepgram.com"
"""Sound that is sent there is worked on in the European Union."""

BLOCK = 1 << 20

ENDPOINTING = 300
"""Milliseconds of silence after which what was said is final."""


class DeepgramEngine:
    """``url``: where it is reached; a plain http address is for a server of one's own. ``timeout``:
    seconds without a byte; a long recording is answered after some minutes. ``models_dir``: where
    the model of voices is, by which speakers are told apart live."""

    name = "deepgram"
    supports_diarization = True
    supports_streaming = True

    def __init__(
        self,
        *,
        api_key: str | None = None,
        url: str = EUROPE,
        model: str = "nova-3",
        models_dir: Path | None = None,
        timeout: float = 900.0,
    ) -> None:
        self._api_key = api_key
        self._url = url
        self._model = model
        self._models_dir = models_dir or models.default_models_dir()
        self._timeout = timeout

    def check(self) -> list[Problem]:
        if not self._api_key:
            return [Problem("Falta la clave de Deepgram.", "Póngala en PORTAL_DEEPGRAM_API_KEY.")]
        return service.lacks(SERVICE, "deepgram")

    def transcribe(
        self, audio: Audio, *, options: Options, progress: Callable[[float], None] = no_progress
    ) -> Transcript:
        service.first_of(self.check())
        with outgoing(audio.path, speakers=options.speakers) as sound:
            [whole] = sound.parts
            progress(0.1)
            used(Usage(self.name, self._model, seconds=sound.duration, requests=1))
            answer = self._ask(whole.path, options, progress)
            try:
                words, speakers, language = _read(answer)
            except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
                raise service.unreadable(SERVICE) from error
            transcript = sound.transcript(
                words,
                speakers,
                language=options.language or language or "es",
                engine=self.name,
                model=self._model,
            )
        progress(1.0)
        return transcript

    def stream(
        self,
        *,
        options: Options,
        start: float = 0.0,
        turns: int = 0,
        voices: Mapping[str, Sequence[float]] | None = None,
        room: Callable[[], bool] = lambda: False,
    ) -> RemoteStream:
        from portal.speech.engines.deepgram_live import Socket
        from portal.speech.engines.remote_stream import open_stream

        service.first_of(self.check())
        wanted: dict[str, Any] = {"language": options.language or "multi"}
        if options.vocabulary:
            wanted["keyterm"] = list(options.vocabulary)
        client = self._client()

        def connect(by_service: bool) -> Socket:
            telling = {"diarize_model": "latest"} if by_service else {}
            return Socket(client, model=self._model, endpointing=ENDPOINTING, **wanted, **telling)

        return open_stream(
            connect,
            name=self.name,
            label=SERVICE,
            model=self._model,
            models_dir=self._models_dir,
            options=options,
            start=start,
            turns=turns,
            voices=voices,
            room=room,
            pace=None,
        )

    def _client(self) -> DeepgramClient:
        from deepgram import DeepgramClient
        from deepgram.environment import DeepgramClientEnvironment

        socket = self._url.replace("http", "ws", 1)
        return DeepgramClient(
            api_key=self._api_key,
            environment=DeepgramClientEnvironment(
                base=self._url, production=socket, agent=socket, agent_rest=self._url
            ),
            timeout=self._timeout,
            max_retries=0,  # the sound is read while it is sent; the pipeline tries again
        )

    def _ask(
        self, path: Path, options: Options, progress: Callable[[float], None]
    ) -> Mapping[str, Any]:
        import httpx
        from deepgram.core.api_error import ApiError
        from deepgram.core.parse_error import ParsingError

        wanted: dict[str, Any] = {}
        if options.language:
            wanted["language"] = options.language
        else:
            wanted["detect_language"] = True
        if options.speakers > 1:
            wanted["diarize_model"] = "latest"
        if options.vocabulary:
            wanted["keyterm"] = list(options.vocabulary)
        try:
            answer = self._client().listen.v1.media.transcribe_file(
                request=_told(path, progress),
                model=self._model,
                smart_format=True,
                utterances=True,
                mip_opt_out=True,  # what people say is not to be learned from
                **wanted,
            )
        except ApiError as error:
            if error.status_code is None or error.status_code < 400:
                raise service.unreadable(SERVICE) from error
            raise service.refused(SERVICE, error.status_code) from error
        except (ParsingError, JSONDecodeError) as error:
            raise service.unreadable(SERVICE) from error
        except httpx.HTTPError as error:
            raise service.unreachable(SERVICE) from error
        said: Mapping[str, Any] = answer.model_dump()
        return said


def _told(path: Path, progress: Callable[[float], None]) -> Iterator[bytes]:
    """The file, and how far it has been sent; what follows cannot be told."""
    size, sent = path.stat().st_size, 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
            sent += len(block)
            progress(0.1 + 0.4 * sent / size)


def _read(answer: Mapping[str, Any]) -> tuple[list[Word], list[object], str | None]:
    """Words, the number of each one's speaker, the language it found. Raises KeyError, TypeError,
    ValueError, IndexError, AttributeError."""
    channel = answer["results"]["channels"][0]
    heard = channel["alternatives"][0]["words"] or ()
    language = channel.get("detected_language")
    return [word_of(word) for word in heard], [word.get("speaker") for word in heard], language


def word_of(word: Mapping[str, Any]) -> Word:
    return Word(
        str(word.get("punctuated_word") or word["word"]),
        float(word["start"]),
        float(word["end"]),
        float(word["confidence"]),
    )
