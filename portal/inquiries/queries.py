"""Reads of inquiries; who may see one follows from its participant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from portal.accounts.models import Employee
from portal.analysis.text import words
from portal.assessments import quotes
from portal.conversations.models import Conversation, Turn
from portal.inquiries.models import Inquiry, Reply
from portal.participants import queries as participants
from portal.participants.models import Participant


def visible_to(employee: Employee) -> QuerySet[Inquiry]:
    return (
        Inquiry.objects.filter(participant__in=participants.visible_to(employee))
        .select_related("participant", "conversation", "asked_by")
        .prefetch_related("replies__conversation__participant", "replies__conversation__created_by")
    )


def of_conversation(employee: Employee, conversation: Conversation) -> QuerySet[Inquiry]:
    """Asked of that one, the latest first."""
    return visible_to(employee).filter(conversation=conversation)


def of_participant(employee: Employee, participant: Participant) -> QuerySet[Inquiry]:
    """Asked of all of the participant's conversations together, the latest first."""
    return visible_to(employee).filter(participant=participant, conversation=None)


def to_ask(
    participant: Participant, conversation: Conversation | None = None
) -> list[Conversation]:
    """Conversations that can be asked, the latest first: they have a transcript, and the
    consent that they were recorded with still stands."""
    transcribed = Conversation.objects.filter(participant=participant).exclude(transcript=None)
    if conversation is not None:
        transcribed = transcribed.filter(pk=conversation.pk)
    latest_first = transcribed.select_related("consent").order_by("-created_at")
    return [found for found in latest_first if found.consent.is_valid]


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of ``turn`` that are said from ``start`` to ``end`` (seconds)."""

    text: str
    turn: Turn
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class ShownReply:
    """``answer`` is empty once part of what proved it is gone: only the quotes speak then."""

    conversation: Conversation
    answer: str
    quotes: tuple[Quote, ...]

    @property
    def in_other_words(self) -> bool:
        """Whether the answer says it otherwise than the quotes, which are shown anyway."""
        quoted = " ".join(quote.text for quote in self.quotes)
        return bool(self.answer) and words(self.answer).folded != words(quoted).folded


@dataclass(frozen=True, slots=True)
class Shown:
    """An inquiry with what still proves it. A reply none of whose quotes stands any more is left
    out; ``changed``: a quote is gone, since somebody corrected the words."""

    inquiry: Inquiry
    replies: tuple[ShownReply, ...]
    changed: bool


def shown(inquiries: Iterable[Inquiry]) -> list[Shown]:
    """Each held against the transcripts as they are now."""
    found = list(inquiries)
    quoted = {reply.conversation_id for inquiry in found for reply in inquiry.replies.all()}
    turns: dict[object, list[Turn]] = {pk: [] for pk in quoted}
    rows = Turn.objects.filter(transcript__conversation__in=quoted).order_by("position")
    for turn in rows.select_related("speaker", "transcript"):
        turns[turn.transcript.conversation_id].append(turn)
    return [_shown(inquiry, turns) for inquiry in found]


def _shown(inquiry: Inquiry, turns: dict[object, list[Turn]]) -> Shown:
    replies, changed = [], False
    for reply in inquiry.replies.all():
        standing = standing_quotes(reply.evidence, turns[reply.conversation_id])
        changed = changed or len(standing) < len(reply.evidence)
        if standing:
            answer = reply.answer if len(standing) == len(reply.evidence) else ""
            replies.append(ShownReply(reply.conversation, answer, standing))
    return Shown(inquiry, tuple(replies), changed)


def stands(reply: Reply) -> bool:
    """Whether all that proves it is still said, word for word and when it was: what `shown` looks
    up more kindly, and for many at once too slowly."""
    turns = Turn.objects.filter(transcript__conversation=reply.conversation_id)
    return bool(reply.evidence) and all(
        turns.filter(
            start__lt=piece["end"], end__gt=piece["start"], text__contains=piece["quote"]
        ).exists()
        for piece in reply.evidence
    )


def standing_quotes(
    evidence: Iterable[dict[str, object]], turns: Sequence[Turn]
) -> tuple[Quote, ...]:
    """What is still said of a reply's ``evidence``, and where it is said now."""
    standing = []
    for piece in evidence:
        place = quotes.follow(
            str(piece["quote"]), float(str(piece["start"])), float(str(piece["end"])), turns
        )
        if place is not None:
            standing.append(Quote(place.quote, turns[place.turn], place.start, place.end))
    return tuple(standing)
