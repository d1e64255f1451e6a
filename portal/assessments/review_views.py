"""What a person decides of a proposal or a suggestion, and what the page shows then."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from portal.accounts.models import Employee
from portal.accounts.queries import signed_in
from portal.assessments import queries, review
from portal.assessments.models import Answer
from portal.conversations.errors import Refused
from portal.web.fragments import go_to, is_fragment


class Then(StrEnum):
    """Where the focus goes: to the next answer that waits for a person, or to this one."""

    NEXT = "next"
    HERE = "here"


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """``decision``: accept (what was ``seen``) or reject."""
    employee = signed_in(request)
    found = get_object_or_404(queries.answers_visible_to(employee), pk=pk)
    counted = queries.relevant_answers(found.sheet)
    try:
        match request.POST.get("decision"):
            case "accept":
                review.accept(answer=found, employee=employee, seen=request.POST.get("seen"))
                said, then = _("Aceptada"), Then.NEXT
            case "reject":
                review.reject(answer=found, employee=employee)
                said, then = _("Rechazada: la pregunta vuelve a estar abierta"), Then.HERE
            case _:
                return HttpResponseBadRequest()
    except Refused as refused:
        return saved(request, found, employee, counted=counted, problem=refused.public_message)
    return saved(request, found, employee, counted=counted, said=said, then=then)


@require_POST
def suggestion(request: HttpRequest, pk: int) -> HttpResponse:
    """``decision``: take or leave."""
    employee = signed_in(request)
    found = get_object_or_404(
        queries.suggestions_visible_to(employee).select_related("answer__sheet"), pk=pk
    )
    counted = queries.relevant_answers(found.answer.sheet)
    try:
        match request.POST.get("decision"):
            case "take":
                review.take(suggestion=found, employee=employee)
                said, then = _("Cambiada; la de antes está en la historia"), Then.NEXT
            case "leave":
                review.leave(suggestion=found, employee=employee)
                said, then = _("La respuesta se queda como está"), Then.HERE
            case _:
                return HttpResponseBadRequest()
    except Refused as refused:
        problem = refused.public_message
        return saved(request, found.answer, employee, counted=counted, problem=problem)
    return saved(request, found.answer, employee, counted=counted, said=said, then=then)


@require_POST
def accept_domain(request: HttpRequest, pk: UUID, domain: str) -> HttpResponse:
    """Accepts what the page was showing: ``seen`` are the answers' ids and versions."""
    employee = signed_in(request)
    sheet = get_object_or_404(
        queries.sheets_visible_to(employee).select_related("participant"), participant=pk
    )
    asked = dict(item.split("@", 1) for item in request.POST.getlist("seen") if "@" in item)
    seen = {int(key): version for key, version in asked.items() if key.isdecimal()}
    accepted = review.accept_domain(sheet=sheet, domain=domain, employee=employee, seen=seen)
    said = ngettext("%d respuesta aceptada", "%d respuestas aceptadas", accepted) % accepted
    left = len(seen) - accepted
    if left:
        said += ". " + _("Lo que había cambiado mientras miraba sigue como propuesta.")
    if not is_fragment(request):
        messages.success(request, said)
        return redirect(f"{reverse('assessments:sheet', args=[pk])}#d-{domain}")
    groups = queries.by_domain(sheet, employee)
    group = next((group for group in groups if group.domain.slug == domain), None)
    if group is None:
        return HttpResponseBadRequest()
    sheet.refresh_from_db()
    context = {
        "participant": sheet.participant,
        "sheet": sheet,
        "group": group,
        "oob": True,
        "domain_said": said,
    }
    return render(request, "assessments/domain_accepted.html", context)


def saved(
    request: HttpRequest,
    answer: Answer,
    employee: Employee,
    *,
    counted: Sequence[Answer],
    said: str = "",
    problem: str = "",
    then: Then = Then.HERE,
) -> HttpResponse:
    """The answer as it is now, with the counts that follow from it. Who comes without scripts goes
    back to the ficha, and so does everybody where other questions than the ``counted`` of before
    are asked now: all of the page is another."""
    now = queries.answers_visible_to(employee).get(pk=answer.pk)
    groups = queries.by_domain(now.sheet, employee)
    shown = [card.answer for group in groups for card in group.cards]
    stays = now in shown and {one.pk for one in shown} == {one.pk for one in counted}
    if not (is_fragment(request) and stays):
        if problem:
            messages.warning(request, problem)
        place = _next(now, shown) if then == Then.NEXT and is_fragment(request) else now
        page = reverse("assessments:sheet", args=[now.sheet.participant_id])
        return go_to(request, f"{page}#r-{place.pk}")
    group = next(group for group in groups if now in group.answers)
    card = next(card for card in group.cards if card.answer == now)
    context = {
        "answer": card.answer,
        "suggestions": card.suggestions,
        "sheet": now.sheet,
        "participant": now.sheet.participant,
        "group": group,
        "oob": True,
        "said": said,
        "problem": problem,
        "then": then,
    }
    return render(request, "assessments/saved.html", context, status=422 if problem else 200)


def _next(answer: Answer, shown: Sequence[Answer]) -> Answer:
    """The first after it that no person has decided, else this one."""
    after = shown[shown.index(answer) + 1 :] if answer in shown else ()
    return next((one for one in after if not one.is_reviewed), answer)
