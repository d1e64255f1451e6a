"""Requests to a language model by OpenAI's client: structured answers however the server can give
them, what it cost, and its failures in plain words.

No error here carries a server's text: servers quote what they were sent.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from portal.analysis.llm.breaker import Breaker
from portal.analysis.llm.endpoint import Endpoint
from portal.engine import EngineError, Usage, used

if TYPE_CHECKING:
    from openai import OpenAI, Stream
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

Message = dict[str, Any]
Shape = TypeVar("Shape", bound=BaseModel)
Way = Literal["schema", "tool", "plain"]
WAYS: tuple[Way, ...] = ("schema", "tool", "plain")
"""How a structured answer is asked for, the surest first: held to a JSON schema by the server, as
the arguments of a function, or in words."""

ANSWER_TOKENS = 4_000
SEED = 7
HURRY = 15.0
"""Seconds that somebody waits in front of a screen."""

_REFUSES = (400, 404, 405, 415, 422, 501)
"""Statuses with which servers say that they do not know a part of a request."""

UNREACHABLE = "El modelo de lenguaje no contesta ahora."
BUSY = "El modelo de lenguaje no admite más peticiones ahora."
NO_KEY = "El modelo de lenguaje no acepta la clave de esta instalación. Avise a quien administra."
NO_MODEL = "El servidor no tiene el modelo de lenguaje indicado. Avise a quien administra."
REFUSED = "El modelo de lenguaje no ha aceptado la petición."
UNREADABLE = "El modelo de lenguaje no ha contestado de forma que se pueda usar."


class Client:
    """Of one endpoint, for one engine; safe to share between threads."""

    def __init__(self, endpoint: Endpoint, *, engine: str, breaker: Breaker | None = None) -> None:
        self.endpoint = endpoint
        self.engine = engine
        self.breaker = breaker or Breaker()
        self._way: Way = "schema"
        self._tuning: dict[str, Any] = {
            "temperature": 0.0,
            "seed": SEED,
            "max_tokens": ANSWER_TOKENS,
        }

    @cached_property
    def _openai(self) -> OpenAI:
        from openai import OpenAI

        # At its finer levels it writes whole requests, that is, what people said.
        logging.getLogger("openai").setLevel(logging.WARNING)
        return OpenAI(
            base_url=self.endpoint.base_url,
            # The client wants one; servers of one's own often have none.
            api_key=self.endpoint.api_key or "none",
            timeout=self.endpoint.timeout,
            max_retries=self.endpoint.retries,
        )

    def structured(
        self, messages: Sequence[Message], shape: type[Shape], *, hurry: bool = False
    ) -> Shape:
        """One answer of that shape; in a ``hurry`` soon or not at all. Raises EngineError."""
        with self._guarded():
            for way in WAYS[WAYS.index(self._way) :]:
                completion = self._create(messages, shape, way, stream=False, hurry=hurry)
                if completion is None:
                    continue
                self._charge(completion.usage)
                answer = _read(_content(completion, way), shape)
                if answer is not None:
                    self._way = way
                    return answer
            raise EngineError(UNREADABLE)

    def pieces(self, messages: Sequence[Message], shape: type[BaseModel]) -> Iterator[str]:
        """The same answer as JSON text, piece by piece as it comes. Raises EngineError."""
        with self._guarded():
            for way in WAYS[WAYS.index(self._way) :]:
                stream = self._create(messages, shape, way, stream=True)
                if stream is None:
                    continue
                self._way = way
                with stream:
                    for chunk in stream:
                        if chunk.usage is not None:
                            self._charge(chunk.usage)
                        if chunk.choices and (text := _delta(chunk, way)):
                            yield text
                return
            raise EngineError(UNREADABLE)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        if not self.breaker.may_try():
            raise EngineError(UNREACHABLE, retryable=True)
        try:
            yield
        except EngineError:
            self.breaker.failed()
            raise
        except GeneratorExit:
            raise  # who listened went away, which says nothing of the server
        except Exception as error:
            self.breaker.failed()
            raise _told(error) from None
        self.breaker.succeeded()

    def _create(
        self,
        messages: Sequence[Message],
        shape: type[BaseModel],
        way: Way,
        *,
        stream: bool,
        hurry: bool = False,
    ) -> Any:
        """A ``ChatCompletion``, or a ``Stream`` of its chunks; None when the server does not know
        this way of asking."""
        from openai import APIStatusError

        asked = _asked(messages, shape, way)
        if stream:
            asked |= {"stream": True, "stream_options": {"include_usage": True}}
        client = self._openai
        if hurry:
            soon = min(HURRY, self.endpoint.timeout)
            client = client.with_options(timeout=soon, max_retries=0)
        while True:
            try:
                made: ChatCompletion | Stream[ChatCompletionChunk] = client.chat.completions.create(
                    model=self.endpoint.model, **asked, **self._tuning
                )
                return made
            except APIStatusError as error:
                if error.status_code not in _REFUSES:
                    raise
                if self._tuned_down(_parameter(error)):
                    continue
                if way == WAYS[-1] or error.status_code == 404:
                    raise
                return None

    def _tuned_down(self, parameter: str) -> bool:
        """Whether a request may be tried again without what the server says it does not take."""
        if parameter not in self._tuning:
            return False
        tuning = dict(self._tuning)
        value = tuning.pop(parameter)
        if parameter == "max_tokens":
            tuning["max_completion_tokens"] = value  # what newer models call it
        self._tuning = tuning
        return True

    def _charge(self, usage: CompletionUsage | None) -> None:
        if usage is None:
            used(Usage(self.engine, self.endpoint.model, requests=1))
            return
        details = usage.prompt_tokens_details
        used(
            Usage(
                self.engine,
                self.endpoint.model,
                requests=1,
                tokens_in=usage.prompt_tokens,
                tokens_out=usage.completion_tokens,
                tokens_cached=(details.cached_tokens or 0) if details else 0,
            )
        )


def _asked(messages: Sequence[Message], shape: type[BaseModel], way: Way) -> dict[str, Any]:
    name, schema = shape.__name__.lower(), _schema(shape)
    if way == "schema":
        described = {"name": name, "strict": True, "schema": schema}
        return {
            "messages": list(messages),
            "response_format": {"type": "json_schema", "json_schema": described},
        }
    if way == "tool":
        function = {"name": name, "parameters": schema}
        return {
            "messages": list(messages),
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": name}},
        }
    form = f"JSON Schema: {json.dumps(schema, ensure_ascii=False)}\nJSON:"
    return {"messages": [*messages, {"role": "user", "content": form}]}


def _schema(shape: type[BaseModel]) -> Mapping[str, Any]:
    """In one piece, without titles and descriptions: each request pays for it."""
    whole = shape.model_json_schema()
    parts = whole.pop("$defs", {})

    def bare(node: Any) -> Any:
        if isinstance(node, list):
            return [bare(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return bare(parts[node["$ref"].rpartition("/")[2]])
        kept = {k: v for k, v in node.items() if k not in ("title", "description", "properties")}
        slim = {key: bare(value) for key, value in kept.items()}
        if "properties" in node:  # names of fields, one of which is "title"
            slim["properties"] = {name: bare(value) for name, value in node["properties"].items()}
        return slim

    schema: Mapping[str, Any] = bare(whole)
    return schema


def _content(completion: ChatCompletion, way: Way) -> str:
    if not completion.choices:
        return ""
    message = completion.choices[0].message
    if way == "tool" and message.tool_calls:
        call = message.tool_calls[0]
        return call.function.arguments if call.type == "function" else ""
    return message.content or ""


def _delta(chunk: ChatCompletionChunk, way: Way) -> str:
    delta = chunk.choices[0].delta
    if way == "tool" and delta.tool_calls:
        function = delta.tool_calls[0].function
        return (function.arguments or "") if function else ""
    return delta.content or ""


def only_json(text: str) -> str:
    """From the first brace to the last: models without a schema like to say something around it."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else ""


def _read(text: str, shape: type[Shape]) -> Shape | None:
    try:
        return shape.model_validate_json(only_json(text))
    except ValidationError:
        return None


def _parameter(error: Any) -> str:
    """What the server says is wrong, where it says it as OpenAI does."""
    return error.param if isinstance(error.param, str) else ""


def _told(error: Exception) -> EngineError:
    import openai

    match error:
        case openai.APIConnectionError() | openai.InternalServerError():
            return EngineError(UNREACHABLE, retryable=True)
        case openai.RateLimitError():
            return EngineError(BUSY, retryable=True)
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return EngineError(NO_KEY)
        case openai.NotFoundError():
            return EngineError(NO_MODEL)
        case openai.APIStatusError():
            return EngineError(REFUSED)
        case _:
            # A cut or unreadable body: httpx's and json's errors, as the client lets them through.
            return EngineError(UNREADABLE, retryable=True)
