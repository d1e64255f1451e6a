from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal.accounts.models import Employee
from portal.accounts.queries import signed_in
from portal.participants import queries as participants
from portal.participants.models import Participant
from portal.search import meaning, queries
from portal.search.backends.base import SearchDown
from portal.search.forms import SearchForm
from portal.search.questions import Filters
from portal.web.fragments import is_fragment

RESULTS = "search-results"


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The dialog, or a page of its own; what is found alone, when htmx asks for that.

    ``persona`` is the only one that is looked at; ``aqui`` whose page one was on, who may be.
    """
    employee = signed_in(request)
    form = SearchForm(request.GET, employee=employee)
    question = form.asked()
    kind = form.cleaned_data.get("de", "")
    context = {
        "title": _("Buscar"),
        "form": form,
        "question": question,
        "text": form.cleaned_data.get("q", ""),
        "asked": bool(question),
        "narrowed": question.filters != Filters(),
        # Whose alone it is stands outside of the other filters.
        "unfolded": replace(question.filters, participant=None) != Filters(),
        "kind": kind,
    }
    if form.cleaned_data.get("significado"):
        lack = meaning.lacking()
        context["by_meaning"] = lack is None
        context["lacking"] = lack and lack.value
    try:
        if context.get("by_meaning"):
            context["groups"] = queries.find_meant(employee, question)
            context["waiting"] = bool(context["asked"]) and meaning.waiting() > 0
        else:
            context["groups"] = queries.find(employee, question, kind=kind)
    except SearchDown:
        context["down"] = True
    if is_fragment(request) and request.headers.get("HX-Target") == RESULTS:
        return render(request, "search/results.html", context)
    context["here"] = _here(employee, request.GET.get("persona") or request.GET.get("aqui", ""))
    return render(request, "search/search.html", context)


def _here(employee: Employee, pk: str) -> Participant | None:
    try:
        return participants.visible_to(employee).filter(pk=UUID(pk)).first()
    except ValueError:
        return None
