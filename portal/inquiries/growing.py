"""An answer on the page while an engine writes it.

It is nobody's answer yet: no quote of it is kept, and it goes when the whole is there, when the
engine fails, and as soon as a transcript is not what the engine reads any more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from portal.analysis.engines.base import Reply
from portal.conversations.models import Conversation, Transcript, Turn
from portal.inquiries.models import Inquiry

EVERY = 0.5
"""Seconds between two writings; a page looks about as often."""


def turns_of(conversation: Conversation) -> list[Turn]:
    turns = Turn.objects.filter(transcript__conversation=conversation).order_by("position")
    return list(turns.select_related("speaker"))


def as_read(turns: Sequence[Turn]) -> list[tuple[int, str, str]]:
    """What an engine knows of them, and which ones they are."""
    return [(turn.pk, turn.speaker.role, turn.text) for turn in turns]


class Growing:
    """Of one look for an answer, conversation by conversation."""

    def __init__(self, inquiry: Inquiry) -> None:
        self._inquiry = inquiry
        self._shown: dict[UUID, str] = {}
        self._read: dict[UUID, tuple[Conversation, list[Turn]]] = {}
        self._written = float("-inf")
        self._over = False
        wipe(inquiry.pk)  # what an earlier look, or a worker that died, has left

    def begin(self, conversation: Conversation, turns: list[Turn]) -> None:
        """An engine reads ``turns`` now."""
        self._read[conversation.pk] = conversation, turns
        self._shown[conversation.pk] = ""

    def add(self, conversation: Conversation, piece: str) -> None:
        """It goes on. What was there before is shown now: an engine that says all at once is
        about to end, and there is nothing to show."""
        before = self._shown[conversation.pk]
        if before and not self._over and time.monotonic() - self._written >= EVERY:
            self._written = time.monotonic()
            self._write()
        self._shown[conversation.pk] = before + piece

    def end(self, conversation: Conversation, reply: Reply) -> None:
        """The whole, which stands in the place of its pieces."""
        self._shown[conversation.pk] = reply.answer

    @transaction.atomic
    def _write(self) -> None:
        shown = {pk: text for pk, text in self._shown.items() if text}
        # Held, so that nothing is written of what is being struck out at this moment.
        transcripts = Transcript.objects.filter(conversation__in=shown).order_by("pk")
        list(transcripts.select_for_update())
        for conversation, turns in (self._read[pk] for pk in shown):
            if as_read(turns_of(conversation)) != as_read(turns):
                self._over = True  # the next look reads it as it is
                wipe(self._inquiry.pk)
                return
        waiting = Inquiry.objects.filter(
            pk=self._inquiry.pk, state=Inquiry.State.WAITING, asked_at=self._inquiry.asked_at
        )
        waiting.update(unfinished="\n".join(shown.values()))


def wipe(inquiry_id: int) -> None:
    Inquiry.objects.filter(pk=inquiry_id).exclude(unfinished="").update(unfinished="")
