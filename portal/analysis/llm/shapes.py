"""What a language model is asked to return. Order matters: a model that has to copy the words first
answers from them; one that may decide first invents words for what it decided."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Shape(BaseModel):
    # Servers that hold a model to a schema want every field named and no other allowed.
    model_config = ConfigDict(extra="forbid", strict=True)


class Proof(_Shape):
    quote: str
    turn: int


class Said(_Shape):
    question: str
    evidence: list[Proof]
    answer: str
    state: Literal["answered", "declined", "asked"]


class Reading(_Shape):
    """Of a whole interview, or of one window of it."""

    findings: list[Said]
    title: str
    summary: str


class Findings(_Shape):
    """When some were refused."""

    findings: list[Said]


class Tick(_Shape):
    """A `Said` with one quote: what is asked for again and again is kept short."""

    question: str
    turn: int
    quote: str
    answer: str
    state: Literal["answered", "declined", "asked"]

    def as_said(self) -> Said:
        proof = Proof(quote=self.quote, turn=self.turn)
        return Said(question=self.question, evidence=[proof], answer=self.answer, state=self.state)


class Ticks(_Shape):
    """While it is being recorded."""

    said: list[Tick]


class Heading(_Shape):
    title: str
    summary: str


class Answer(_Shape):
    """To a free question; both empty when the interview does not say it."""

    evidence: list[Proof]
    answer: str
