"""What is being made of a conversation, shown while it is made, and tried again."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event
from django_htmx.middleware import HtmxDetails

from portal.accounts.models import Employee
from portal.accounts.queries import signed_in
from portal.conversations import queries, retrying, views
from portal.conversations.errors import Refused
from portal.web.fragments import is_fragment

PANEL = "outcome"
"""Id of the panel of a transcript's page."""


@require_safe
def outcome(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The panel of a transcript's page, which asks for itself while there is something to wait
    for. ``?visto=`` names the transcript that the page shows: another one is brought or told."""
    return _panel(request, signed_in(request), pk)


@require_POST
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Try the failed steps again; htmx gets the card or the panel as it is now, a plain form the
    page. ``engine``: where a transcription that failed is tried."""
    employee = signed_in(request)
    conversation = get_object_or_404(queries.visible_to(employee), pk=pk)
    refusal = ""
    try:
        retrying.retry(
            conversation=conversation, employee=employee, engine=request.POST.get("engine") or None
        )
    except Refused as refused:
        refusal = refused.public_message
    if not is_fragment(request):
        if refusal:
            messages.warning(request, refusal)
        return redirect("conversations:participant", conversation.participant_id)
    by_panel = HtmxDetails(request).target == PANEL
    response = (_panel if by_panel else views.show_card)(request, employee, pk)
    if refusal:
        trigger_client_event(response, "toast", {"message": refusal, "level": "warning"})
    return response


def _panel(request: HttpRequest, employee: Employee, pk: UUID) -> HttpResponse:
    conversation = get_object_or_404(views.with_all_shown(queries.visible_to(employee)), pk=pk)
    context = {
        "conversation": conversation,
        "participant": conversation.participant,
        "has_conversations": True,
        "transcript": getattr(conversation, "transcript", None),
        "seen": request.GET.get("visto", ""),
        "fragment": True,
    }
    return render(request, "conversations/outcome_panel.html", context)
