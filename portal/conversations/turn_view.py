"""One turn as the transcript page shows it: also alone, to take the place of what is there."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.urls import reverse

from portal.conversations.models import Conversation, Transcript, Turn
from portal.conversations.templatetags.conversations import shown_title


def context(conversation: Conversation, transcript: Transcript | None) -> dict[str, object]:
    """What conversations/turn.html needs beside ``turn``, the same for every turn.

    ``conversation`` comes with its participant and created_by, ``turn`` with its speaker: there
    may be thousands, and none asks the database.
    """
    return {
        "conversation": conversation,
        "language": transcript.language if transcript else "",
        "audio": reverse("conversations:audio", args=[conversation.pk]),
        "audio_title": shown_title(conversation),
        "audio_duration": "" if conversation.duration is None else f"{conversation.duration:.1f}",
    }


def html(turn: Turn, conversation: Conversation, transcript: Transcript) -> str:
    return render_to_string(
        "conversations/turn.html", {**context(conversation, transcript), "turn": turn}
    )
