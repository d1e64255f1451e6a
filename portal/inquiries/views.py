"""The box in which one asks, on a card, a transcript and a person's page; and a page of its own."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import reswap, retarget
from django_htmx.middleware import HtmxDetails

from portal.accounts.models import Employee
from portal.accounts.queries import signed_in
from portal.conversations import queries as conversations
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation
from portal.inquiries import queries, services
from portal.inquiries.forms import QuestionForm
from portal.inquiries.models import Inquiry
from portal.participants import queries as participants
from portal.participants.models import Participant
from portal.web.fragments import go_to, is_fragment

SLOW = timedelta(seconds=20)
"""After so long a question is said to take its time, and can be asked again."""


@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request: HttpRequest, pk: UUID) -> HttpResponse:
    employee = signed_in(request)
    visible = conversations.visible_to(employee).select_related(
        "participant__sheet", "consent", "created_by"
    )
    found = get_object_or_404(visible, pk=pk)
    asked = queries.of_conversation(employee, found)
    return _box(request, employee, asked, found.participant, found)


@require_http_methods(["GET", "HEAD", "POST"])
def participant(request: HttpRequest, pk: UUID) -> HttpResponse:
    employee = signed_in(request)
    visible = participants.visible_to(employee).select_related("sheet")
    person = get_object_or_404(visible, pk=pk)
    return _box(request, employee, queries.of_participant(employee, person), person)


def _box(
    request: HttpRequest,
    employee: Employee,
    asked: QuerySet[Inquiry],
    person: Participant,
    talk: Conversation | None = None,
) -> HttpResponse:
    """A POST asks. Else the page, or for htmx the list of what was asked, ``antes`` of an id."""
    form = QuestionForm(request.POST if request.method == "POST" else None)
    context = _page(person, talk, form)
    if form.is_valid():
        try:
            inquiry = services.ask(
                participant=person,
                conversation=talk,
                employee=employee,
                question=form.cleaned_data["question"],
            )
        except Refused as refused:
            form.add_error("question", refused.public_message)
        else:
            if not is_fragment(request):
                return go_to(request, _page_of(inquiry))
            form = QuestionForm(initial={"since": form.cleaned_data["since"] or inquiry.pk})
            context["form"] = form
    if not is_fragment(request):
        context |= _items(request, asked)
        status = 422 if form.errors else 200
        return render(request, "inquiries/page.html", context, status=status)
    if request.method != "POST":
        before = request.GET.get("antes", "")
        older = asked.filter(pk__lt=before) if before.isdecimal() else asked
        return render(request, "inquiries/items.html", _items(request, older))
    since = form["since"].value()
    shown = asked.filter(pk__gte=since) if str(since).isdecimal() else asked.none()
    context |= _items(request, shown) | {"asked": asked.count() - shown.count(), "since": since}
    status = 422 if form.errors else 200
    return render(request, "inquiries/box.html", context, status=status)


@require_safe
def inquiry(request: HttpRequest, pk: int) -> HttpResponse:
    """One question; for htmx, which asks again while it waits: there is nothing to show as long as
    nothing has changed, and nothing for a screen reader to say. An answer that is being written is
    shown from ``lleva`` letters on, and read out when it is whole."""
    visible = queries.visible_to(signed_in(request))
    found = get_object_or_404(visible, pk=pk)
    if not is_fragment(request):
        context = _page(found.participant, found.conversation, QuestionForm())
        context |= _items(request, visible.filter(pk=pk))
        return render(request, "inquiries/page.html", context)
    told_slow = "lenta" in request.GET
    if found.state == Inquiry.State.WAITING and _is_slow(found) == told_slow:
        if request.GET.get("lleva", "0") == str(len(found.unfinished)):
            return HttpResponse(status=204)
        context = {"inquiry": found, "slow": told_slow}
        grown = render(request, "inquiries/growing.html", context)
        return reswap(retarget(grown, "this"), "outerHTML")
    return _item(request, found)


@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    employee = signed_in(request)
    found = get_object_or_404(queries.visible_to(employee), pk=pk)
    problem = ""
    try:
        services.ask_again(inquiry=found, employee=employee)
    except Refused as refused:
        problem = refused.public_message
    if not is_fragment(request):
        return go_to(request, _page_of(found))
    found = get_object_or_404(queries.visible_to(employee), pk=pk)
    return _item(request, found, problem=problem, focused=True)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(queries.visible_to(signed_in(request)), pk=pk)
    page = _page_of(found)
    services.delete(inquiry=found)
    if not is_fragment(request):
        return go_to(request, page.partition("#")[0])
    return render(request, "inquiries/deleted.html")


def _page(person: Participant, talk: Conversation | None, form: QuestionForm) -> dict[str, object]:
    return {"participant": person, "conversation": talk, "has_conversations": True, "form": form}


def _item(
    request: HttpRequest, found: Inquiry, *, problem: str = "", focused: bool = False
) -> HttpResponse:
    context = {
        **_place(request),
        "shown": queries.shown([found])[0],
        "slow": _is_slow(found),
        "problem": problem,
        "focused": focused,
    }
    return render(request, "inquiries/item.html", context)


def _items(request: HttpRequest, asked: QuerySet[Inquiry]) -> dict[str, object]:
    return {**_place(request), "items": queries.shown(asked)}


def _place(request: HttpRequest) -> dict[str, object]:
    """``here``: the page that a fragment is for, whose turns need only be named."""
    return {"here": urlsplit(HtmxDetails(request).current_url or request.path).path}


def _is_slow(found: Inquiry) -> bool:
    return found.state == Inquiry.State.WAITING and timezone.now() - found.asked_at > SLOW


def _page_of(found: Inquiry) -> str:
    if found.conversation_id is not None:
        page = reverse("inquiries:conversation", args=[found.conversation_id])
    else:
        page = reverse("inquiries:participant", args=[found.participant_id])
    return f"{page}#pregunta-{found.pk}"
