"""What becomes of inquiries when words are taken out of a transcript, and when they come back."""

from __future__ import annotations

from collections.abc import Callable

from django.core import serializers
from django.db.models import Q, QuerySet

from portal.conversations.models import Conversation, Turn
from portal.inquiries import queries, tasks
from portal.inquiries.models import Inquiry, Reply


def forget(*, conversation: Conversation, tells: Callable[[str], bool]) -> str:
    """Delete, once the words are out of its turns, what rested on them or tells of them.

    ``tells``: whether a text holds what was taken out. Gives what `remember` needs. Part of the
    caller's transaction, which holds the transcript.
    """
    _about(conversation).update(unfinished="")  # of those that are being answered just now
    left = Turn.objects.filter(transcript__conversation=conversation)
    gone = affected(conversation, list(left), tells=tells)
    replies = Reply.objects.filter(inquiry__in=gone)
    kept: str = serializers.serialize("json", [*gone, *replies])
    Inquiry.objects.filter(pk__in=[inquiry.pk for inquiry in gone]).delete()
    return kept


def affected(
    conversation: Conversation, left: list[Turn], *, tells: Callable[[str], bool]
) -> list[Inquiry]:
    """What `forget` would delete, when ``left`` are the turns without the words."""
    inquiries = _about(conversation).prefetch_related("replies")
    return [inquiry for inquiry in inquiries if _rests(inquiry, conversation, left, tells)]


def _about(conversation: Conversation) -> QuerySet[Inquiry]:
    whole = Q(conversation=None, participant=conversation.participant_id)
    return Inquiry.objects.filter(Q(conversation=conversation) | whole)


def _rests(
    inquiry: Inquiry, conversation: Conversation, left: list[Turn], tells: Callable[[str], bool]
) -> bool:
    """What another conversation answers is that one's, though it may use the same words. One whose
    quotes had gone before goes as well: nobody can say what they tell of."""
    if tells(inquiry.question):
        return True
    return any(
        tells(reply.answer)
        or len(queries.standing_quotes(reply.evidence, left)) < len(reply.evidence)
        for reply in inquiry.replies.all()
        if reply.conversation_id == conversation.pk
    )


def remember(forgotten: str) -> None:
    """Put back what `forget` deleted, once the words are in the transcript again. Part of the
    caller's transaction."""
    for item in serializers.deserialize("json", forgotten):
        row = item.object
        if isinstance(row, Reply) and not Conversation.objects.filter(pk=row.conversation_id):
            continue  # deleted since
        item.save()
        if isinstance(row, Inquiry) and row.state == Inquiry.State.WAITING:
            tasks.enqueue(row.pk)  # its job has found nothing to answer meanwhile
