"""Taking conversations away: one in a format, or all of a person in a zip."""

from __future__ import annotations

import logging
from pathlib import PurePath
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal.accounts.models import Employee
from portal.accounts.queries import signed_in
from portal.conversations import archive, audio_view, exports, filenames, queries
from portal.conversations.errors import Refused
from portal.conversations.exports import Format
from portal.conversations.models import Conversation
from portal.participants import queries as participants
from portal.participants.models import Participant
from portal.web.downloads import attached, in_turn

logger = logging.getLogger(__name__)


@require_safe
def conversation(request: HttpRequest, pk: UUID, chosen: str) -> HttpResponseBase:
    if chosen not in Format.values:
        raise Http404
    found = get_object_or_404(queries.exportable(signed_in(request)), pk=pk)
    try:
        return exported(request, found, Format(chosen))
    except Refused as refused:
        messages.warning(request, refused.public_message)
        return redirect("conversations:participant", found.participant_id)


@require_safe
def participant(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    employee = signed_in(request)
    person = get_object_or_404(participants.visible_to(employee), pk=pk)
    try:
        return zipped(request, employee, person)
    except Refused as refused:
        messages.warning(request, refused.public_message)
        return redirect("conversations:participant", person.pk)


def exported(request: HttpRequest, conversation: Conversation, chosen: Format) -> HttpResponseBase:
    """The file of a conversation as ``chosen``; sound in ranges, so that a browser can go on with
    what broke off. Raises Refused."""
    exports.check_consent(conversation)
    response: HttpResponseBase
    if chosen == Format.AUDIO:
        suffix = PurePath(str(exports.sound(conversation).name)).suffix
        name = filenames.of_conversation(conversation, suffix)
        try:
            response = audio_view.serve(request, conversation, disposition=attached(name))
        except Http404:
            raise exports.no_audio() from None
    else:
        content = exports.written(conversation, chosen)
        name = filenames.of_conversation(conversation, f".{chosen}")
        response = HttpResponse(content, content_type=exports.CONTENT_TYPES[chosen])
        response["Content-Disposition"] = attached(name)
    _noted(request, f"conversation {conversation.pk}", chosen)
    return response


def zipped(request: HttpRequest, employee: Employee, participant: Participant) -> HttpResponseBase:
    """All that is kept of a person's conversations. Raises Refused."""
    pieces = archive.of_participant(employee=employee, participant=participant)
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse(content_type="application/zip")
    else:
        response = StreamingHttpResponse(in_turn(pieces), content_type="application/zip")
    _noted(request, f"participant {participant.pk}", "zip")
    name = filenames.safe(participant.name, filenames.NAME)
    response["Content-Disposition"] = attached(
        " - ".join(filter(None, [name, _("conversaciones")])) + ".zip"
    )
    return response


def _noted(request: HttpRequest, what: str, chosen: str) -> None:
    logger.info("%s exported as %s by employee %s", what, chosen, signed_in(request).pk)
