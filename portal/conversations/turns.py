"""Writes of single turns. Positions stay without gaps, in the order in which the turns stand.

Part of the caller's transaction, which holds the transcript's row.
"""

from __future__ import annotations

from django.db.models import F

from portal.conversations.models import Transcript, Turn

_FAR = 1_000_000
"""More than a transcript has turns."""


def insert(turn: Turn, *, position: int) -> None:
    """Put a new turn there; those from that position on make room."""
    _shift(turn.transcript, since=position, by=1)
    turn.position = position
    turn.save(force_insert=True)


def remove(turn: Turn) -> None:
    position = Turn.objects.values_list("position", flat=True).get(pk=turn.pk)
    turn.delete()
    _shift(turn.transcript, since=position, by=-1)


def _shift(transcript: Transcript, *, since: int, by: int) -> None:
    """In two steps, since no two turns may have one position at any moment."""
    turns = Turn.objects.filter(transcript=transcript)
    turns.filter(position__gte=since).update(position=F("position") + _FAR)
    turns.filter(position__gte=_FAR).update(position=F("position") - _FAR + by)
