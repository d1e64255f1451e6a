"""Taking fichas away: one person's, or all of a team for whoever coordinates it."""

from __future__ import annotations

import logging
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal.accounts.models import Team
from portal.accounts.queries import coordinated_by, signed_in
from portal.assessments.exports import formats
from portal.assessments.exports.formats import File, Format
from portal.assessments.exports.forms import TakingForm
from portal.conversations.errors import Refused
from portal.conversations.exports import notice
from portal.participants import queries as participants
from portal.participants.models import Participant
from portal.web.downloads import attached, in_turn

logger = logging.getLogger(__name__)


@require_safe
def participant(request: HttpRequest, pk: UUID, chosen: str) -> HttpResponseBase:
    person = get_object_or_404(participants.visible_to(signed_in(request)), pk=pk)
    if chosen not in Format.values:
        raise Http404
    try:
        return exported(request, person, Format(chosen))
    except Refused as refused:
        messages.warning(request, refused.public_message)
        return redirect("assessments:sheet", person.pk)


@require_safe
def teams(request: HttpRequest) -> HttpResponseBase:
    """The dialog; with a format chosen in it, the file."""
    teams = coordinated_by(signed_in(request))
    if not teams:
        raise Http404
    form = TakingForm(request.GET if "formato" in request.GET else None, teams=teams)
    if form.is_valid():
        try:
            return team_exported(
                request,
                form.cleaned_data["equipo"],
                Format(form.cleaned_data["formato"]),
                named=form.cleaned_data["nombres"],
            )
        except Refused as refused:
            form.add_error(None, refused.public_message)
    context = {"title": _("Llevarse las fichas"), "form": form, "notice": notice()}
    status = 422 if form.is_bound else 200
    return render(request, "assessments/take_all.html", context, status=status)


def exported(request: HttpRequest, person: Participant, chosen: Format) -> HttpResponseBase:
    """Raises Refused."""
    made = formats.of_participant(person, chosen)
    logger.info(
        "ficha of %s exported as %s by employee %s", person.pk, chosen, signed_in(request).pk
    )
    return _sent(request, made)


def team_exported(
    request: HttpRequest, team: Team, chosen: Format, *, named: bool
) -> HttpResponseBase:
    """Raises Refused."""
    employee = signed_in(request)
    made = formats.of_team(employee=employee, team=team, chosen=chosen, named=named)
    logger.info(
        "fichas of team %s exported as %s%s by employee %s",
        team.pk,
        chosen,
        " with names" if named else "",
        employee.pk,
    )
    return _sent(request, made)


def _sent(request: HttpRequest, made: File) -> HttpResponseBase:
    response: HttpResponseBase
    if request.method == "HEAD" or isinstance(made.content, bytes):
        content = made.content if isinstance(made.content, bytes) else b""
        response = HttpResponse(content, content_type=made.content_type)
    else:
        response = StreamingHttpResponse(in_turn(made.content), content_type=made.content_type)
    response["Content-Disposition"] = attached(made.name)
    return response
