"""Where a recording page sends what, and what comes after."""

from __future__ import annotations

from django.urls import reverse

from portal.conversations.models import Conversation
from portal.live.models import LiveRecording
from portal.participants.models import Participant

PLACEHOLDER = "__pregunta__"
"""Stands for a question's slug in the address of its tick."""


def of(recording: LiveRecording) -> dict[str, str]:
    page = reverse("live:recording", args=[recording.pk])
    return {
        "id": str(recording.pk),
        "page": page,
        "socket": f"{page}socket/",
        "finish": reverse("live:finish", args=[recording.pk]),
        "discard": reverse("live:discard", args=[recording.pk]),
        "tick": reverse("live:tick", args=[recording.pk, PLACEHOLDER]),
    }


def conversation(made: Conversation) -> str:
    """The person's page with that conversation on top: where its processing shows."""
    return f"{person(made.participant)}?conversacion={made.pk}"


def person(participant: Participant) -> str:
    return reverse("conversations:participant", args=[participant.pk])
