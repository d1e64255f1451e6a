from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from portal.accounts.queries import signed_in
from portal.conversations import queries, services
from portal.conversations.errors import Refused
from portal.web.fragments import is_fragment


@require_POST
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Try the failed steps again; htmx gets the card as it is now, a plain form the page."""
    employee = signed_in(request)
    conversation = get_object_or_404(queries.visible_to(employee), pk=pk)
    by_htmx = is_fragment(request)
    try:
        services.retry(conversation=conversation, employee=employee)
    except Refused as refused:
        if not by_htmx:  # the card says it by itself
            messages.warning(request, refused.public_message)
    if by_htmx:
        return redirect("conversations:card", conversation.pk)
    return redirect("conversations:participant", conversation.participant_id)
