"""Reads of conversations; what an employee may see follows from the participant."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from django.db.models import QuerySet

from portal.accounts.models import Employee
from portal.conversations.models import Conversation, Gap, Transcript, Turn, Upload
from portal.participants import queries as participants
from portal.participants.models import Consent, Participant


def visible_to(employee: Employee) -> QuerySet[Conversation]:
    return Conversation.objects.filter(participant__in=participants.visible_to(employee))


def exportable(employee: Employee) -> QuerySet[Conversation]:
    """With all that leaves the portal of one; whether it may is for exports.py to say."""
    return visible_to(employee).select_related(
        "participant", "created_by", "consent", "recording", "playback"
    )


def uploads_visible_to(employee: Employee) -> QuerySet[Upload]:
    return Upload.objects.filter(participant__in=participants.visible_to(employee))


def in_progress(employee: Employee) -> QuerySet[Conversation]:
    """Conversations of theirs that the pipeline is still working on, the newest first."""
    return (
        visible_to(employee)
        .filter(created_by=employee, status=Conversation.Status.PROCESSING)
        .select_related("participant")
        .prefetch_related("steps")
    )


@dataclass(frozen=True, slots=True)
class Said:
    """A turn with what was not recorded just before it; after the last one, gaps alone."""

    gaps: tuple[Gap, ...]
    turn: Turn | None


def said(transcript: Transcript) -> list[Said]:
    """What is shown of a transcript, in order."""
    gaps = deque(Gap.objects.filter(conversation=transcript.conversation_id))
    shown = []
    for turn in transcript.turns.select_related("speaker"):
        before = []
        # A recogniser may place a turn's start a little before the cut.
        while gaps and gaps[0].at <= (turn.start + turn.end) / 2:
            before.append(gaps.popleft())
        shown.append(Said(tuple(before), turn))
    if shown and gaps:
        shown.append(Said(tuple(gaps), None))
    return shown


PAUSE = 1.0
"""Seconds within which turns of one role are one stretch of speaking."""


def spans(conversation: Conversation) -> list[tuple[float, float, str]]:
    """Who speaks from when to when (seconds, Speaker.Role), in order."""
    turns = Turn.objects.filter(transcript__conversation=conversation)
    found: list[tuple[float, float, str]] = []
    for start, end, role in turns.order_by("start").values_list("start", "end", "speaker__role"):
        if found and found[-1][2] == role and start - found[-1][1] < PAUSE:
            found[-1] = (found[-1][0], max(end, found[-1][1]), role)
        else:
            found.append((start, end, role))
    return found


def consent_for_upload(participant: Participant, pk: str) -> Consent | None:
    """The consent of that id, if it is the participant's."""
    return participant.consents.filter(pk=pk).first() if pk.isdecimal() else None
