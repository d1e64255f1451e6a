"""Writes of questionnaires, fichas and answers.

A machine proposes with proof, a person decides: `record_findings` only fills what nobody has
answered or decided, and only with words that really stand in the transcript.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.accounts.models import Employee
from portal.analysis.engines.base import Finding
from portal.analysis.engines.base import Question as AnalysisQuestion
from portal.analysis.engines.base import Turn as AnalysisTurn
from portal.analysis.grounding import ground_finding
from portal.assessments import queries, quotes
from portal.assessments.models import Answer, Evidence, Question, Sheet
from portal.conversations.models import Conversation, Turn
from portal.participants import services as participants
from portal.participants.models import Participant


@transaction.atomic
def sheet_for(participant: Participant) -> Sheet:
    """The participant's ficha, made on first use from the team's questionnaire, or, where the
    team has none, from the one every team starts with."""
    sheet = Sheet.objects.filter(participant=participant).first()
    if sheet is not None:
        return sheet
    questionnaire = queries.questionnaire_for(participant)
    sheet, made = Sheet.objects.get_or_create(
        participant=participant, defaults={"questionnaire": questionnaire}
    )
    if made:
        Answer.objects.bulk_create(
            Answer(sheet=sheet, question=question)
            for question in queries.questions_of(questionnaire)
        )
        _count(sheet)
    return sheet


def questions_for(sheet: Sheet) -> tuple[AnalysisQuestion, ...]:
    """The ficha's questions as an analysis engine takes them, in order."""
    return for_analysis(a.question for a in sheet.answers.select_related("question__domain"))


def for_analysis(questions: Iterable[Question]) -> tuple[AnalysisQuestion, ...]:
    """As an analysis engine takes them; reads each one's ``domain``."""
    return tuple(
        AnalysisQuestion(
            id=question.slug,
            domain=question.domain.slug,
            text=question.text,
            cues=tuple(question.cues),
            examples=tuple(question.examples),
        )
        for question in questions
    )


def turns_for(turns: Sequence[Turn]) -> list[AnalysisTurn]:
    """A transcript's turns as an analysis engine takes them, in order."""
    return [AnalysisTurn(speaker=turn.speaker.role, text=turn.text) for turn in turns]


@transaction.atomic
def record_findings(
    *,
    conversation: Conversation,
    findings: Sequence[Finding],
    turns: Sequence[Turn],
    engine: str,
    model: str,
) -> Sheet:
    """Put what an engine found in a conversation into the participant's ficha.

    ``turns`` are the ones the engine read, in its order: evidence points into them by index.
    May be called again with the same or other findings: what is answered or declined, and
    whatever a person decided, stays as it is. Whichever engine found it, a finding counts only
    as far as `portal.analysis.grounding` proves it.
    """
    # The lock makes two conversations of one person wait for each other.
    sheet = Sheet.objects.select_for_update().get(pk=sheet_for(conversation.participant).pk)
    answers = {a.question.slug: a for a in sheet.answers.select_related("question")}
    spoken = turns_for(turns)
    for finding in (ground_finding(spoken, found) for found in findings):
        answer = answers.get(finding.question_id)
        if answer is not None and answer.may_become(finding.state):
            _propose(answer, finding, turns, conversation, engine, model)
    _count(sheet)
    return sheet


def _propose(
    answer: Answer,
    finding: Finding,
    turns: Sequence[Turn],
    conversation: Conversation,
    engine: str,
    model: str,
) -> None:
    proofs = []
    for position, piece in enumerate(finding.evidence):
        turn = turns[piece.turn]
        span = quotes.locate(piece.quote, turn.text, turn.words, turn.start, turn.end)
        start, end = span or (turn.start, turn.end)
        proofs.append(
            Evidence(
                answer=answer,
                turn=turn,
                quote=piece.quote,
                start=start,
                end=end,
                position=position,
            )
        )
    answer.state = finding.state
    answer.value = finding.answer
    answer.origin = Answer.Origin.MACHINE
    answer.engine = engine
    answer.model = model
    answer.confidence = finding.confidence
    answer.conversation = conversation
    answer.save()
    answer.evidence.all().delete()
    Evidence.objects.bulk_create(proofs)


@transaction.atomic
def edit_answer(
    *, answer: Answer, employee: Employee, value: str = "", state: str | None = None
) -> Answer:
    """What a person says the answer is; from now on no machine touches it.

    A text makes it answered. Without one, ``state`` says whether it is unasked (the default),
    asked or declined; those states carry no text. What a machine heard stays as evidence.
    Raises ValidationError for an answered question without text, or an unknown state.
    """
    value = value.replace("\x00", "").strip()  # PostgreSQL takes none
    if state is None:
        state = Answer.State.ANSWERED if value else Answer.State.UNASKED
    if state not in Answer.State.values:
        raise ValidationError(_("Ese estado no existe."))
    if state == Answer.State.ANSWERED and not value:
        raise ValidationError(_("Para darla por respondida, escriba la respuesta."))
    sheet = Sheet.objects.select_for_update().get(pk=answer.sheet_id)
    answer.state = state
    answer.value = value if state == Answer.State.ANSWERED else ""
    answer.origin = Answer.Origin.PERSON
    answer.edited_by = employee
    answer.save(update_fields=["state", "value", "origin", "edited_by", "updated_at"])
    _count(sheet)
    participants.touch(sheet.participant)
    return answer


def _count(sheet: Sheet) -> None:
    sheet.total = sheet.answers.count()
    sheet.answered = sheet.answers.filter(state=Answer.State.ANSWERED).count()
    sheet.save(update_fields=["answered", "total", "updated_at"])
