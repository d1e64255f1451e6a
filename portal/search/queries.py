"""Finding, as an employee: what the index gives is read from the database before it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.accounts.models import Employee
from portal.assessments.models import Answer
from portal.participants import queries as participants
from portal.search import meaning
from portal.search.backends import get_backend
from portal.search.backends.base import Scope
from portal.search.backends.postgres import TURN
from portal.search.marking import Marked, mark
from portal.search.questions import Question
from portal.search.sources import SOURCES, Source

MOST = 50


@dataclass(frozen=True, slots=True)
class Found:
    thing: Any
    marked: tuple[Marked, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Of one kind, the best first. ``more``: there are others that are not among these."""

    source: Source
    found: tuple[Found, ...]
    more: bool


_Read = tuple[Source, list[Any], bool]
"""Of one kind what is found, and whether there is more."""


def find(employee: Employee, question: Question, *, kind: str = "") -> tuple[Group, ...]:
    """A group for each kind of which something is found; up to `MOST` of ``kind``, or a few of
    each without one. Raises SearchDown."""
    scope = _scope(employee, question)
    if not question or not scope.teams:
        return ()
    asked = [source for source in SOURCES if kind in ("", source.kind)]
    limits = {source.kind: (MOST if kind else source.shown) for source in asked}
    # One more of each than is shown tells whether there are others.
    keys = get_backend().find(
        question, limits={kind: limit + 1 for kind, limit in limits.items()}, scope=scope
    )
    found: list[_Read] = []
    for source in asked:
        limit, theirs = limits[source.kind], keys.get(source.kind, ())
        found.append((source, _read(source, employee, theirs[:limit]), len(theirs) > limit))
    return _marked(question, found)


def find_meant(employee: Employee, question: Question) -> tuple[Group, ...]:
    """What was said that means about the same, the most alike first; whichever engine finds
    words. Where `meaning.lacking` nothing."""
    scope = _scope(employee, question)
    if not question or not scope.teams:
        return ()
    (turns,) = (source for source in SOURCES if source.kind == TURN)
    keys = meaning.find(question, scope=scope)
    return _marked(question, [(turns, _read(turns, employee, keys), False)])


def _marked(question: Question, found: Sequence[_Read]) -> tuple[Group, ...]:
    texts = [[source.texts(thing) for thing in things] for source, things, _ in found]
    marked = iter(mark(question, [text for group in texts for one in group for text in one]))
    return tuple(
        Group(
            source,
            tuple(
                Found(thing, tuple(next(marked) for _ in one))
                for thing, one in zip(things, group, strict=True)
            ),
            more,
        )
        for (source, things, more), group in zip(found, texts, strict=True)
        if things
    )


def _scope(employee: Employee, question: Question) -> Scope:
    teams = list(participants.teams_of(employee).values_list("pk", flat=True))
    if question.filters.domain is None:
        return Scope(teams)
    answered = Answer.objects.filter(
        sheet__participant__in=participants.visible_to(employee),
        question__domain__slug=question.filters.domain,
        state=Answer.State.ANSWERED,
    )
    people = answered.values_list("sheet__participant", flat=True).distinct()
    return Scope(teams, [str(person) for person in people])


def _read(source: Source, employee: Employee, keys: Sequence[str]) -> list[Any]:
    """In the order of ``keys``; what is gone meanwhile, or not theirs to see, is not among them."""
    if not keys:
        return []
    by_key = {str(thing.pk): thing for thing in source.visible(employee).filter(pk__in=keys)}
    return [by_key[key] for key in keys if key in by_key]
