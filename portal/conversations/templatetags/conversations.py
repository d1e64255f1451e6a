"""How pages say lengths, languages, engines and shares."""

from __future__ import annotations

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext as _

from portal.accounts import engines
from portal.conversations.models import Conversation, Gap, ProcessingStep, Speaker, Turn
from portal.conversations.steps import PRODUCTS, StepName
from portal.conversations.words import placed

register = template.Library()


@register.filter
def clock(seconds: float | None) -> str:
    """4325.2 -> "1:12:05", 65 -> "1:05"."""
    if seconds is None:
        return ""
    whole = max(0, int(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def length_words(seconds: float | None) -> str:
    """4325.2 -> "1 h 12 min", 65 -> "1 minuto", 20 -> "20 segundos"."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return ngettext("%d segundo", "%d segundos", whole) % whole
    minutes = round(whole / 60)
    if minutes < 60:
        return ngettext("%d minuto", "%d minutos", minutes) % minutes
    return _("%(hours)d h %(minutes)d min") % {"hours": minutes // 60, "minutes": minutes % 60}


@register.filter
def exact_length(seconds: float) -> str:
    """130 -> "2 min 10 s", 4325.2 -> "1 h 12 min 5 s", 0.4 -> "1 s"."""
    whole = max(1, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    parts = [f"{n} {unit}" for n, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if n]
    return " ".join(parts)


GAP_ICONS = {
    Gap.Kind.PAUSED: "bi-pause-circle",
    Gap.Kind.PRIVATE: "bi-shield-lock",
    Gap.Kind.INTERRUPTED: "bi-wifi-off",
}


@register.filter
def gap_icon(gap: Gap) -> str:
    return GAP_ICONS[Gap.Kind(gap.kind)]


@register.filter
def spoken_language(code: str) -> str:
    """ "es" -> "Español"; a code nobody knows is shown as it is."""
    if not code:
        return ""
    if code == "zh":  # Django knows it by its scripts only, and what is spoken has none
        return _("Chino")
    try:
        return str(get_language_info(code)["name_translated"]).capitalize()
    except KeyError:
        return code


@register.filter
def engine_name(engine: str) -> str:
    """Short, for a line of facts; a choice says more (accounts/engines.py)."""
    if engine in engines.ON_THIS_MACHINE:
        return _("En este equipo")
    return str(engines.NAMES.get(engine, engine))


@register.filter
def shown_title(conversation: Conversation) -> str:
    """Its title, or, until it has one, the day it is of."""
    day = date_format(timezone.localtime(conversation.created_at), r"j \d\e F")
    return conversation.title or _("Conversación del %(day)s") % {"day": day}


@register.filter
def speaker_name(speaker: Speaker, conversation: Conversation) -> str:
    """The name given to a voice, or whose role it is: one interviewer, one participant."""
    if speaker.name:
        return speaker.name
    if speaker.role == Speaker.Role.EMPLOYEE:
        return conversation.created_by.name
    if speaker.role == Speaker.Role.PARTICIPANT:
        return conversation.participant.name
    return _("Voz %(label)s") % {"label": speaker.label.removeprefix("S")}


@register.filter
def spoken_words(turn: Turn) -> SafeString:
    """A turn's text, each word that has a time in ``<span data-w="its start">``.

    Joined by hand: a long transcript has tens of thousands of words.
    """
    text, cursor = turn.text, 0
    parts: list[str] = []
    for at, after, start, _end in placed(text, turn.words):
        parts += (
            escape(text[cursor:at]),
            f'<span data-w="{start:.2f}">',
            escape(text[at:after]),
            "</span>",
        )
        cursor = after
    parts.append(escape(text[cursor:]))
    return mark_safe("".join(parts))  # noqa: S308 (every piece of the text was escaped)


@register.filter
def shown_steps(conversation: Conversation) -> list[ProcessingStep]:
    """All but telling people: they are reading it."""
    return [step for step in conversation.steps.all() if step.name != StepName.NOTIFY]


@register.filter
def step_name(step: ProcessingStep) -> str:
    """What the step does, in words; the name itself for one that is gone since."""
    return str(dict(StepName.choices).get(step.name, step.name))


@register.filter
def step_product(step: ProcessingStep) -> str:
    """What the step makes, in words; the name itself for one that is gone since."""
    return str(PRODUCTS.get(step.name, step.name))


# Icon of bootstrap-icons.
STEP_ICONS = {
    ProcessingStep.State.WAITING: "bi-circle",
    ProcessingStep.State.RUNNING: "bi-arrow-repeat",
    ProcessingStep.State.DONE: "bi-check-circle-fill",
    ProcessingStep.State.FAILED: "bi-x-circle-fill",
    ProcessingStep.State.SKIPPED: "bi-dash-circle",
}


@register.filter
def step_icon(step: ProcessingStep) -> str:
    return STEP_ICONS[ProcessingStep.State(step.state)]


# Chip of tokens.css and icon of bootstrap-icons.
STATUS = {
    Conversation.Status.READY: ("chip-good", "bi-check-lg"),
    Conversation.Status.PROCESSING: ("chip-info", "bi-hourglass-split"),
    Conversation.Status.PARTIAL: ("chip-warn", "bi-exclamation-triangle"),
    Conversation.Status.FAILED: ("chip-bad", "bi-exclamation-octagon"),
}


@register.filter
def status_chip(conversation: Conversation) -> str:
    return STATUS[Conversation.Status(conversation.status)][0]


@register.filter
def status_icon(conversation: Conversation) -> str:
    return STATUS[Conversation.Status(conversation.status)][1]


@register.filter
def percent(share: float) -> int:
    """0.434 -> 43; never 100 before it is done."""
    return 100 if share >= 1 else min(99, max(0, round(share * 100)))


@register.inclusion_tag("conversations/ring.html")
def ring(done: int, total: int, label: str = "", size: str = "") -> dict[str, object]:
    """A ring that is ``done`` of ``total`` full; ``label`` names it, none hides it from readers."""
    return {
        "label": label,
        "size": size,
        "full": bool(total) and done >= total,
        "share": round(100 * done / total, 1) if total else 0,
    }
