"""A ficha as it stands, in frozen values: what every format is written from. Knows of no model,
but for the names of states, kinds and origins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from portal.assessments.models import Answer, Question

# Control characters, which XML does not hold, and spaces that FHIR takes for none.
NOT_TEXT = re.compile(r"[^\S\t\n\r ]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")

Key = tuple[str, str]
"""Slugs of a domain and of a question in it: a question's slug alone may stand in two domains."""


def plain(text: str) -> str:
    """``text`` without what a recogniser or a paste may bring and no format holds, its lines ended
    in one way."""
    return NOT_TEXT.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. ``choices``: name -> label, of the kinds that choose."""

    slug: str
    text: str
    kind: str = Question.Kind.TEXT
    required: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)
    relevant: str = ""

    @property
    def is_answered(self) -> bool:
        """A note is only read out."""
        return self.kind != Question.Kind.NOTE


@dataclass(frozen=True, slots=True)
class Section:
    """A domain with its questions, in order."""

    slug: str
    name: str
    colour: str
    icon: str
    questions: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """One version of a questionnaire. ``team``: the id of whose it is, None for every team's;
    ``keys``: id of a question -> which one it is."""

    pk: int
    slug: str
    version: int
    team: int | None
    name: str
    language: str
    published_at: datetime | None
    sections: tuple[Section, ...]
    keys: Mapping[int, Key]

    def questions(self) -> Iterator[tuple[Key, Asked]]:
        for section in self.sections:
            for question in section.questions:
                yield (section.slug, question.slug), question

    def find(self, key: Key) -> tuple[Section, Asked]:
        section = next(section for section in self.sections if section.slug == key[0])
        return section, next(asked for asked in section.questions if asked.slug == key[1])


@dataclass(frozen=True, slots=True)
class Interview:
    """A conversation that a ficha rests on; ``number`` counts them from the first one."""

    id: UUID
    number: int
    title: str
    held_at: datetime
    duration: float | None
    interviewer: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of an interview; seconds from where to where they are said."""

    text: str
    language: str
    start: float
    end: float
    interview: UUID


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of one question.

    ``typed`` as in Answer. ``is_reviewed``: a person wrote it or said that it is right.
    ``is_withheld``: there is something, but what it rests on may not leave any more, since the
    person has withdrawn the consent it was recorded with; it then carries neither value nor quote.
    """

    state: str = Answer.State.UNASKED
    value: str = ""
    typed: object = None
    origin: str = Answer.Origin.NONE
    engine: str = ""
    model: str = ""
    is_reviewed: bool = False
    is_withheld: bool = False
    interview: UUID | None = None
    quotes: tuple[Quote, ...] = ()

    @property
    def is_proposal(self) -> bool:
        """An answer by a machine, and nobody has said yet that it is right."""
        return (
            self.origin == Answer.Origin.MACHINE
            and self.state in (Answer.State.ANSWERED, Answer.State.DECLINED)
            and not self.is_reviewed
        )


NOTHING = Given()


@dataclass(frozen=True, slots=True)
class Ficha:
    """``given``: of its form's questions. ``earlier``: forms that it was once answered with, and
    what is known of questions that only those ask. ``skipped``: slugs of questions of its form that
    are not put, since their condition does not hold."""

    participant: UUID
    name: str
    team: int
    team_name: str
    form: Form
    given: Mapping[Key, Given]
    interviews: tuple[Interview, ...]
    answered: int
    reviewed: int
    total: int
    updated_at: datetime
    earlier: tuple[tuple[Form, Mapping[Key, Given]], ...] = ()
    skipped: frozenset[str] = frozenset()

    @property
    def is_complete(self) -> bool:
        """Everything is answered or declined, and reviewed."""
        return 0 < self.total <= self.reviewed

    def given_to(self, key: Key) -> Given:
        return self.given.get(key, NOTHING)

    def find(self, keys: Mapping[int, Key]) -> tuple[Asked, Given] | None:
        """The question that is one of ``keys``, by the ids of forms, with what is known of it."""
        key = keys.get(self.form.pk)
        if key is not None:
            asked = self.form.find(key)[1]
            return None if asked.slug in self.skipped else (asked, self.given_to(key))
        for form, given in self.earlier:
            key = keys.get(form.pk)
            if key is not None and key in given:
                return form.find(key)[1], given[key]
        return None


def names_chosen(typed: object) -> list[str]:
    """Names of choices, whether one or several were chosen."""
    match typed:
        case str():
            return [typed]
        case list() | tuple():
            return [str(name) for name in typed]
        case _:
            return []
