"""What a transcript page is told after a correction, its own or a colleague's."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string

from portal.conversations import turn_view
from portal.conversations.models import Conversation, Transcript
from portal.corrections import queries


def update(conversation: Conversation, *, seen: int, also: int | None = None) -> dict[str, Any]:
    """What is newer than revision ``seen``, and the turn ``also``, for `editing.js`.

    ``{"revision", "turns": [{"id", "after", "version", "text", "html"}], "removed": [id], "legend",
    "bar"}``: ``turns`` in their order, ``after`` the id of the turn before each, ``html`` a whole
    turn, ``legend`` and ``bar`` parts of the page. ``conversation`` comes with its participant and
    created_by.
    """
    changes = queries.changes_since(conversation, seen, also=also)
    transcript = Transcript.objects.get(conversation=conversation)
    return {
        "revision": changes.revision,
        "turns": [
            {
                "id": turn.pk,
                "after": before,
                "version": turn.version,
                "text": turn.text,
                "html": turn_view.html(turn, conversation, transcript),
            }
            for turn, before in zip(changes.turns, changes.before, strict=True)
        ],
        "removed": list(changes.removed),
        "legend": render_to_string("corrections/legend.html", legend(conversation)),
        "bar": render_to_string("corrections/bar.html", bar(conversation)),
    }


def legend(conversation: Conversation) -> dict[str, Any]:
    """For corrections/legend.html."""
    return {"conversation": conversation, "speakers": queries.speakers(conversation)}


def bar(conversation: Conversation) -> dict[str, Any]:
    """For corrections/bar.html."""
    return {
        "conversation": conversation,
        "analysis": queries.analysis(conversation),
        "latest": queries.standing(conversation.edits.all()).first(),
    }
