"""Reads of fichas; who may see one follows from its participant."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from portal.accounts.models import Employee
from portal.assessments.models import Answer, Domain, Evidence, Question, Questionnaire, Sheet
from portal.participants import queries as participants
from portal.participants.models import Participant


def sheets_visible_to(employee: Employee) -> QuerySet[Sheet]:
    return Sheet.objects.filter(participant__in=participants.visible_to(employee))


def answers_visible_to(employee: Employee) -> QuerySet[Answer]:
    """With all that a card of the ficha draws, in the order of the questionnaire."""
    evidence = Evidence.objects.select_related("turn__transcript__conversation", "turn__speaker")
    return (
        Answer.objects.filter(sheet__in=sheets_visible_to(employee))
        .select_related("question__domain", "conversation", "edited_by", "sheet__participant")
        .prefetch_related(Prefetch("evidence", queryset=evidence))
    )


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
class DomainAnswers:
    """One domain of a ficha with its answers, in the order of the questionnaire."""

    domain: Domain
    answers: tuple[Answer, ...]

    @property
    def answered(self) -> int:
        return sum(answer.state == Answer.State.ANSWERED for answer in self.answers)

    @property
    def total(self) -> int:
        return len(self.answers)


def by_domain(sheet: Sheet, employee: Employee) -> tuple[DomainAnswers, ...]:
    grouped: dict[int, list[Answer]] = {}
    domains: dict[int, Domain] = {}
    for answer in answers_visible_to(employee).filter(sheet=sheet):
        domain = answer.question.domain
        domains[domain.pk] = domain
        grouped.setdefault(domain.pk, []).append(answer)
    return tuple(DomainAnswers(domains[pk], tuple(grouped[pk])) for pk in domains)


def settled(sheet: Sheet) -> tuple[str, ...]:
    """Slugs of the questions that a machine has nothing to say about any more: answered,
    declined, or decided by a person. Pass them to an engine as ``known``."""
    return tuple(
        answer.question.slug
        for answer in sheet.answers.select_related("question")
        if not answer.is_open_to_machines
    )
