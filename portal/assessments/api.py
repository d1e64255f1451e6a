from datetime import datetime
from typing import Literal
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema

from portal.accounts.queries import signed_in
from portal.assessments import services
from portal.assessments.models import Answer, Evidence, Sheet
from portal.participants import queries as participants

router = Router()


class EvidenceOut(Schema):
    conversation_id: UUID
    turn: int
    quote: str
    start: float
    end: float

    @staticmethod
    def resolve_conversation_id(evidence: Evidence) -> UUID:
        return evidence.turn.transcript.conversation_id

    @staticmethod
    def resolve_turn(evidence: Evidence) -> int:
        return evidence.turn.position


class AnswerOut(Schema):
    question: str
    text: str
    domain: str
    state: str
    value: str
    origin: str
    engine: str
    confidence: float
    updated_at: datetime
    evidence: list[EvidenceOut]

    @staticmethod
    def resolve_question(answer: Answer) -> str:
        return answer.question.slug

    @staticmethod
    def resolve_text(answer: Answer) -> str:
        return answer.question.text

    @staticmethod
    def resolve_domain(answer: Answer) -> str:
        return answer.question.domain.slug

    @staticmethod
    def resolve_evidence(answer: Answer) -> list[Evidence]:
        return list(answer.evidence.all())


class SheetOut(Schema):
    participant_id: UUID
    questionnaire: str
    answered: int
    total: int
    updated_at: datetime
    answers: list[AnswerOut]

    @staticmethod
    def resolve_questionnaire(sheet: Sheet) -> str:
        return sheet.questionnaire.slug

    @staticmethod
    def resolve_answers(sheet: Sheet) -> list[Answer]:
        answers = sheet.answers.select_related("question__domain")
        return list(answers.prefetch_related("evidence__turn__transcript"))


class AnswerIn(Schema):
    value: str = ""
    state: Literal["unasked", "asked", "answered", "declined"] = "answered"


def _sheet(request: HttpRequest, participant_id: UUID) -> Sheet:
    visible = participants.visible_to(signed_in(request))
    return get_object_or_404(
        Sheet.objects.select_related("questionnaire"),
        participant=get_object_or_404(visible, pk=participant_id),
    )


@router.get("/participants/{uuid:participant_id}/sheet", response=SheetOut)
def read_sheet(request: HttpRequest, participant_id: UUID) -> Sheet:
    """404 until the participant's first conversation: that is when a ficha begins."""
    return _sheet(request, participant_id)


@router.put("/participants/{uuid:participant_id}/sheet/{slug:question}", response=AnswerOut)
def write_answer(
    request: HttpRequest, participant_id: UUID, question: str, data: AnswerIn
) -> Answer:
    """What a person writes here is never overwritten by a machine."""
    sheet = _sheet(request, participant_id)
    answer = get_object_or_404(sheet.answers, question__slug=question)
    services.edit_answer(
        answer=answer, employee=signed_in(request), value=data.value, state=data.state
    )
    answer.refresh_from_db()
    return answer
