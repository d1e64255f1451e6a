"""A language model behind any server that speaks OpenAI's chat completions.

What it says counts as far as its quotes stand in the transcript (``portal.analysis.llm.checking``);
what is refused it may say once more, with other quotes.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec

from pydantic_core import from_json

from portal.analysis.describing import describe as describe_locally
from portal.analysis.engines.base import Description, Finding, Question, Reply, Turn
from portal.analysis.llm.breaker import Breaker
from portal.analysis.llm.checking import (
    LESS_SURE,
    check_findings,
    check_heading,
    check_reply,
)
from portal.analysis.llm.client import ANSWER_TOKENS, UNREADABLE, Client, Message, only_json
from portal.analysis.llm.endpoint import OPENAI, Endpoint
from portal.analysis.llm.prompts import VERSION, Language, language_of, listed, prompt
from portal.analysis.llm.shapes import Answer, Findings, Heading, Proof, Reading, Ticks
from portal.analysis.llm.transcripts import (
    CHARACTERS_PER_TOKEN,
    Line,
    numbered,
    windows,
    written,
)
from portal.analysis.text import words
from portal.engine import EngineError, Problem

NAME = "llm"
PROMPT_TOKENS = 3_000
"""Left free for what the model is told and for a second round about what was refused."""

LEAST_CHARACTERS = 2_000
MODEL_CHARACTERS = 60
"""Of its name, in what is kept with an answer."""
MOST_EVIDENCE = 3
_REMEMBERED = 16
_WORTH = {"asked": 1, "declined": 2, "answered": 3}


class LlmEngine:
    """Safe to share between threads. ``name`` tells apart one outside from one on this machine."""

    def __init__(
        self,
        endpoint: Endpoint | None = None,
        *,
        name: str = NAME,
        breaker: Breaker | None = None,
    ) -> None:
        self.endpoint = endpoint or Endpoint.from_environment()
        self.name = name
        self._client = Client(self.endpoint, engine=name, breaker=breaker)
        # Of the last transcripts that were assessed, by their digest: the same request gives both.
        self._described: OrderedDict[str, Description] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def model(self) -> str:
        """With the version of what it is told: so it is kept with every answer."""
        return f"{self.endpoint.model[:MODEL_CHARACTERS] or 'sin indicar'} · prompts {VERSION}"

    @property
    def available(self) -> bool:
        """Whether it is worth trying now."""
        return not self.check() and not self._client.breaker.is_open

    @property
    def client(self) -> Client:
        """Raises EngineError when something is missing to use it."""
        for problem in self.check():
            raise EngineError(f"{problem.message} {problem.hint}")
        return self._client

    def check(self) -> list[Problem]:
        """What is missing to use it; no server is asked."""
        if find_spec("openai") is None:
            return [Problem("Falta el paquete «openai».", "Ejecute «make setup».")]
        if not self.endpoint.model:
            return [
                Problem(
                    "No se ha indicado ningún modelo de lenguaje.",
                    "Defina PORTAL_LLM_MODEL, y PORTAL_LLM_BASE_URL o PORTAL_LLM_API_KEY.",
                )
            ]
        if self.endpoint.base_url == OPENAI and not self.endpoint.api_key:
            return [
                Problem(
                    "Falta la clave del modelo de lenguaje.",
                    "Defina PORTAL_LLM_API_KEY, o PORTAL_LLM_BASE_URL si el servidor es propio.",
                )
            ]
        return []

    def assess(
        self, turns: Sequence[Turn], questions: Sequence[Question], *, known: Sequence[str] = ()
    ) -> list[Finding]:
        """One request for all open questions, title and summary, and for a long interview one a
        window. Raises EngineError."""
        wanted = [question for question in questions if question.id not in set(known)]
        lines = numbered(turns)
        if not wanted or not lines:
            return [Finding(question.id, "unasked") for question in wanted]
        language = language_of(turns)
        told = prompt("assess", language, questions=listed(wanted))
        found: dict[str, Finding] = {}
        headings: list[Heading] = []
        for window in self._windows(lines, told):
            more, heading = self._proven(turns, _messages(told, window), wanted, language)
            _merge(found, more)
            headings.append(heading)
        self._remember(_digest(turns), self._described_by(turns, headings, language))
        return [found.get(question.id) or Finding(question.id, "unasked") for question in wanted]

    def assess_live(self, turns: Sequence[Turn], questions: Sequence[Question]) -> list[Finding]:
        """What ``turns``, the end of an interview that goes on, say of ``questions``, all open.
        One short request; what is refused waits for the next. Raises EngineError."""
        lines = numbered(turns)
        if not questions or not lines:
            return [Finding(question.id, "unasked") for question in questions]
        told = prompt("live", language_of(turns), questions=listed(questions))
        ticks = self.client.structured(_messages(told, lines), Ticks, hurry=True)
        said = [tick.as_said() for tick in ticks.said]
        found, _refused = check_findings(turns, said, [question.id for question in questions])
        return [found.get(question.id) or Finding(question.id, "unasked") for question in questions]

    def describe(self, turns: Sequence[Turn]) -> Description:
        """What the request for the ficha said of the same turns, or one of its own; the local
        engine's when the model's cannot be used. Raises EngineError."""
        with self._lock:
            remembered = self._described.get(_digest(turns))
        if remembered is not None:
            return remembered
        lines, language = numbered(turns), language_of(turns)
        if not lines:
            return describe_locally(turns)
        told = prompt("describe", language)
        headings = [
            self.client.structured(_messages(told, window), Heading)
            for window in self._windows(lines, told)
        ]
        return self._described_by(turns, headings, language)

    def ask(self, turns: Sequence[Turn], question: str) -> Reply:
        """Raises EngineError."""
        *_, reply = self.ask_stream(turns, question)
        return reply if isinstance(reply, Reply) else Reply(False)

    def ask_stream(self, turns: Sequence[Turn], question: str) -> Iterator[str | Reply]:
        """The answer in pieces of text as it is written, and last the whole ``Reply``.

        The model has to quote before it answers, so nothing is given before a quote of it has
        been found in the transcript. Raises EngineError.
        """
        lines, asked = numbered(turns), " ".join(question.split())
        if words(asked).folded and lines:
            language = language_of(turns)
            told = prompt("ask", language, question=asked)
            for window in self._windows(lines, told):
                reply = yield from self._answer(turns, _messages(told, window), language, asked)
                if reply.found:
                    yield reply
                    return
        yield Reply(False)

    def _answer(
        self, turns: Sequence[Turn], messages: list[Message], language: Language, asked: str
    ) -> Generator[str, None, Reply]:
        text, shown = "", ""
        for piece in self.client.pieces(messages, Answer):
            text += piece
            answer = _so_far(turns, text, asked)
            if len(answer) > len(shown) and answer.startswith(shown):
                yield answer[len(shown) :]
                shown = answer
        said = _whole(text)
        reply = check_reply(turns, said, asked=asked)
        if reply.found or shown or not (said.evidence and said.answer.strip()):
            return reply
        again = prompt("again", language, refused="- evidence")
        retold = [*messages, _said(said.model_dump_json()), _told(again)]
        reply = check_reply(turns, self.client.structured(retold, Answer), asked=asked)
        if reply.found:
            yield reply.answer
        return reply

    def _proven(
        self,
        turns: Sequence[Turn],
        messages: list[Message],
        questions: Sequence[Question],
        language: Language,
    ) -> tuple[dict[str, Finding], Heading]:
        """What a window says, asked again once where it was not proven."""
        reading = self.client.structured(messages, Reading)
        ids = [question.id for question in questions]
        found, refused = check_findings(turns, reading.findings, ids)
        if refused:
            again = prompt("again", language, refused="\n".join(map(str, refused)))
            retold = [*messages, _said(reading.model_dump_json()), _told(again)]
            with suppress(EngineError):  # what stood at once is not lost by it
                said = self.client.structured(retold, Findings).findings
                ids = [refusal.question_id for refusal in refused]
                found |= check_findings(turns, said, ids, confidence=LESS_SURE)[0]
        return found, Heading(title=reading.title, summary=reading.summary)

    def _described_by(
        self, turns: Sequence[Turn], headings: Sequence[Heading], language: Language
    ) -> Description:
        """From those of the windows, told once more when there are several."""
        if len(headings) > 1:
            lines = numbered([Turn("resumen", heading.summary) for heading in headings])
            told = _messages(prompt("describe", language), lines)
            headings = [self.client.structured(told, Heading)]
        described = check_heading(turns, headings[0]) if headings else None
        return described or describe_locally(turns)

    def _remember(self, key: str, description: Description) -> None:
        with self._lock:
            self._described[key] = description
            while len(self._described) > _REMEMBERED:
                self._described.popitem(last=False)

    def _windows(self, lines: Sequence[Line], told: str) -> Iterator[list[Line]]:
        tokens = self.endpoint.context_tokens - ANSWER_TOKENS - PROMPT_TOKENS
        room = max(LEAST_CHARACTERS, tokens * CHARACTERS_PER_TOKEN - len(told))
        return windows(lines, room)


def _messages(told: str, lines: Sequence[Line]) -> list[Message]:
    """What stays the same first, so that a server's cache knows it."""
    return [{"role": "system", "content": told}, _told(written(lines))]


def _told(text: str) -> Message:
    return {"role": "user", "content": text}


def _said(text: str) -> Message:
    return {"role": "assistant", "content": text}


def _merge(found: dict[str, Finding], more: Mapping[str, Finding]) -> None:
    """Of two windows that speak of a question the one that tells more counts, or the later one;
    what both say has the proof of both."""
    for key, finding in more.items():
        before = found.get(key)
        if before is not None and _WORTH[before.state] > _WORTH[finding.state]:
            continue
        if before is not None and (before.state, before.answer) == (finding.state, finding.answer):
            proof = dict.fromkeys((*before.evidence, *finding.evidence))
            finding = replace(finding, evidence=tuple(proof)[:MOST_EVIDENCE])
        found[key] = finding


def _digest(turns: Sequence[Turn]) -> str:
    digest = hashlib.sha256()
    for turn in turns:
        digest.update(f"{turn.speaker}\0{turn.text}\0".encode("utf-8", "replace"))
    return digest.hexdigest()


def _so_far(turns: Sequence[Turn], text: str, asked: str) -> str:
    """The answer as far as it has come, once there is a true quote to rest it on."""
    begun = text.find("{")
    if begun < 0:
        return ""
    try:
        said = from_json(text[begun:], allow_partial="trailing-strings")
        proofs = [Proof.model_validate(proof) for proof in said["evidence"]]
        answer = Answer(evidence=proofs, answer=said["answer"])
    except (ValueError, KeyError, TypeError):
        return ""  # not there yet, or no JSON: the whole is read at the end
    return answer.answer if check_reply(turns, answer, asked=asked).found else ""


def _whole(text: str) -> Answer:
    try:
        return Answer.model_validate_json(only_json(text))
    except ValueError:
        raise EngineError(UNREADABLE) from None
