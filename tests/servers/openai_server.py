"""A small server that speaks OpenAI's REST for chat completions, streamed or not, from the
documented shapes, with a "model" that is a function, and every way in which a server goes wrong.

It counts requests and tokens and, as providers do, how much of a prompt was the beginning of an
earlier one. Its tokens are pieces of four letters, or marks side by side: for Spanish talk, prompts
and schemas within a twentieth of what Whisper's byte-pair encoding counts.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Brain = Callable[[str], dict[str, Any] | str]
"""From all that a request says, one message below the other, to the answer."""

_TOKEN = re.compile(r"\w{1,4}|[^\w\s]+")
CACHE_BLOCK = 128
"""Tokens: a prompt is known to the cache in whole blocks."""


def tokens(text: str) -> int:
    return len(_TOKEN.findall(text))


@dataclass
class Faults:
    """What goes wrong. ``fail``: statuses of the next requests, one each; ``refuse``: fields of a
    request that this server does not know; ``slow``: seconds before each answer; ``cut``: the
    connection ends in the middle; ``malformed``: the answer is no JSON; ``retry_after``: seconds
    that come with a 429."""

    fail: list[int] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    slow: float = 0.0
    cut: bool = False
    malformed: bool = False
    retry_after: str = "0"


@dataclass
class OpenAIServer:
    """``url`` is what a client takes as ``base_url``."""

    brain: Brain
    faults: Faults = field(default_factory=Faults)
    api_key: str = "clave"
    model: str = "modelo-de-prueba"
    requests: list[dict[str, Any]] = field(default_factory=list)
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    most_at_once: int = 0
    url: str = ""
    _prompts: list[str] = field(default_factory=list)
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, schema: str, prompt: str, answer: str) -> dict[str, Any]:
        # Providers put the schema of an answer before the prompt, and charge for it.
        prompt = schema + prompt
        came, went = tokens(prompt), tokens(answer)
        with self._lock:
            shared = max((_shared(prompt, other) for other in self._prompts[-64:]), default=0)
            cached = tokens(prompt[:shared]) // CACHE_BLOCK * CACHE_BLOCK
            self._prompts.append(prompt)
            self.tokens_in += came
            self.tokens_out += went
            self.tokens_cached += cached
        return {
            "prompt_tokens": came,
            "completion_tokens": went,
            "total_tokens": came + went,
            "prompt_tokens_details": {"cached_tokens": cached},
        }

    @contextmanager
    def answering(self) -> Iterator[None]:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    @property
    def prompts(self) -> list[str]:
        return [_prompt(request) for request in self.requests]


@contextmanager
def serve(brain: Brain, **options: Any) -> Iterator[OpenAIServer]:
    """Until the block is left; on a free port of this machine."""
    state = OpenAIServer(brain, **options)

    class Handler(_Handler):
        server_state = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_state: OpenAIServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments: Any) -> None:
        """Prompts are what people said."""

    def do_GET(self) -> None:
        model = {"id": self.server_state.model, "object": "model", "owned_by": "nadie"}
        self._send(200, {"object": "list", "data": [model]})

    def do_POST(self) -> None:
        state, faults = self.server_state, self.server_state.faults
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with state.answering():
            state.requests.append(body)
            time.sleep(faults.slow)
            refusal = self._refusal(body)
            if refusal is not None:
                self._send(*refusal)
                return
            prompt = _prompt(body)
            answer = "¿Cómo? No lo sé." if faults.malformed else state.brain(prompt)
            text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
            usage = state.count(_schema(body), prompt, text)
            if body.get("stream"):
                self._stream(body, text, usage)
            else:
                self._whole(body, text, usage)

    def _refusal(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        state, faults = self.server_state, self.server_state.faults
        if self.path != "/v1/chat/completions":
            return 404, _error("No such path", "not_found", None)
        if state.api_key and self.headers["Authorization"] != f"Bearer {state.api_key}":
            return 401, _error("Incorrect API key provided", "invalid_api_key", None)
        if faults.fail:
            # As real ones do, it quotes what it was sent.
            return faults.fail.pop(0), _error(_prompt(body), "server_error", None)
        if body["model"] != state.model:
            return 404, _error("The model does not exist", "model_not_found", "model")
        for name, code in faults.refuse.items():
            if name in body:
                param = name if code == "unsupported_parameter" else None
                return 400, _error(f"Unsupported: {name}. {_prompt(body)}", code, param)
        return None

    def _whole(self, body: dict[str, Any], text: str, usage: dict[str, Any]) -> None:
        if "tools" in body:
            function = {"name": body["tools"][0]["function"]["name"], "arguments": text}
            call = {"id": "call_1", "type": "function", "function": function}
            message: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [call]}
        else:
            message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        self._send(200, _completion(body, "chat.completion", [choice]) | {"usage": usage})

    def _stream(self, body: dict[str, Any], text: str, usage: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        pieces = [text[at : at + 7] for at in range(0, len(text), 7)]
        for number, piece in enumerate(pieces):
            if self.server_state.faults.cut and number > len(pieces) // 2:
                self.close_connection = True
                return
            delta: dict[str, Any] = {"content": piece}
            if "tools" in body:
                name = body["tools"][0]["function"]["name"]
                function = {"name": name, "arguments": piece}
                delta = {"tool_calls": [{"index": 0, "id": "call_1", "function": function}]}
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            self._event(_completion(body, "chat.completion.chunk", [choice]))
        self._event(_completion(body, "chat.completion.chunk", []) | {"usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _event(self, data: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()

    def _send(self, status: int, data: dict[str, Any]) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status == 429:
            self.send_header("Retry-After", self.server_state.faults.retry_after)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server_state.faults.cut and status == 200:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        self.wfile.write(body)


def _prompt(body: dict[str, Any]) -> str:
    return "\n".join(str(message.get("content") or "") for message in body["messages"])


def _schema(body: dict[str, Any]) -> str:
    form = body.get("response_format", {}).get("json_schema", {}).get("schema")
    asked = form or [tool["function"] for tool in body.get("tools", ())]
    return json.dumps(asked) if asked else ""


def _completion(body: dict[str, Any], kind: str, choices: list[Any]) -> dict[str, Any]:
    made = {"id": "chatcmpl-1", "object": kind, "created": 1_700_000_000}
    return made | {"model": body["model"], "choices": choices}


def _error(message: str, code: str, param: str | None) -> dict[str, Any]:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return {"error": error}


def _shared(one: str, other: str) -> int:
    """Characters that both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
