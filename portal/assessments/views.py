from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.models import Employee
from portal.accounts.queries import signed_in
from portal.assessments import queries, services, timeline, versions
from portal.assessments.forms import AnswerForm, posted_values
from portal.assessments.models import Answer
from portal.assessments.review_views import Then, saved
from portal.conversations.errors import Refused
from portal.participants import queries as participants
from portal.web.fragments import go_to, is_fragment


@require_safe
def sheet(request: HttpRequest, pk: UUID) -> HttpResponse:
    employee = signed_in(request)
    participant = get_object_or_404(participants.visible_to(employee), pk=pk)
    conversations = participant.conversations.count()
    if not conversations:
        return render(request, "assessments/empty.html", {"participant": participant})
    found = services.sheet_for(participant)
    interviews = timeline.of_sheet(found) if conversations > 1 else []
    context = {
        "participant": participant,
        "sheet": found,
        "domains": queries.by_domain(found, employee),
        "latest": interviews[0] if len(interviews) > 1 else None,
        "newer": queries.newer_for(found),
    }
    return render(request, "assessments/sheet.html", context)


@require_safe
def changes(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What has changed in a ficha from one interview to the next."""
    employee = signed_in(request)
    participant = get_object_or_404(participants.visible_to(employee), pk=pk)
    found = queries.sheets_visible_to(employee).filter(participant=participant).first()
    interviews = timeline.of_sheet(found) if found else []
    context = {"participant": participant, "interviews": interviews}
    return render(request, "assessments/changes.html", context)


@require_safe
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """All that one answer has been, as a dialog or a page."""
    found = get_object_or_404(queries.answers_visible_to(signed_in(request)), pk=pk)
    context = {
        "title": _("Historia de la respuesta"),
        "answer": found,
        "participant": found.sheet.participant,
        "entries": timeline.of_answer(found),
    }
    return render(request, "assessments/history.html", context)


@require_POST
def newer_version(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Bring the ficha to the version of the questionnaire that new ones are made from."""
    found = get_object_or_404(queries.sheets_visible_to(signed_in(request)), participant=pk)
    versions.move_sheet(sheet=found)
    messages.success(request, _("La ficha ya usa la versión nueva del cuestionario."))
    return go_to(request, reverse("assessments:sheet", args=[pk]))


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """One answer, for htmx alone and else as a page: as it is read, or with ``?editar`` as it
    is written. POST saves it."""
    employee = signed_in(request)
    found = get_object_or_404(queries.answers_visible_to(employee), pk=pk)
    if request.method == "POST":
        return _save(request, found, employee)
    if "editar" in request.GET:
        return _editor(request, found, value=found.value)
    [card] = queries.cards([found])
    return _render(request, "answer", {"answer": found, "suggestions": card.suggestions})


def _save(request: HttpRequest, found: Answer, employee: Employee) -> HttpResponse:
    form = AnswerForm(request.POST, answer=found)
    problems = []
    counted = queries.relevant_answers(found.sheet)
    if form.is_valid():
        try:
            services.edit_answer(
                answer=found,
                employee=employee,
                value=form.cleaned_data["value"],
                state=form.cleaned_data["state"] or None,
                seen=form.cleaned_data["seen"],
            )
        except ValidationError as error:
            problems = error.messages
        except Refused as refused:
            problems = [refused.public_message]
    else:
        problems = [str(text) for texts in form.errors.values() for text in texts]
    if problems:
        return _editor(request, found, value=request.POST.get("value", ""), problems=problems)
    return saved(request, found, employee, counted=counted, said=_("Guardado"), then=Then.NEXT)


def _editor(
    request: HttpRequest, found: Answer, *, value: str, problems: list[str] | None = None
) -> HttpResponse:
    context = {
        "answer": found,
        "value": value,
        "chosen": posted_values(request.POST) if problems else _names(found),
        "seen": found.version,
        "problems": problems or [],
    }
    return _render(request, "editor", context, status=422 if problems else 200)


def _names(found: Answer) -> list[str]:
    """What a control that chooses has, and a date's, which is written as ISO there."""
    if isinstance(found.typed, list):
        return [str(name) for name in found.typed]
    return [str(found.typed)] if found.typed is not None else []


def _render(
    request: HttpRequest, fragment: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    if not is_fragment(request):
        sheet = context["answer"].sheet
        context |= {"fragment": f"assessments/{fragment}.html", "participant": sheet.participant}
        return render(request, "assessments/answer_page.html", context, status=status)
    return render(request, f"assessments/{fragment}.html", context, status=status)
