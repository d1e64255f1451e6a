"""OpenAI's ``POST /v1/audio/transcriptions``, by its documented answers: verbose JSON with words
and segments, or diarized JSON for a model that has it in its name."""

from __future__ import annotations

from email import message_from_bytes
from itertools import groupby
from typing import Any

from portal.speech.audio import SAMPLE_RATE
from tests.servers.hearing import Heard, pcm_of, words_in
from tests.servers.http import Answer, Request, Server

MOST_BYTES = 25 * 1024 * 1024


class OpenAITranscription(Server):
    """``key`` is what it lets in. ``words``: whether it times words, as not every server does."""

    def __init__(self, *, key: str = "sk-test", words: bool = True) -> None:
        super().__init__()
        self.key = key
        self.words = words

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return _error(401, "Incorrect API key provided")
        if request.path != "/v1/audio/transcriptions":
            return _error(404, "Unknown request URL")
        fields, file = form_of(request)
        if len(file) > MOST_BYTES:
            return _error(413, "Maximum content size limit exceeded")
        try:
            pcm, _ = pcm_of(file)
        except (ValueError, OSError):
            return _error(400, "Invalid file format")
        heard = words_in(pcm)
        duration = len(pcm) / 2 / SAMPLE_RATE
        text = " ".join(word.text for word in heard)
        segments = [_segment(i, list(said)) for i, (_, said) in enumerate(
            groupby(heard, key=lambda word: word.turn))]  # fmt: skip
        if fields["response_format"] == ["diarized_json"]:
            return Answer(
                {
                    "task": "transcribe",
                    "duration": duration,
                    "text": text,
                    "segments": [
                        {"type": "transcript.text.segment", **segment} for segment in segments
                    ],
                }
            )
        body: dict[str, Any] = {
            "task": "transcribe",
            "language": "spanish",
            "duration": duration,
            "text": text,
            "segments": [
                {key: value for key, value in segment.items() if key != "speaker"}
                | {"avg_logprob": -0.2, "no_speech_prob": 0.01, "compression_ratio": 1.2}
                for segment in segments
            ],
        }
        if self.words and "word" in fields.get("timestamp_granularities[]", []):
            body["words"] = [
                {"word": word.text.strip(".,¿?"), "start": word.start, "end": word.end}
                for word in heard
            ]
        return Answer(body)


def _segment(number: int, said: list[Heard]) -> dict[str, Any]:
    return {
        "id": number,
        "start": said[0].start,
        "end": said[-1].end,
        "text": " " + " ".join(word.text for word in said),
        "speaker": "AB"[said[0].speaker],
    }


def form_of(request: Request) -> tuple[dict[str, list[str]], bytes]:
    """Fields and the file of a multipart form."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    fields: dict[str, list[str]] = {}
    file = b""
    for part in message_from_bytes(head + request.body).walk():
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if part.get_filename():
            file = content
        else:
            name = str(part.get_param("name", header="content-disposition"))
            fields.setdefault(name, []).append(content.decode())
    return fields, file


def _error(status: int, message: str) -> Answer:
    return Answer({"error": {"message": message, "type": "invalid_request_error"}}, status)
