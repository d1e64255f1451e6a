"""Reads of fichas; who may see one follows from its participant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from portal.accounts.models import Employee
from portal.accounts.queries import coordinated_by
from portal.assessments import relevance, typed
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

# The slug of the group of what only an earlier version asked.
OF_BEFORE = "version-anterior"


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


def questionnaires_visible_to(employee: Employee) -> QuerySet[Questionnaire]:
    """Of the teams that the employee coordinates, drafts too; and the one that all start with."""
    if not employee.is_active:
        return Questionnaire.objects.none()
    published_for_all = Q(team=None, published_at__isnull=False)
    return Questionnaire.objects.filter(
        Q(team__in=coordinated_by(employee)) | published_for_all
    ).select_related("team", "created_by")


def drafts_of(employee: Employee) -> QuerySet[Questionnaire]:
    """Those that the employee may change."""
    return Questionnaire.objects.filter(
        team__in=coordinated_by(employee), published_at=None
    ).select_related("team")


def questionnaire_for(participant: Participant) -> Questionnaire:
    """That of the participant's ficha or, until there is one, the one that a new ficha of the
    team gets."""
    sheet = Sheet.objects.filter(participant=participant).select_related("questionnaire").first()
    return sheet.questionnaire if sheet is not None else in_use(participant.team_id)


def in_use(team_id: int) -> Questionnaire:
    """What a new ficha of the team gets: the newest that the team has published, or else the one
    that every team starts with."""
    published = Questionnaire.objects.filter(published_at__isnull=False)
    return (
        published.filter(team=team_id).order_by("-published_at", "-pk").first()
        or published.filter(team=None).order_by("-version")[:1].get()
    )


def newer_for(sheet: Sheet) -> Questionnaire | None:
    """What the ficha would be made from today, where that is not what it was made from."""
    current = in_use(sheet.participant.team_id)
    return current if current.pk != sheet.questionnaire_id else None


def all_of(questionnaire: Questionnaire) -> list[Question]:
    """In order, each with its ``domain``; notes too."""
    return list(
        Question.objects.filter(domain__questionnaire=questionnaire)
        .select_related("domain")
        .order_by("domain__position", "position")
    )


def questions_of(questionnaire: Questionnaire) -> list[Question]:
    """Those that can be answered, in order, each with its ``domain``."""
    return [q for q in all_of(questionnaire) if q.kind != Question.Kind.NOTE]


class Conditional(Protocol):
    """A question, whether it is a row or a value."""

    @property
    def slug(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def relevant(self) -> str: ...


def relevant(
    questions: Sequence[Conditional], answered: Mapping[str, tuple[str, typed.Value]]
) -> frozenset[str]:
    """Slugs of the questions whose condition holds, by what is answered: its text and value.

    As in XForms, what is not asked itself counts as not answered.
    """
    values: dict[str, typed.Value] = {}
    holding = set()
    for question in questions:
        if relevance.parse(question.relevant).holds(values):
            holding.add(question.slug)
            text, value = answered.get(question.slug, ("", None))
            values[question.slug] = text if question.kind == Question.Kind.TEXT else value
    return frozenset(holding)


def relevant_answers(sheet: Sheet, among: Iterable[Answer] | None = None) -> list[Answer]:
    """The answers that count, in order: to questions whose condition holds, and what an earlier
    version asked and somebody answered. ``among``: the ficha's answers, where they are read
    already, with ``question__domain``."""
    answers = list(among if among is not None else sheet.answers.select_related("question__domain"))
    current = [a for a in answers if not is_of_before(a, sheet)]
    said = {
        a.question.slug: (a.value, a.typed) for a in current if a.state == Answer.State.ANSWERED
    }
    holding = relevant([a.question for a in current], said)
    return [a for a in answers if a.question.slug in holding or is_of_before(a, sheet)]


def is_of_before(answer: Answer, sheet: Sheet) -> bool:
    """Whether only an earlier version than the ficha's asks it."""
    return answer.question.domain.questionnaire_id != sheet.questionnaire_id


def group_of(answer: Answer, sheet: Sheet) -> str:
    """The slug of the group of `by_domain` that it stands in, where it counts."""
    return OF_BEFORE if is_of_before(answer, sheet) else answer.question.domain.slug


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
    """The answers that count; what only an earlier version asked stands together at the end."""
    grouped: dict[int, list[Card]] = {}
    domains: dict[int, Domain] = {}
    before = []
    visible = answers_visible_to(employee).filter(sheet=sheet)
    for card in cards(relevant_answers(sheet, visible)):
        if is_of_before(card.answer, sheet):
            before.append(card)
            continue
        domain = card.answer.question.domain
        domains[domain.pk] = domain
        grouped.setdefault(domain.pk, []).append(card)
    groups = [DomainAnswers(domains[pk], tuple(grouped[pk])) for pk in domains]
    if before:
        earlier = Domain(
            slug=OF_BEFORE,
            name=_("De la versión anterior"),
            colour="violet",
            icon="clock-history",
        )
        groups.append(DomainAnswers(earlier, tuple(before)))
    return tuple(groups)


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
