"""Corrections of turns by the script of the page (static/corrections/editing.js): JSON both ways,
as `page.update` writes it; refusals as ``{"code", "message"}``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.models import Employee
from portal.accounts.queries import signed_in
from portal.conversations import queries as conversations
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation
from portal.corrections import editing, page, queries, undoing
from portal.corrections.errors import Changed
from portal.corrections.forms import MergeForm, MoveForm, SplitForm, TextForm, TurnForm
from portal.corrections.models import Edit

Form = TypeVar("Form", bound=TurnForm)


def shown(request: HttpRequest, pk: UUID) -> tuple[Conversation, Employee]:
    """The conversation with what a page of it needs, and who is asking."""
    employee = signed_in(request)
    visible = conversations.visible_to(employee).select_related("participant", "created_by")
    return get_object_or_404(visible.prefetch_related("steps"), pk=pk), employee


@require_safe
def changes(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What is newer than ``?desde=`` (a revision); 204 when nothing is."""
    conversation, _employee = shown(request, pk)
    seen = request.GET.get("desde", "")
    since = int(seen) if seen.isdecimal() else 0
    if queries.revision(conversation) <= since:
        return HttpResponse(status=204)
    return JsonResponse(page.update(conversation, seen=since))


@require_POST
def text(request: HttpRequest, pk: UUID, turn: int) -> HttpResponse:
    def change(given: dict[str, Any], seen: dict[str, Any]) -> Edit | None:
        return editing.change_text(**seen, text=given["text"])

    return _change(request, pk, turn, TextForm, change)


@require_POST
def split(request: HttpRequest, pk: UUID, turn: int) -> HttpResponse:
    def change(given: dict[str, Any], seen: dict[str, Any]) -> Edit:
        return editing.split_turn(**seen, at=given["at"], speaker=given["speaker"])

    return _change(request, pk, turn, SplitForm, change)


@require_POST
def merge(request: HttpRequest, pk: UUID, turn: int) -> HttpResponse:
    def change(given: dict[str, Any], seen: dict[str, Any]) -> Edit:
        return editing.merge_turns(
            **seen, following=given["following"], following_seen=given["following_version"]
        )

    return _change(request, pk, turn, MergeForm, change)


@require_POST
def move(request: HttpRequest, pk: UUID, turn: int) -> HttpResponse:
    def change(given: dict[str, Any], seen: dict[str, Any]) -> Edit | None:
        return editing.move_turn(**seen, speaker=given["speaker"])

    return _change(request, pk, turn, MoveForm, change)


@require_POST
def undo(request: HttpRequest, pk: UUID, turn: int) -> HttpResponse:
    """Take back the latest change of a turn."""

    def change(given: dict[str, Any], seen: dict[str, Any]) -> Edit:
        conversation, employee = seen["conversation"], seen["employee"]
        latest = queries.standing(queries.of_turn(conversation, turn)).first()
        return undoing.undo(
            conversation=conversation, employee=employee, edit=latest.pk if latest else 0
        )

    return _change(request, pk, turn, TurnForm, change)


def _change(
    request: HttpRequest,
    pk: UUID,
    turn: int,
    form_class: type[TurnForm],
    change: Callable[[dict[str, Any], dict[str, Any]], Edit | None],
) -> HttpResponse:
    """``change`` takes what was sent, and what every service of editing asks for."""
    conversation, employee = shown(request, pk)
    form = form_class(request.POST)
    if not form.is_valid():
        message = _("No hemos entendido lo que pedía la página. Vuelva a cargarla.")
        return JsonResponse({"code": "malformed", "message": message}, status=400)
    given = form.cleaned_data
    seen = {
        "conversation": conversation,
        "employee": employee,
        "turn": turn,
        "seen": given["version"],
    }
    answer: dict[str, Any] = {}
    status = 200
    try:
        edit = change(given, seen)
        # The turns it left, in their order: where to go on.
        answer["touched"] = [row["id"] for row in edit.after["turns"]] if edit else [turn]
    except Changed as changed:
        answer |= {"code": changed.code, "message": changed.public_message, "turn": changed.turn}
        status = changed.status
    except Refused as refused:
        refusal = {"code": refused.code, "message": refused.public_message}
        return JsonResponse(refusal, status=refused.status)
    # Read anew: the steps and the speakers may be others now.
    conversation, _employee = shown(request, pk)
    newer = page.update(conversation, seen=given["revision"], also=answer.get("turn"))
    return JsonResponse(answer | newer, status=status)
