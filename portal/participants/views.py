from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.queries import signed_in
from portal.participants import queries, services
from portal.participants.forms import ParticipantForm
from portal.participants.listing import listing, remember_sort
from portal.participants.models import Participant
from portal.web.fragments import go_to, is_fragment


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The person one was last busy with, or what to do when there is nobody yet."""
    participant = queries.last_interaction(signed_in(request))
    if participant is None:
        return render(request, "participants/home.html")
    return redirect("conversations:participant", participant.pk)


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """The list: a page of its own, or the rows htmx asks for (filter, order, the next ones)."""
    remember_sort(request)
    if is_fragment(request):
        return render(request, "participants/rows.html", listing(request, asked=request.GET))
    return render(request, "participants/list.html")


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    employee = signed_in(request)
    form = ParticipantForm(request.POST or None, employee=employee)
    similar: list[Participant] = []
    shown = ""
    if request.method == "POST" and form.is_valid():
        details = {name: form.cleaned_data[name] for name in ("name", "email", "phone")}
        shown = "|".join(details.values())
        # Whoever was shown these very details beside the similar people has decided.
        if request.POST.get("confirmed") != shown:
            similar = queries.similar_to(employee, **details)
        if not similar:
            participant = services.create_participant(
                employee=employee, team=form.chosen_team, **details
            )
            return _opened(request, participant)
    context = {
        "title": _("Añadir usuario"),
        "form": form,
        "similar": similar,
        "shown": shown,
        "has_team": employee.memberships.exists(),
    }
    return render(request, "participants/new.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    employee = signed_in(request)
    participant = get_object_or_404(queries.visible_to(employee), pk=pk)
    form = ParticipantForm(request.POST or None, instance=participant, employee=employee)
    if request.method == "POST" and form.is_valid():
        services.update_participant(participant=participant, **form.cleaned_data)
        return _opened(request, participant)
    context = {"title": _("Editar los datos"), "form": form, "participant": participant}
    return render(request, "participants/edit.html", context, status=422 if form.is_bound else 200)


def _opened(request: HttpRequest, participant: Participant) -> HttpResponse:
    return go_to(request, reverse("conversations:participant", args=[participant.pk]))
