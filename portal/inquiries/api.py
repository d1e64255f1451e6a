from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from ninja.pagination import paginate

from portal.accounts.queries import signed_in
from portal.conversations import queries as conversations
from portal.inquiries import queries, services
from portal.inquiries.models import Inquiry
from portal.participants import queries as participants
from portal.web.pagination import Pagination

router = Router()


class QuoteOut(Schema):
    turn: int
    quote: str
    start: float
    end: float


class ReplyOut(Schema):
    """What one conversation answers; `answer` is empty once part of its proof was corrected."""

    conversation_id: UUID
    answer: str
    evidence: list[QuoteOut]


class InquiryOut(Schema):
    """`state`: waiting, found, absent (nothing that was said answers it) or failed (`reason` says
    why). `changed`: words that proved it were corrected since, and are left out."""

    id: int
    participant_id: UUID
    conversation_id: UUID | None
    question: str
    state: str
    reason: str
    replies: list[ReplyOut]
    changed: bool
    engine: str
    model: str
    asked_at: datetime
    seconds: float | None


class QuestionIn(Schema):
    question: str


def _out(*inquiries: Inquiry) -> list[InquiryOut]:
    """Each with what still proves it."""
    return [
        InquiryOut(
            id=inquiry.pk,
            participant_id=inquiry.participant_id,
            conversation_id=inquiry.conversation_id,
            question=inquiry.question,
            state=inquiry.state,
            reason=inquiry.reason,
            replies=[
                ReplyOut(
                    conversation_id=reply.conversation.pk,
                    answer=reply.answer,
                    evidence=[
                        QuoteOut(
                            turn=quote.turn.position,
                            quote=quote.text,
                            start=quote.start,
                            end=quote.end,
                        )
                        for quote in reply.quotes
                    ],
                )
                for reply in shown.replies
            ],
            changed=shown.changed,
            engine=inquiry.engine,
            model=inquiry.model,
            asked_at=inquiry.asked_at,
            seconds=inquiry.seconds,
        )
        for shown in queries.shown(inquiries)
        for inquiry in [shown.inquiry]
    ]


def _visible(request: HttpRequest, inquiry_id: int) -> Inquiry:
    return get_object_or_404(queries.visible_to(signed_in(request)), pk=inquiry_id)


@router.get("/conversations/{uuid:conversation_id}/inquiries", response=list[InquiryOut])
@paginate(Pagination)
def list_conversation_inquiries(request: HttpRequest, conversation_id: UUID) -> object:
    employee = signed_in(request)
    conversation = get_object_or_404(conversations.visible_to(employee), pk=conversation_id)
    return _out(*queries.of_conversation(employee, conversation))


@router.post("/conversations/{uuid:conversation_id}/inquiries", response={202: InquiryOut})
def ask_conversation(
    request: HttpRequest, conversation_id: UUID, data: QuestionIn
) -> Status[InquiryOut]:
    """Ask one conversation. The answer comes in seconds: ask for the inquiry until it is no longer
    `waiting`."""
    employee = signed_in(request)
    visible = conversations.visible_to(employee).select_related("participant", "consent")
    conversation = get_object_or_404(visible, pk=conversation_id)
    inquiry = services.ask(
        participant=conversation.participant,
        conversation=conversation,
        employee=employee,
        question=data.question,
    )
    return Status(202, _out(inquiry)[0])


@router.get("/participants/{uuid:participant_id}/inquiries", response=list[InquiryOut])
@paginate(Pagination)
def list_participant_inquiries(request: HttpRequest, participant_id: UUID) -> object:
    """What was asked of all conversations together."""
    employee = signed_in(request)
    participant = get_object_or_404(participants.visible_to(employee), pk=participant_id)
    return _out(*queries.of_participant(employee, participant))


@router.post("/participants/{uuid:participant_id}/inquiries", response={202: InquiryOut})
def ask_participant(
    request: HttpRequest, participant_id: UUID, data: QuestionIn
) -> Status[InquiryOut]:
    """Ask all of a person's conversations."""
    employee = signed_in(request)
    participant = get_object_or_404(participants.visible_to(employee), pk=participant_id)
    inquiry = services.ask(participant=participant, employee=employee, question=data.question)
    return Status(202, _out(inquiry)[0])


@router.get("/inquiries/{int:inquiry_id}", response=InquiryOut)
def read_inquiry(request: HttpRequest, inquiry_id: int) -> InquiryOut:
    return _out(_visible(request, inquiry_id))[0]


@router.delete("/inquiries/{int:inquiry_id}", response={204: None})
def delete_inquiry(request: HttpRequest, inquiry_id: int) -> Status[None]:
    services.delete(inquiry=_visible(request, inquiry_id))
    return Status(204, None)
