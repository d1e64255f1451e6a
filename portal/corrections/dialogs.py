"""Corrections by forms: who the voices are, the history of a turn, undoing, a second analysis.

They work as pages of their own too. The event ``transcript-changed`` has the page behind a dialog
fetch what is new (`views.changes`).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from portal.accounts.models import Employee
from portal.conversations import revising
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation
from portal.conversations.templatetags.conversations import speaker_name
from portal.corrections import editing, page, queries, snapshots, undoing
from portal.corrections import voices as services
from portal.corrections.forms import NewVoiceForm, VoiceForm
from portal.corrections.views import shown
from portal.web.fragments import is_fragment


@require_http_methods(["GET", "HEAD", "POST"])
def voices(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Names and roles of all voices, or, with ``intercambiar``, the two main ones exchanged."""
    conversation, employee = shown(request, pk)
    sent = request.POST if request.method == "POST" else None
    speakers = queries.speakers(conversation)
    forms = [VoiceForm(sent, speaker=speaker) for speaker in speakers]
    problem = ""
    if sent is not None and all(form.is_valid() for form in forms):
        try:
            _save_voices(request, conversation, employee, forms)
        except Refused as refused:
            problem = refused.public_message
        else:
            return _done(request, conversation)
    seen = queries.revision(conversation)
    context = {
        "title": _("Quién habla"),
        "conversation": conversation,
        "participant": conversation.participant,
        "forms": forms,
        # After a refusal the next try is made knowing what it says.
        "seen": seen,
        "problem": problem,
    }
    return render(request, "corrections/voices.html", context, status=422 if sent else 200)


@transaction.atomic
def _save_voices(
    request: HttpRequest, conversation: Conversation, employee: Employee, forms: list[VoiceForm]
) -> None:
    given = request.POST.get("seen", "")
    seen = int(given) if given.isdecimal() else 0
    who: dict[str, Any] = {"conversation": conversation, "employee": employee}
    if "intercambiar" in request.POST:
        services.swap_speakers(**who, seen=seen)
        return
    for form in forms:
        if form.has_changed() and form.speaker is not None:
            services.update_speaker(
                **who,
                speaker=form.speaker.pk,
                seen=seen,
                name=form.cleaned_data["name"],
                role=form.cleaned_data["role"],
            )


@require_http_methods(["GET", "HEAD", "POST"])
def new_voice(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One more voice; with ``?turn=`` and ``&version=`` it gets that turn at once."""
    conversation, employee = shown(request, pk)
    initial = {name: request.GET.get(name) for name in ("turn", "version")}
    form = NewVoiceForm(request.POST or None, initial=initial)
    if form.is_valid():
        given = form.cleaned_data
        who: dict[str, Any] = {"conversation": conversation, "employee": employee}
        try:
            with transaction.atomic():
                made, _edit = services.add_speaker(**who, name=given["name"], role=given["role"])
                if given["turn"] is not None:
                    seen = given["version"] or 0
                    editing.move_turn(**who, turn=given["turn"], seen=seen, speaker=made.pk)
        except Refused as refused:
            form.add_error(None, refused.public_message)
        else:
            return _done(request, conversation)
    context = {
        "title": _("Añadir otra voz"),
        "conversation": conversation,
        "participant": conversation.participant,
        "form": form,
    }
    status = 422 if form.is_bound else 200
    return render(request, "corrections/new_voice.html", context, status=status)


@require_safe
def history(request: HttpRequest, pk: UUID, turn: int) -> HttpResponse:
    """Who changed a turn, when, and how it was before."""
    conversation, _employee = shown(request, pk)
    names = {
        speaker.pk: speaker_name(speaker, conversation)
        for speaker in queries.speakers(conversation)
    }
    undoable = set(queries.standing(conversation.edits.all()).values_list("pk", flat=True))
    context = {
        "title": _("Cambios de esta intervención"),
        "conversation": conversation,
        "participant": conversation.participant,
        "turn": turn,
        "entries": [
            {
                "edit": edit,
                "before": _said(edit.before, names),
                "after": _said(edit.after, names),
                "undoable": edit.pk in undoable
                and snapshots.stands(edit.after, conversation.transcript),
            }
            for edit in queries.of_turn(conversation, turn)
        ],
    }
    return render(request, "corrections/history.html", context)


def _said(snapshot: snapshots.Snapshot, names: dict[int, str]) -> list[dict[str, str]]:
    return [
        {"speaker": names.get(row["speaker"], ""), "text": row["text"]} for row in snapshot["turns"]
    ]


@require_POST
def undo(request: HttpRequest, pk: UUID, edit: int) -> HttpResponse:
    conversation, employee = shown(request, pk)
    try:
        undoing.undo(conversation=conversation, employee=employee, edit=edit)
    except Refused as refused:
        return _done(request, conversation, problem=refused.public_message)
    return _done(request, conversation)


@require_safe
def bar(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the page says of corrections and analysis; it asks again while that runs."""
    conversation, _employee = shown(request, pk)
    context = page.bar(conversation) | {"was_running": "en-marcha" in request.GET}
    return render(request, "corrections/bar.html", context)


@require_POST
def analyse(request: HttpRequest, pk: UUID) -> HttpResponse:
    conversation, employee = shown(request, pk)
    problem = ""
    try:
        revising.analyse_again(conversation=conversation, employee=employee)
    except Refused as refused:
        problem = refused.public_message
    if not is_fragment(request):
        return _done(request, conversation, problem=problem)
    conversation, _employee = shown(request, pk)
    response = render(request, "corrections/bar.html", page.bar(conversation))
    if problem:
        trigger_client_event(response, "toast", {"message": problem, "level": "warning"})
    return trigger_client_event(response, "activity")


def _done(request: HttpRequest, conversation: Conversation, *, problem: str = "") -> HttpResponse:
    """To htmx, events for the page that is there; to a plain form, the page."""
    if not is_fragment(request):
        if problem:
            messages.warning(request, problem)
        return redirect(reverse("conversations:transcript", args=[conversation.pk]))
    response = HttpResponse(status=204)
    if problem:
        notice = {"message": problem, "level": "warning"}
        trigger_client_event(response, "toast", notice)
    trigger_client_event(response, "dialog-close")
    return trigger_client_event(response, "transcript-changed")
