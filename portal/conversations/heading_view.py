"""The dialog in which a person gives a conversation its title and its description."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from portal.accounts.queries import signed_in
from portal.conversations import queries, revising
from portal.conversations.errors import Refused
from portal.conversations.forms import DescriptionForm
from portal.web.fragments import is_fragment


@require_http_methods(["GET", "HEAD", "POST"])
def description(request: HttpRequest, pk: UUID) -> HttpResponse:
    employee = signed_in(request)
    visible = queries.visible_to(employee).select_related("participant", "consent", "titled_by")
    conversation = get_object_or_404(visible.prefetch_related("steps"), pk=pk)
    form = DescriptionForm(request.POST or None, conversation=conversation, employee=employee)
    if form.is_valid():
        try:
            revising.edit_description(
                conversation=conversation,
                employee=employee,
                title=form.cleaned_data["title"],
                description=form.cleaned_data["description"],
            )
        except Refused as refused:
            form.add_error(None, refused.public_message)
        else:
            if not is_fragment(request):
                return redirect("conversations:transcript", conversation.pk)
            # In the place of what the page behind the dialog shows.
            context = {"conversation": conversation, "again": True}
            response = render(request, "conversations/heading.html", context)
            return trigger_client_event(response, "dialog-close")
    context = {
        "title": _("Título y descripción"),
        "form": form,
        "conversation": conversation,
        "participant": conversation.participant,
    }
    status = 422 if form.is_bound else 200
    return render(request, "conversations/description.html", context, status=status)
