"""AWS Transcribe's streaming, as a connection of `remote_stream`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from portal.engine import EngineError
from portal.speech.audio import SAMPLE_RATE
from portal.speech.engines import service
from portal.speech.engines.aws import SERVICE
from portal.speech.engines.base import Word
from portal.speech.engines.remote_stream import Answer

T = TypeVar("T")

CONNECT_SECONDS = 15.0
SEND_SECONDS = 10.0
MOST_BYTES = 16_000
"""In one event; 32 KB are the most that the service takes."""


class Session:
    """``wanted``: what is asked for beside the form of the sound. ``endpoint``: where else than in
    the region. The SDK is asynchronous: it gets a thread with a loop. Raises EngineError."""

    def __init__(self, *, region: str, endpoint: str | None, **wanted: Any) -> None:
        self.answers: SimpleQueue[Answer | EngineError | None] = SimpleQueue()
        self._loop = asyncio.new_event_loop()
        Thread(target=self._loop.run_forever, name="aws transcribe", daemon=True).start()
        try:
            self._stream = self._wait(self._open(region, endpoint, wanted), CONNECT_SECONDS)
        except EngineError:
            self.leave()
            raise
        self._reading = asyncio.run_coroutine_threadsafe(self._read(), self._loop)

    def send(self, pcm: bytes) -> None:
        for first in range(0, len(pcm), MOST_BYTES):
            block = pcm[first : first + MOST_BYTES]
            self._wait(self._stream.input_stream.send_audio_event(audio_chunk=block), SEND_SECONDS)

    def finish(self) -> None:
        self._wait(self._stream.input_stream.end_stream(), SEND_SECONDS)

    def leave(self) -> None:
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.call_soon(self._loop.stop)

    def _wait(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        from amazon_transcribe.exceptions import ServiceException

        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)
        except ServiceException as error:
            raise _refused(error) from error
        except TookTooLong as error:
            raise service.unreachable(SERVICE) from error
        except Exception as error:  # of TLS, of the network, of credentials: each has its own kind
            raise service.unreachable(SERVICE) from error

    async def _open(self, region: str, endpoint: str | None, wanted: dict[str, Any]) -> Any:
        from amazon_transcribe.client import TranscribeStreamingClient
        from amazon_transcribe.endpoints import StaticEndpointResolver

        elsewhere = StaticEndpointResolver(endpoint) if endpoint else None  # type: ignore[no-untyped-call]
        client = TranscribeStreamingClient(region=region, endpoint_resolver=elsewhere)
        return await client.start_stream_transcription(
            media_sample_rate_hz=SAMPLE_RATE, media_encoding="pcm", **wanted
        )

    async def _read(self) -> None:
        from amazon_transcribe.exceptions import ServiceException

        try:
            async for event in self._stream.output_stream:
                for result in event.transcript.results:
                    self.answers.put(_answer(result))
            self.answers.put(None)
        except ServiceException as error:
            self.answers.put(_refused(error))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            self.answers.put(service.unreadable(SERVICE))
        except Exception:  # as above
            self.answers.put(service.unreachable(SERVICE))


def _refused(error: Exception) -> EngineError:
    """From a ServiceException, whose classes are named for what the service says."""
    kind = getattr(error, "error_code", None) or type(error).__name__
    statuses = {
        "BadRequestException": 400,
        "SerializationException": 400,
        "LimitExceededException": 429,
        "UnrecognizedClientException": 403,
        "AccessDeniedException": 403,
        "InvalidSignatureException": 403,
    }
    return service.refused(SERVICE, statuses.get(kind, 503))


def _answer(result: Any) -> Answer:
    """From a ``Result`` of the SDK, whose every field may be missing: TypeError, ValueError,
    IndexError."""
    words: list[Word] = []
    speakers: list[str] = []
    for item in result.alternatives[0].items:
        if item.item_type == "punctuation":
            if words:
                last = words[-1]
                text = last.text + item.content
                words[-1] = Word(text, last.start, last.end, last.probability)
            continue
        sure = 1.0 if item.confidence is None else float(item.confidence)
        words.append(Word(item.content, float(item.start_time), float(item.end_time), sure))
        speakers.append(f"S{int(item.speaker or 0) + 1}")
    return Answer(tuple(words), tuple(speakers), float(result.end_time), not result.is_partial)
