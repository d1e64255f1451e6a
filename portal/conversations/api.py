from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Field, File, Form, ModelSchema, Router, Schema, Status, UploadedFile
from ninja.pagination import paginate

from portal.accounts.queries import signed_in
from portal.conversations import export_views, queries, retrying, services
from portal.conversations.exports import Format
from portal.conversations.models import Conversation, Gap, ProcessingStep, Transcript
from portal.participants import queries as participants
from portal.web.pagination import Pagination

router = Router()


class StepOut(ModelSchema):
    class Meta:
        model = ProcessingStep
        fields = ["name", "state", "progress", "attempts", "reason", "started_at", "finished_at"]


class ConversationOut(Schema):
    id: UUID
    participant_id: UUID
    status: str
    title: str
    description: str
    engine: str
    language: str
    duration: float | None
    created_at: datetime
    steps: list[StepOut]
    audio: str

    @staticmethod
    def resolve_steps(conversation: Conversation) -> list[ProcessingStep]:
        return list(conversation.steps.all())

    @staticmethod
    def resolve_audio(conversation: Conversation) -> str:
        return reverse("conversations:audio", args=[conversation.pk])


class UploadIn(Schema):
    consent: int
    engine: str = "local"
    language: str = Field("", description="ISO 639-1 code; empty lets the engine tell")
    speakers: int = Field(2, ge=2, le=4, description="how many people are to be told apart")


class WordOut(Schema):
    text: str
    start: float
    end: float
    probability: float


class TurnOut(Schema):
    speaker: str
    start: float
    end: float
    text: str
    words: list[WordOut]


class GapOut(ModelSchema):
    """A stretch of a live recording that was not recorded: its place in the audio and length, in
    seconds."""

    class Meta:
        model = Gap
        fields = ["kind", "at", "seconds"]


class TranscriptOut(Schema):
    """The interface of `portal transcribe`, and what was not recorded."""

    duration: float
    language: str
    engine: str
    model: str
    turns: list[TurnOut]
    gaps: list[GapOut]

    @staticmethod
    def resolve_gaps(transcript: Transcript) -> list[Gap]:
        return list(transcript.conversation.gaps.all())

    @staticmethod
    def resolve_turns(transcript: Transcript) -> list[dict[str, object]]:
        return [
            {
                "speaker": turn.speaker.role,
                "start": turn.start,
                "end": turn.end,
                "text": turn.text,
                "words": [
                    dict(zip(("text", "start", "end", "probability"), word, strict=True))
                    for word in turn.words
                ],
            }
            for turn in transcript.turns.select_related("speaker")
        ]


@router.get("/participants/{uuid:participant_id}/conversations", response=list[ConversationOut])
@paginate(Pagination)
def list_conversations(request: HttpRequest, participant_id: UUID) -> object:
    employee = signed_in(request)
    participant = get_object_or_404(participants.visible_to(employee), pk=participant_id)
    visible = queries.visible_to(employee).filter(participant=participant)
    return visible.prefetch_related("steps")


@router.post("/participants/{uuid:participant_id}/conversations", response={202: ConversationOut})
def upload_conversation(
    request: HttpRequest, participant_id: UUID, data: Form[UploadIn], file: File[UploadedFile]
) -> Status[Conversation]:
    """Send a recording whole. It is accepted as soon as it is safe on disk; ask for the
    conversation to follow its steps. Large files do better with the resumable uploads (tus
    1.0) of the pages, at `/subidas/`."""
    employee = signed_in(request)
    participant = get_object_or_404(participants.visible_to(employee), pk=participant_id)
    consent = queries.consent_for_upload(participant, str(data.consent))
    conversation = services.receive(
        employee=employee,
        participant=participant,
        consent=consent,
        file=file,
        engine=data.engine,
        language=data.language,
        speakers=data.speakers,
    )
    return Status(202, conversation)


@router.get("/conversations/{uuid:conversation_id}", response=ConversationOut)
def read_conversation(request: HttpRequest, conversation_id: UUID) -> Conversation:
    return get_object_or_404(queries.visible_to(signed_in(request)), pk=conversation_id)


@router.get("/conversations/{uuid:conversation_id}/transcript", response=TranscriptOut)
def read_transcript(request: HttpRequest, conversation_id: UUID) -> Transcript:
    conversation = get_object_or_404(queries.visible_to(signed_in(request)), pk=conversation_id)
    return get_object_or_404(Transcript, conversation=conversation)


@router.post("/conversations/{uuid:conversation_id}/retry", response={202: ConversationOut})
def retry_conversation(
    request: HttpRequest, conversation_id: UUID, engine: str | None = None
) -> Status[Conversation]:
    """Try what failed again; what worked stays. `engine`: another one for a transcription that
    failed."""
    employee = signed_in(request)
    conversation = get_object_or_404(queries.visible_to(employee), pk=conversation_id)
    retrying.retry(conversation=conversation, employee=employee, engine=engine)
    conversation.refresh_from_db()
    return Status(202, conversation)


@router.get("/conversations/{uuid:conversation_id}/export/{chosen}")
def export_conversation(
    request: HttpRequest, conversation_id: UUID, chosen: Format
) -> HttpResponseBase:
    """The transcript as a file (`json` is the interface of `portal transcribe`), or the audio."""
    visible = queries.exportable(signed_in(request))
    return export_views.exported(request, get_object_or_404(visible, pk=conversation_id), chosen)


@router.get("/participants/{uuid:participant_id}/export")
def export_conversations(request: HttpRequest, participant_id: UUID) -> HttpResponseBase:
    """A zip with every conversation of a person in every format, made while it is sent."""
    employee = signed_in(request)
    participant = get_object_or_404(participants.visible_to(employee), pk=participant_id)
    return export_views.zipped(request, employee, participant)
