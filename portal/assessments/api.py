from datetime import datetime
from typing import Literal
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Router, Schema

from portal.accounts.queries import coordinated_by, signed_in
from portal.assessments import export_views, review, services
from portal.assessments.exports.formats import Format
from portal.assessments.models import Answer, Evidence, Sheet, Suggestion
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


class QuoteOut(Schema):
    quote: str
    start: float
    end: float


class SuggestionOut(Schema):
    id: int
    conversation_id: UUID
    state: str
    value: str
    engine: str
    model: str
    confidence: float
    made_at: datetime
    evidence: list[QuoteOut]


class AnswerOut(Schema):
    question: str
    text: str
    domain: str
    state: str
    value: str
    kind: str
    typed: int | float | str | list[str] | None
    origin: str
    engine: str
    model: str
    confidence: float
    updated_at: datetime
    version: str
    reviewed_at: datetime | None
    evidence: list[EvidenceOut]
    suggestions: list[SuggestionOut]

    @staticmethod
    def resolve_question(answer: Answer) -> str:
        return answer.question.slug

    @staticmethod
    def resolve_text(answer: Answer) -> str:
        return answer.question.text

    @staticmethod
    def resolve_kind(answer: Answer) -> str:
        return answer.question.kind

    @staticmethod
    def resolve_domain(answer: Answer) -> str:
        return answer.question.domain.slug

    @staticmethod
    def resolve_evidence(answer: Answer) -> list[Evidence]:
        return list(answer.evidence.all())

    @staticmethod
    def resolve_suggestions(answer: Answer) -> list[Suggestion]:
        return [found for found in answer.suggestions.all() if found.taken is None]


class SheetOut(Schema):
    participant_id: UUID
    questionnaire: str
    answered: int
    reviewed: int
    total: int
    updated_at: datetime
    answers: list[AnswerOut]

    @staticmethod
    def resolve_questionnaire(sheet: Sheet) -> str:
        return sheet.questionnaire.slug

    @staticmethod
    def resolve_answers(sheet: Sheet) -> list[Answer]:
        answers = sheet.answers.select_related("question__domain")
        return list(answers.prefetch_related("evidence__turn__transcript", "suggestions"))


class AnswerIn(Schema):
    """``version``: of the answer that was read; when a colleague has decided otherwise since,
    409."""

    value: str = ""
    state: Literal["unasked", "asked", "answered", "declined"] = "answered"
    version: str | None = None


class AcceptIn(Schema):
    """``version``: of the answer that was read; when it is another by now, 409."""

    version: str | None = None


class DecisionIn(Schema):
    take: bool


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
    """What a person writes here is never overwritten by a machine. 409 with a `version` that is not
    the answer's any more, when a colleague has decided otherwise since."""
    answer = _answer(request, participant_id, question)
    services.edit_answer(
        answer=answer,
        employee=signed_in(request),
        value=data.value,
        state=data.state,
        seen=data.version,
    )
    answer.refresh_from_db()
    return answer


@router.post("/participants/{uuid:participant_id}/sheet/{slug:question}/accept", response=AnswerOut)
def accept_answer(
    request: HttpRequest, participant_id: UUID, question: str, data: AcceptIn
) -> Answer:
    """What a machine proposed is right. 409 when it proposes nothing there, or something else."""
    answer = _answer(request, participant_id, question)
    return review.accept(answer=answer, employee=signed_in(request), seen=data.version)


@router.post("/participants/{uuid:participant_id}/sheet/{slug:question}/reject", response=AnswerOut)
def reject_answer(request: HttpRequest, participant_id: UUID, question: str) -> Answer:
    """The question is open again; that conversation does not propose the same any more."""
    answer = _answer(request, participant_id, question)
    return review.reject(answer=answer, employee=signed_in(request))


@router.post(
    "/participants/{uuid:participant_id}/sheet/{slug:question}/suggestions/{int:suggestion}",
    response=AnswerOut,
)
def decide_suggestion(
    request: HttpRequest, participant_id: UUID, question: str, suggestion: int, data: DecisionIn
) -> Answer:
    """Take what another conversation says otherwise, or leave the answer as it is."""
    answer = _answer(request, participant_id, question)
    found = get_object_or_404(answer.suggestions, pk=suggestion)
    decide = review.take if data.take else review.leave
    return decide(suggestion=found, employee=signed_in(request))


def _answer(request: HttpRequest, participant_id: UUID, question: str) -> Answer:
    answers = _sheet(request, participant_id).answers.select_related("question__domain")
    return get_object_or_404(answers, question__slug=question)


@router.get("/participants/{uuid:participant_id}/sheet/export/{kind}")
def export_sheet(request: HttpRequest, participant_id: UUID, kind: Format) -> HttpResponseBase:
    """The ficha as a file; `fhir` is a Bundle of a Questionnaire and a QuestionnaireResponse."""
    visible = participants.visible_to(signed_in(request))
    return export_views.exported(request, get_object_or_404(visible, pk=participant_id), kind)


@router.get("/teams/{int:team_id}/sheets/export/{kind}")
def export_sheets(
    request: HttpRequest, team_id: int, kind: Literal["xlsx", "csv", "fhir"], names: bool = False
) -> HttpResponseBase:
    """All fichas of a team that you coordinate. `names`: with the persons' names; FHIR has none."""
    team = get_object_or_404(coordinated_by(signed_in(request)), pk=team_id)
    return export_views.team_exported(request, team, Format(kind), named=names)
