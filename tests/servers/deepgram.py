"""Deepgram's ``POST /v1/listen``, by its documented answer."""

from __future__ import annotations

from typing import Any

from portal.speech.audio import SAMPLE_RATE
from tests.servers.hearing import Heard, pcm_of, words_in
from tests.servers.http import Answer, Request, Server


class Deepgram(Server):
    """``key`` is what it lets in."""

    def __init__(self, *, key: str = "dg-test-key") -> None:
        super().__init__()
        self.key = key

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Token {self.key}":
            return _error(401, "INVALID_AUTH", "Invalid credentials.")
        if request.path != "/v1/listen":
            return _error(404, "NOT_FOUND", "Not found.")
        try:
            pcm, _ = pcm_of(request.body)
        except (ValueError, OSError):
            return _error(400, "Bad Request", "failed to process audio: corrupt or unsupported")
        heard = words_in(pcm)
        channel: dict[str, Any] = {
            "alternatives": [
                {
                    "transcript": " ".join(word.text for word in heard),
                    "confidence": 0.98,
                    "words": [word_as_json(word, request.query) for word in heard],
                }
            ]
        }
        if request.query.get("detect_language") == ["true"]:
            channel |= {"detected_language": "es", "language_confidence": 0.99}
        return Answer(
            {
                "metadata": {
                    "transaction_key": "deprecated",
                    "request_id": "3c6ad1b0-0000-4000-8000-000000000000",
                    "sha256": "0" * 64,
                    "created": "2026-11-26T00:00:00.000Z",
                    "duration": len(pcm) / 2 / SAMPLE_RATE,
                    "channels": 1,
                    "models": ["40bd3654-e622-47c4-a111-63a61b23bfe8"],
                    "model_info": {
                        "40bd3654-e622-47c4-a111-63a61b23bfe8": {
                            "name": "general-nova-3",
                            "version": "2025-04-17.21547",
                            "arch": "nova-3",
                        }
                    },
                },
                "results": {"channels": [channel]},
            }
        )


def word_as_json(word: Heard, query: dict[str, list[str]]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "word": word.text.strip(".,¿?").lower(),
        "start": word.start,
        "end": word.end,
        "confidence": 0.97,
        "punctuated_word": word.text,
    }
    if "diarize" in query or "diarize_model" in query:
        said |= {"speaker": word.speaker, "speaker_confidence": 0.9}
    return said


def _error(status: int, code: str, message: str) -> Answer:
    return Answer({"err_code": code, "err_msg": message, "request_id": "0"}, status)
