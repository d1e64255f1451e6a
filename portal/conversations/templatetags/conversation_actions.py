"""What one can do with a conversation wherever it is shown: take it away, try again what failed."""

from __future__ import annotations

from django import template
from django.template.context import Context

from portal.conversations.exports import WRITERS, Format
from portal.conversations.forms import EngineForm
from portal.conversations.models import Conversation, ProcessingStep
from portal.conversations.steps import StepName

register = template.Library()

ICONS = {
    Format.DOCX: "bi-file-earmark-word",
    Format.TXT: "bi-file-earmark-text",
    Format.VTT: "bi-badge-cc",
    Format.SRT: "bi-badge-cc",
    Format.JSON: "bi-filetype-json",
    Format.AUDIO: "bi-file-earmark-music",
}


@register.inclusion_tag("conversations/download_menu.html")
def download_menu(conversation: Conversation, small: bool = False) -> dict[str, object]:
    """What there is of it to take away: nothing when its consent was withdrawn."""
    formats: list[Format] = []
    if conversation.consent.withdrawn_at is None:
        if hasattr(conversation, "transcript"):
            formats += WRITERS
        if hasattr(conversation, "recording"):
            formats.append(Format.AUDIO)
    return {
        "conversation": conversation,
        "small": small,
        "formats": [(chosen.value, chosen.label, ICONS[chosen]) for chosen in formats],
    }


@register.inclusion_tag("conversations/retry.html", takes_context=True)
def retry_form(context: Context, conversation: Conversation) -> dict[str, object]:
    """Where something failed; with a choice of engines where that is the transcription itself and
    there are several."""
    failed = {s.name for s in conversation.steps.all() if s.state == ProcessingStep.State.FAILED}
    form = None
    if StepName.TRANSCRIBE in failed:
        form = EngineForm(
            participant=conversation.participant,
            default_engine=conversation.engine,
            auto_id=f"id_%s_{conversation.pk}",
        )
    return {
        "conversation": conversation,
        "failed": failed - {StepName.NOTIFY},
        "form": form,
        "on_its_page": "seen" in context,
        "seen": context.get("seen", ""),
    }
