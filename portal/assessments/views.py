from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.models import Employee
from portal.accounts.queries import signed_in
from portal.assessments import queries, services
from portal.assessments.forms import AnswerForm, version
from portal.assessments.models import Answer
from portal.participants import queries as participants
from portal.web.fragments import is_fragment


@require_safe
def sheet(request: HttpRequest, pk: UUID) -> HttpResponse:
    employee = signed_in(request)
    participant = get_object_or_404(participants.visible_to(employee), pk=pk)
    if not participant.conversations.exists():
        return render(request, "assessments/empty.html", {"participant": participant})
    found = services.sheet_for(participant)
    context = {
        "participant": participant,
        "sheet": found,
        "domains": queries.by_domain(found, employee),
    }
    return render(request, "assessments/sheet.html", context)


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
    return _render(request, "answer", {"answer": found})


def _save(request: HttpRequest, found: Answer, employee: Employee) -> HttpResponse:
    form = AnswerForm(request.POST, answer=found, employee_id=employee.pk)
    problems = []
    if form.is_valid():
        try:
            services.edit_answer(
                answer=found,
                employee=employee,
                value=form.cleaned_data["value"],
                state=form.cleaned_data["state"] or None,
            )
        except ValidationError as error:
            problems = error.messages
    else:
        problems = [str(text) for texts in form.errors.values() for text in texts]
    if problems:
        return _editor(request, found, value=request.POST.get("value", ""), problems=problems)
    if not is_fragment(request):
        page = reverse("assessments:sheet", args=[found.sheet.participant_id])
        return redirect(f"{page}#r-{found.pk}")
    saved = queries.answers_visible_to(employee).get(pk=found.pk)
    domain = next(
        group
        for group in queries.by_domain(saved.sheet, employee)
        if group.domain == saved.question.domain
    )
    context = {
        "answer": saved,
        "sheet": saved.sheet,
        "participant": saved.sheet.participant,
        "group": domain,
        "saved": True,
    }
    return render(request, "assessments/saved.html", context)


def _editor(
    request: HttpRequest, found: Answer, *, value: str, problems: list[str] | None = None
) -> HttpResponse:
    context = {
        "answer": found,
        "value": value,
        "seen": version(found),
        "problems": problems or [],
    }
    return _render(request, "editor", context, status=422 if problems else 200)


def _render(
    request: HttpRequest, fragment: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    if not is_fragment(request):
        sheet = context["answer"].sheet
        context |= {"fragment": f"assessments/{fragment}.html", "participant": sheet.participant}
        return render(request, "assessments/answer_page.html", context, status=status)
    return render(request, f"assessments/{fragment}.html", context, status=status)
