"""Deepgram's WebSocket, as a connection of `remote_stream`."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from portal.engine import EngineError
from portal.speech.audio import SAMPLE_RATE
from portal.speech.engines import service
from portal.speech.engines.deepgram import SERVICE, word_of
from portal.speech.engines.remote_stream import Answer

if TYPE_CHECKING:
    from deepgram import DeepgramClient


class Socket:
    """``wanted``: what is asked for beside the form of the sound. Raises EngineError."""

    def __init__(self, client: DeepgramClient, **wanted: Any) -> None:
        from deepgram.core.api_error import ApiError
        from websockets.exceptions import InvalidStatus

        self.answers: SimpleQueue[Answer | EngineError | None] = SimpleQueue()
        self._open = ExitStack()
        try:
            self._socket = self._open.enter_context(
                client.listen.v1.connect(
                    encoding="linear16",
                    sample_rate=SAMPLE_RATE,
                    channels=1,
                    interim_results=True,
                    smart_format=True,
                    mip_opt_out=True,
                    **wanted,
                )
            )
        except ApiError as error:
            raise service.refused(SERVICE, error.status_code or 500) from error
        except InvalidStatus as error:  # which the SDK looks for under an older name
            raise service.refused(SERVICE, error.response.status_code) from error
        except Exception as error:  # of the socket, of TLS, of the network: each has its own kind
            raise service.unreachable(SERVICE) from error
        Thread(target=self._read, name="deepgram", daemon=True).start()

    def send(self, pcm: bytes) -> None:
        try:
            self._socket.send_media(pcm)
        except Exception as error:  # as above
            raise service.unreachable(SERVICE) from error

    def finish(self) -> None:
        try:
            self._socket.send_close_stream()
        except Exception as error:  # as above
            raise service.unreachable(SERVICE) from error

    def leave(self) -> None:
        with suppress(Exception):  # it may be what failed
            self._open.close()

    def _read(self) -> None:
        try:
            for message in self._socket:
                said = message if isinstance(message, dict) else message.model_dump()
                if said.get("type") == "Results":
                    self.answers.put(_answer(said))
            self.answers.put(None)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            self.answers.put(service.unreadable(SERVICE))
        except Exception:  # as above
            self.answers.put(service.unreachable(SERVICE))


def _answer(said: dict[str, Any]) -> Answer:
    heard = said["channel"]["alternatives"][0]["words"]
    return Answer(
        words=tuple(word_of(word) for word in heard),
        speakers=tuple(f"S{(word.get('speaker') or 0) + 1}" for word in heard),
        until=float(said["start"]) + float(said["duration"]),
        final=bool(said.get("is_final")),
    )
