"""Striking on the transcript page: the dialog that asks, the list of what is struck, and undo."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import reswap, trigger_client_event

from portal.accounts.models import Employee
from portal.accounts.queries import signed_in
from portal.assessments import forgetting
from portal.conversations import queries
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation
from portal.corrections import memory, redaction
from portal.web.fragments import is_fragment

NOWHERE = (-1.0, -1.0)


@require_http_methods(["GET", "HEAD", "POST"])
def strike(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The dialog, and what is decided in it. ``desde`` and ``hasta`` (seconds) say where the
    first and the last selected word begin; ``visto`` what the turns were like when it was asked."""
    employee = signed_in(request)
    conversation = _conversation(employee, pk)
    sent = request.POST if request.method == "POST" else request.GET
    first, last = _selected(sent)
    start, end = redaction.chosen(conversation, first, last)
    problem = ""
    if request.method == "POST":
        try:
            if sent.get("visto") == _seen(conversation, start, end):
                made = redaction.strike(
                    conversation=conversation,
                    employee=employee,
                    start=start,
                    end=end,
                    answers=[int(n) for n in sent.getlist("respuestas") if n.isdecimal()],
                    description="titulo" in sent,
                )
                return _done(request, conversation, _struck_words(made.final_at > timezone.now()))
            problem = _(
                "Alguien ha corregido estas palabras mientras tanto. No se ha tachado nada: "
                "compruebe que es lo que quiere tachar."
            )
        except Refused as refused:
            problem = refused.public_message
    context = {"first": first, "last": last, "problem": problem}
    return _ask(request, conversation, start, end, context)


@require_safe
def redactions(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What is struck of a conversation, and until when it can be undone."""
    conversation = _conversation(signed_in(request), pk)
    context = {
        "conversation": conversation,
        "redactions": redaction.of(conversation).select_related("made_by"),
        "now": timezone.now(),
    }
    return render(request, "corrections/redactions.html", context)


@require_POST
def undo(request: HttpRequest, pk: UUID, number: int) -> HttpResponse:
    employee = signed_in(request)
    conversation = _conversation(employee, pk)
    found = get_object_or_404(redaction.of(conversation), pk=number)
    try:
        redaction.undo(redaction=found, employee=employee)
    except Refused as refused:
        return _done(request, conversation, refused.public_message, level="warning")
    return _done(request, conversation, _("Lo tachado ha vuelto a su sitio."))


def _conversation(employee: Employee, pk: UUID) -> Conversation:
    visible = queries.visible_to(employee).select_related("participant__sheet", "created_by")
    return get_object_or_404(visible, pk=pk)


def _selected(sent: QueryDict) -> tuple[float, float]:
    """Seconds; without usable ones, where nothing is said."""
    try:
        first, last = float(sent.get("desde", "")), float(sent.get("hasta", ""))
    except ValueError:
        return NOWHERE
    return (first, last) if math.isfinite(first) and math.isfinite(last) else NOWHERE


def _seen(conversation: Conversation, start: float, end: float) -> str:
    """The turns of a stretch, each with its version."""
    found = memory.look(conversation, redaction.widened(conversation, start, end))
    return " ".join(f"{turn.pk}:{turn.version}" for turn, _taken in found.turns)


def _ask(
    request: HttpRequest,
    conversation: Conversation,
    start: float,
    end: float,
    context: dict[str, Any],
) -> HttpResponse:
    context |= {
        "title": _("Tachar un fragmento"),
        "conversation": conversation,
        "participant": conversation.participant,
        "undo_minutes": settings.ENV.redaction_undo_minutes,
    }
    try:
        stretch = redaction.widened(conversation, start, end)
    except Refused as refused:
        context["problem"] = context["problem"] or refused.public_message
    else:
        found = memory.look(conversation, stretch)
        context |= {
            "stretch": stretch,
            "seconds": stretch.end - stretch.start,
            "found": [
                (turn.speaker, [piece.text for piece in taken.pieces])
                for turn, taken in found.turns
            ],
            "affected": forgetting.affected(
                conversation, gone=found.unproven, tells=found.traces.in_
            ),
            "inquiries": memory.inquiries_of(conversation, found),
            "described": found.traces.in_(f"{conversation.title}. {conversation.description}"),
            "seen": _seen(conversation, start, end),
        }
    status = 422 if context["problem"] and request.method == "POST" else 200
    return render(request, "corrections/strike.html", context, status=status)


def _struck_words(undoable: bool) -> str:
    if undoable:
        return _("Tachado: ya no se oye ni se lee. Puede deshacerlo desde la lista de tachados.")
    return _("Tachado: ya no se oye ni se lee.")


def _done(
    request: HttpRequest, conversation: Conversation, message: str, *, level: str = "success"
) -> HttpResponse:
    """Back to the page: its heading, and what else has to be brought up to date."""
    if not is_fragment(request):
        tell = messages.success if level == "success" else messages.warning
        tell(request, message)
        return redirect("conversations:transcript", conversation.pk)
    conversation.refresh_from_db()
    response = reswap(
        render(
            request,
            "conversations/heading.html",
            {"conversation": conversation, "again": True},
        ),
        "none",
    )
    for event in ("dialog-close", "transcript-changed", "moments"):
        trigger_client_event(response, event, {})
    trigger_client_event(response, "toast", {"message": message, "level": level})
    audio = reverse("conversations:audio", args=[conversation.pk])
    return trigger_client_event(response, "redacted", {"audio": audio})
