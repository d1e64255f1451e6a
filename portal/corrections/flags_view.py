from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.queries import signed_in
from portal.conversations import queries as conversations
from portal.conversations import turn_view
from portal.conversations.models import Conversation, Transcript
from portal.corrections import flag_queries, flags
from portal.web.fragments import is_fragment


@require_safe
def moments(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The moments to review of a conversation, for htmx; else a page of their own."""
    conversation = get_object_or_404(
        conversations.visible_to(signed_in(request)).select_related(
            "participant__sheet", "created_by"
        ),
        pk=pk,
    )
    return _render(request, conversation)


@require_POST
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """It is right as it is or, with ``de_nuevo``, has to be looked at after all."""
    employee = signed_in(request)
    flag = get_object_or_404(flag_queries.visible_to(employee), pk=pk)
    if "de_nuevo" in request.POST:
        flags.reopen(flag=flag)
    else:
        flags.resolve(flag=flag, employee=employee)
    if not is_fragment(request):
        return redirect("corrections:flags", flag.conversation_id)
    return _render(request, flag.conversation, after=flag.pk)


def _render(
    request: HttpRequest, conversation: Conversation, after: int | None = None
) -> HttpResponse:
    """``after``: the moment that was just dealt with; the focus goes on from there."""
    transcript = Transcript.objects.filter(conversation=conversation).first()
    waiting, settled = flag_queries.shown(conversation)
    context = {
        **turn_view.context(conversation, transcript),
        "participant": conversation.participant,
        "has_conversations": True,
        "waiting": waiting,
        "settled": settled,
        "acted": after is not None,
        "focus": _next(waiting, after),
    }
    page = "flags" if is_fragment(request) else "flags_page"
    return render(request, f"corrections/{page}.html", context)


def _next(waiting: list[flag_queries.Shown], after: int | None) -> int | None:
    """The id of the moment to go on with: the one itself if it waits again, else the next one."""
    if after is None or not waiting:
        return None
    ids = [item.flag.pk for item in waiting]
    return next((pk for pk in ids if pk >= after), ids[-1])
