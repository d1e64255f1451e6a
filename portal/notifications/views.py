from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from portal.accounts.queries import signed_in
from portal.notifications import queries, services
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


@require_POST
def open_notification(request: HttpRequest, pk: int) -> HttpResponse:
    """Clears it and goes to the person, with that conversation on top."""
    notification = get_object_or_404(queries.visible_to(signed_in(request)), pk=pk)
    services.mark_opened(notification)
    conversation = notification.conversation
    page = reverse("conversations:participant", args=[conversation.participant_id])
    query = QueryDict(mutable=True)
    query["conversacion"] = str(conversation.pk)
    return go_to(request, f"{page}?{query.urlencode()}#c-{conversation.pk}")


@require_safe
def activity(request: HttpRequest) -> HttpResponse:
    """The bar of what is being processed. It asks again every two seconds while there is
    something; ``de`` names what it was showing, so that what ended is told once."""
    employee = signed_in(request)
    running = queries.in_progress(employee)
    still = {item.conversation.pk for item in running}
    watched = {pk for pk in map(_uuid, request.GET.getlist("de")) if pk is not None}
    ended = list(queries.unopened(employee).filter(conversation__in=watched - still))
    context = {
        "running": running,
        "share": sum(item.share for item in running) / len(running) if running else 0,
        "ended": ended,
    }
    response = render(request, "notifications/activity.html", context)
    if watched - still:
        trigger_client_event(response, "notifications", {})
        # The ring in the list of people has moved too.
        trigger_client_event(response, "people", {})
    return response


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
