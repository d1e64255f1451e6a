"""Reads of fichas; who may see one follows from its participant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from portal.accounts.models import Employee
from portal.assessments.models import (
    Answer,
    AnswerChange,
    Domain,
    Evidence,
    Question,
    Questionnaire,
    Sheet,
    Suggestion,
)
from portal.conversations.models import Conversation, Turn
from portal.participants import queries as participants
from portal.participants.models import Participant


def sheets_visible_to(employee: Employee) -> QuerySet[Sheet]:
    return Sheet.objects.filter(participant__in=participants.visible_to(employee))


def answers_visible_to(employee: Employee) -> QuerySet[Answer]:
    """With what a card of the ficha draws, in the order of the questionnaire; ``changed``:
    whether anything has ever happened to it."""
    evidence = Evidence.objects.select_related("turn__transcript__conversation", "turn__speaker")
    return (
        Answer.objects.filter(sheet__in=sheets_visible_to(employee))
        .select_related("question__domain", "conversation", "edited_by", "reviewed_by")
        .select_related("sheet__participant")
        .annotate(changed=Exists(AnswerChange.objects.filter(answer=OuterRef("pk"))))
        .prefetch_related(Prefetch("evidence", queryset=evidence))
    )


def suggestions_visible_to(employee: Employee) -> QuerySet[Suggestion]:
    return Suggestion.objects.filter(answer__sheet__in=sheets_visible_to(employee))


def questionnaire_for(participant: Participant) -> Questionnaire:
    """That of the participant's ficha or, until there is one, that of the team or else the one
    that every team starts with."""
    sheet = Sheet.objects.filter(participant=participant).select_related("questionnaire").first()
    if sheet is not None:
        return sheet.questionnaire
    return (
        Questionnaire.objects.filter(team=participant.team_id).order_by("-created_at").first()
        or Questionnaire.objects.filter(team=None).order_by("created_at").get()
    )


def questions_of(questionnaire: Questionnaire) -> list[Question]:
    """In order, each with its ``domain``."""
    return list(
        Question.objects.filter(domain__questionnaire=questionnaire)
        .select_related("domain")
        .order_by("domain__position", "position")
    )


@dataclass(frozen=True)
class Quoted:
    """Words of a conversation as a page shows them; ``turn``: where they stand, if they do."""

    conversation: Conversation
    quote: str
    start: float
    turn: Turn | None


@dataclass(frozen=True)
class Beside:
    """A suggestion that waits, with its words."""

    suggestion: Suggestion
    quotes: tuple[Quoted, ...]


@dataclass(frozen=True)
class Card:
    """An answer with what is suggested beside it."""

    answer: Answer
    suggestions: tuple[Beside, ...]


@dataclass(frozen=True)
class DomainAnswers:
    """One domain of a ficha with its answers, in the order of the questionnaire."""

    domain: Domain
    cards: tuple[Card, ...]

    @property
    def answers(self) -> tuple[Answer, ...]:
        return tuple(card.answer for card in self.cards)

    @property
    def answered(self) -> int:
        return sum(answer.state == Answer.State.ANSWERED for answer in self.answers)

    @property
    def reviewed(self) -> int:
        """Answered or declined, and a person has said that it is right."""
        settled = (Answer.State.ANSWERED, Answer.State.DECLINED)
        return sum(answer.is_reviewed and answer.state in settled for answer in self.answers)

    @property
    def proposals(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if answer.is_proposal)

    @property
    def total(self) -> int:
        return len(self.cards)


def by_domain(sheet: Sheet, employee: Employee) -> tuple[DomainAnswers, ...]:
    grouped: dict[int, list[Card]] = {}
    domains: dict[int, Domain] = {}
    for card in cards(answers_visible_to(employee).filter(sheet=sheet)):
        domain = card.answer.question.domain
        domains[domain.pk] = domain
        grouped.setdefault(domain.pk, []).append(card)
    return tuple(DomainAnswers(domains[pk], tuple(grouped[pk])) for pk in domains)


def cards(answers: Iterable[Answer]) -> tuple[Card, ...]:
    """Whoever asks may see the answers."""
    answers = list(answers)
    waiting = list(
        Suggestion.objects.filter(answer__in=answers, taken=None)
        .select_related("conversation")
        .order_by("pk")
    )
    turns = _turns(piece["turn"] for suggestion in waiting for piece in suggestion.evidence)
    beside: dict[int, list[Beside]] = {}
    for suggestion in waiting:
        quotes = tuple(
            Quoted(suggestion.conversation, p["quote"], p["start"], turns.get(p["turn"]))
            for p in suggestion.evidence
        )
        beside.setdefault(suggestion.answer_id, []).append(Beside(suggestion, quotes))
    return tuple(Card(answer, tuple(beside.get(answer.pk, ()))) for answer in answers)


def _turns(ids: Iterable[int]) -> Mapping[int, Turn]:
    wanted = set(ids)
    turns = Turn.objects.select_related("speaker", "transcript__conversation__participant")
    turns = turns.select_related("transcript__conversation__created_by")
    return turns.in_bulk(wanted) if wanted else {}


def settled(sheet: Sheet) -> tuple[str, ...]:
    """Slugs of the questions that a machine has nothing to say about any more: answered,
    declined, or decided by a person. Pass them to an engine as ``known``."""
    return tuple(
        answer.question.slug
        for answer in sheet.answers.select_related("question")
        if not answer.is_open_to_machines
    )
