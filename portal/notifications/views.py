from __future__ import annotations

import math
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from portal.accounts.queries import signed_in
from portal.conversations import retrying
from portal.conversations.errors import Refused
from portal.notifications import queries, services
from portal.notifications.models import Notification
from portal.web.fragments import go_to, is_fragment

SHOWN = 50
SHOWN_IN_MENU = 8


@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    """The page with all of them; htmx gets the bell with the unopened ones."""
    employee = signed_in(request)
    if is_fragment(request):
        unopened = queries.unopened(employee)
        context = {"count": unopened.count(), "notifications": unopened[:SHOWN_IN_MENU]}
        return render(request, "notifications/bell.html", context)
    context = {"notifications": queries.visible_to(employee)[:SHOWN]}
    return render(request, "notifications/list.html", context)


@require_safe
def no_stream(request: HttpRequest) -> HttpResponse:
    """In the place of `stream.Beside`, under a server that does not speak ASGI: pages that get
    nothing here ask from time to time."""
    return HttpResponse(status=204)


@require_POST
def open_notification(request: HttpRequest, pk: int) -> HttpResponse:
    """Clears it and goes to what it tells of."""
    notification = get_object_or_404(queries.visible_to(signed_in(request)), pk=pk)
    services.mark_opened(notification)
    return go_to(request, _place(notification))


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Tries again what failed, with the same engine, and goes there."""
    employee = signed_in(request)
    ended = queries.visible_to(employee).exclude(conversation=None)
    notification = get_object_or_404(ended, pk=pk)
    services.mark_opened(notification)
    assert notification.conversation is not None  # noqa: S101  # for the type checker
    try:
        retrying.retry(conversation=notification.conversation, employee=employee)
    except Refused as refused:
        messages.warning(request, refused.public_message)
    return go_to(request, _place(notification))


def _place(notification: Notification) -> str:
    """The person with that conversation on top, or the ficha with what is suggested."""
    person, conversation = notification.participant_id, notification.conversation_id
    if notification.kind == Notification.Kind.SUGGESTION:
        return reverse("assessments:sheet", args=[person])
    page = reverse("conversations:participant", args=[person])
    if conversation is None:
        return page
    query = QueryDict(mutable=True)
    query["conversacion"] = str(conversation)
    return f"{page}?{query.urlencode()}#c-{conversation}"


@require_safe
def activity(request: HttpRequest) -> HttpResponse:
    """The bar of what is being processed. Told of what moves, it asks again (and every two
    seconds without a stream); ``de`` names what it was showing, so that what ended is told once."""
    employee = signed_in(request)
    running = queries.in_progress(employee)
    still = {item.conversation.pk for item in running}
    watched = {pk for pk in map(_uuid, request.GET.getlist("de")) if pk is not None}
    ended = queries.unopened(employee).filter(conversation__in=watched - still)
    context = {
        "running": running,
        "share": sum(item.share for item in running) / len(running) if running else 0,
        "minutes": _minutes(running),
        "ended": ended,
    }
    response = render(request, "notifications/activity.html", context)
    if watched - still:
        trigger_client_event(response, "notifications", {})
        # The ring in the list of people has moved too.
        trigger_client_event(response, "people", {})
    return response


def _minutes(running: list[queries.InProgress]) -> int | None:
    """Left of all of them, which are done one after the other; None where nobody can know."""
    if not running or any(item.left is None for item in running):
        return None
    return math.ceil(sum(item.left or 0 for item in running) / 60)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
