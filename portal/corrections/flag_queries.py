"""Reads of the moments to review; who may see them follows from the conversation."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from portal.accounts.models import Employee
from portal.conversations import queries as conversations
from portal.conversations.models import Conversation, Turn
from portal.corrections.models import Flag


def visible_to(employee: Employee) -> QuerySet[Flag]:
    return Flag.objects.filter(conversation__in=conversations.visible_to(employee)).select_related(
        "conversation__participant", "turn", "resolved_by"
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """A moment and the position of the turn in which to look for it: its own or, where nothing
    is written, the one before. None in a transcript without turns."""

    flag: Flag
    position: int | None


def shown(conversation: Conversation) -> tuple[list[Shown], list[Shown]]:
    """What is to be reviewed, and what has been, in the order of the audio."""
    turns = list(
        Turn.objects.filter(transcript__conversation=conversation)
        .order_by("start")
        .values_list("start", "position")
    )
    found = []
    position: int | None
    for flag in conversation.flags.select_related("turn", "resolved_by"):
        if flag.turn is not None:
            position = flag.turn.position
        else:
            before = [place for start, place in turns if start <= flag.start]
            position = before[-1] if before else next((place for _, place in turns), None)
        found.append(Shown(flag, position))
    return (
        [item for item in found if item.flag.resolved_at is None],
        [item for item in found if item.flag.resolved_at is not None],
    )
