"""Several engines for one piece of work: the first that is able does it, and it is told which."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from portal.analysis.engines.base import AnalysisEngine, Finding, Question, Reply, Turn
from portal.engine import EngineError

T = TypeVar("T")


@runtime_checkable
class Streaming(Protocol):
    """What an engine is that gives a free answer while it is being written."""

    def ask_stream(self, turns: Sequence[Turn], question: str) -> Iterator[str | Reply]:
        """Pieces of text, and last the whole, whose evidence is true."""
        ...


@runtime_checkable
class Paced(Protocol):
    """What an engine is that cannot be asked at every turn of a talk that goes on: each time takes
    it seconds, and somebody pays."""

    name: str

    @property
    def model(self) -> str: ...

    @property
    def available(self) -> bool:
        """Whether it is worth trying now."""
        ...

    def assess_live(self, turns: Sequence[Turn], questions: Sequence[Question]) -> list[Finding]:
        """What ``turns``, the end of what was said so far, say of ``questions``, all open.
        Raises EngineError, rather soon than late."""
        ...


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """``value``, and the ``engine`` and ``model`` that it comes from. ``because``: why it was not
    the one that should have done it, for people; empty where it was."""

    value: T
    engine: str
    model: str
    because: str = ""


def first_able(
    engines: Sequence[AnalysisEngine], work: Callable[[AnalysisEngine], T], *, because: str = ""
) -> Done[T]:
    """``because``: why it is none that should do it from the start. Raises EngineError, that of
    the last engine, when none is able."""
    for engine in engines[:-1]:
        try:
            return Done(work(engine), engine.name, engine.model, because)
        except EngineError as error:
            because = because or error.public_message
    last = engines[-1]
    return Done(work(last), last.name, last.model, because)


def ask_first_able(
    engines: Sequence[AnalysisEngine], turns: Sequence[Turn], question: str, *, because: str = ""
) -> Iterator[str | Done[Reply]]:
    """A free answer in pieces as they come, and last the whole, which stands in their place: what
    an engine said before it failed is not part of it. Raises EngineError as ``first_able`` does."""
    for number, engine in enumerate(engines):
        try:
            for piece in pieces(engine, turns, question):
                if isinstance(piece, Reply):
                    yield Done(piece, engine.name, engine.model, because)
                    return
                yield piece
        except EngineError as error:
            if number == len(engines) - 1:
                raise
            because = because or error.public_message


def pieces(engine: AnalysisEngine, turns: Sequence[Turn], question: str) -> Iterator[str | Reply]:
    """As `Streaming` has it; of an engine that does not stream, all at once."""
    if isinstance(engine, Streaming):
        yield from engine.ask_stream(turns, question)
        return
    reply = engine.ask(turns, question)
    if reply.found:
        yield reply.answer
    yield reply
