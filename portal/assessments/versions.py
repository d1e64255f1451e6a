"""How a team's questionnaire comes about and changes: a draft, published as a further version.

What is published stays as it is, since fichas hang on it. A team has at most one draft.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.accounts.models import Employee, Team
from portal.assessments import blueprint, queries, records, services, typed
from portal.assessments.blueprint import Blueprint
from portal.assessments.models import Answer, Question, Questionnaire, Sheet, Suggestion
from portal.participants import services as participants


@transaction.atomic
def start_draft(*, team: Team, employee: Employee, plan: Blueprint | None = None) -> Questionnaire:
    """The team's draft: the one that there is, or a new one like what the team uses now.

    With a ``plan`` its content is that, in place of what a draft had before.
    """
    # Two coordinators who begin at once get the same one.
    Team.objects.select_for_update().get(pk=team.pk)
    draft = Questionnaire.objects.filter(team=team, published_at=None).first()
    if draft is not None and plan is None:
        return draft
    if plan is None:
        plan = blueprint.of(queries.in_use(team.pk))
    if draft is None:
        of_slug = Questionnaire.objects.filter(team=team, slug=plan.slug)
        newest = of_slug.aggregate(newest=Max("version"))["newest"] or 0
        draft = Questionnaire(team=team, slug=plan.slug, version=newest + 1, created_by=employee)
    draft.name, draft.language = plan.name, plan.language
    draft.save()
    draft.domains.all().delete()
    blueprint.write(plan, draft)
    return draft


@transaction.atomic
def publish(*, draft: Questionnaire) -> Questionnaire:
    """From now on new fichas of the team are made from it. Raises ValidationError with all that
    keeps it from that, or where somebody has published it already."""
    draft = locked_draft(draft.pk)
    problems = blueprint.check(blueprint.of(draft))
    if problems:
        raise ValidationError(
            [
                f"{problem.slug}: {problem.text}" if problem.slug else problem.text
                for problem in problems
            ]
        )
    draft.published_at = timezone.now()
    draft.save()
    return draft


@transaction.atomic
def discard(*, draft: Questionnaire) -> None:
    """Raises ValidationError where somebody has published it already."""
    locked_draft(draft.pk).delete()


def locked_draft(pk: int) -> Questionnaire:
    """For a change of it. Raises ValidationError where somebody was first."""
    found = Questionnaire.objects.select_for_update().filter(pk=pk, published_at=None).first()
    if found is None:
        raise ValidationError(_("Este borrador ya no existe: alguien lo ha publicado o borrado."))
    return found


@transaction.atomic
def move_sheet(*, sheet: Sheet) -> Sheet:
    """Bring a ficha to the version that new ones are made from.

    An answer goes with its question's name, with its proof, its history and what is suggested
    beside it; one that only the earlier version asked stays in the ficha where somebody answered
    it. Nothing happens to a ficha that
    is of that version already.
    """
    sheet = Sheet.objects.select_for_update().select_related("participant").get(pk=sheet.pk)
    newer = queries.newer_for(sheet)
    if newer is None:
        return sheet
    sheet.questionnaire = newer
    sheet.save(update_fields=["questionnaire"])
    questions = {question.slug: question for question in queries.questions_of(newer)}
    for answer in sheet.answers.select_related("question").prefetch_related("evidence"):
        question = questions.pop(answer.question.slug, None)
        if question is not None:
            _carry_over(answer, question)
        elif not _is_to_stay(answer):
            answer.delete()
    Answer.objects.bulk_create(
        Answer(sheet=sheet, question=question) for question in questions.values()
    )
    records.count(sheet)
    participants.touch(sheet.participant)
    return sheet


def _is_to_stay(answer: Answer) -> bool:
    """Though nobody asks it any more: there is an answer, or was, or one waits beside it."""
    return (
        not answer.is_open_to_machines
        or answer.suggestions.filter(taken=None).exists()
        or answer.changes.filter(state__in=records.SETTLED).exists()
    )


def _carry_over(answer: Answer, question: Question) -> None:
    """To another version of its question, which may be of another kind: what machines heard is
    read again, what a person wrote or accepted stays as it is written."""
    answer.question = question
    evidence = records.pieces(answer.evidence.all())
    reread = _read_again(answer, question, evidence) if answer.is_proposal else answer.value
    fields = ["question", "value", "typed"]
    is_news = reread != answer.value
    if is_news:
        answer.value = reread
        fields.append("updated_at")
    answer.typed = services.typed_value(question, answer.value)
    answer.save(update_fields=fields)
    if is_news:
        records.note(answer, records.Action.PROPOSED, evidence=evidence)
    for suggestion in answer.suggestions.exclude(taken=True):
        suggestion.value = _read_again(suggestion, question, suggestion.evidence)
        suggestion.typed = services.typed_value(question, suggestion.value)
        suggestion.save(update_fields=["value", "typed"])


def _read_again(
    heard: Answer | Suggestion, question: Question, evidence: Iterable[records.Piece]
) -> str:
    """Its words in the form of the question's kind, where they tell it."""
    if not heard.value:
        return ""
    quotes = [piece["quote"] for piece in evidence]
    value = typed.read(question.kind, question.choices, heard.value, *quotes)
    return heard.value if value is None else typed.show(question.kind, question.choices, value)
