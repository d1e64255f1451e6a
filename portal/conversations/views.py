from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts import engines
from portal.accounts.models import Employee
from portal.accounts.queries import signed_in
from portal.conversations import audio_view, consent_view, queries, turn_view
from portal.conversations.forms import UploadForm
from portal.conversations.models import Conversation
from portal.participants import queries as participants
from portal.web.fragments import is_fragment

# Formats that are named to people and let through at once; any other may try as audio or video.
SUFFIXES = (*audio_view.TYPES, ".mov", ".wma", ".amr", ".3gp")


def with_all_shown(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """With what is drawn of one on a card and at the head of its page."""
    return (
        conversations.select_related(
            "participant__sheet", "created_by", "consent", "recording", "transcript"
        )
        .prefetch_related("steps")
        .annotate(
            # Each counted once: they are joined in one query.
            to_review=Count("flags", filter=Q(flags__resolved_at=None), distinct=True),
            suggested=Count("suggestions", filter=Q(suggestions__taken=None), distinct=True),
            asked=Count("inquiries", distinct=True),
        )
        .order_by("-created_at")  # the model's own order does not survive the counting
    )


@require_safe
def participant(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A person's page; htmx gets the cards alone. ``?conversacion=`` puts that one on top."""
    employee = signed_in(request)
    person = get_object_or_404(
        participants.visible_to(employee).select_related("sheet", "team"), pk=pk
    )
    cards = list(with_all_shown(queries.visible_to(employee).filter(participant=person)))
    first = request.GET.get("conversacion")
    cards.sort(key=lambda card: str(card.pk) != first)
    context = {
        "participant": person,
        "consent": person.consents.select_related("recorded_by").first(),
        "conversations": cards,
        "opened": first,
        "has_conversations": bool(cards),
        "exportable": any(card.consent.withdrawn_at is None for card in cards),
        # With one alone, its own card asks the same.
        "ask_all": sum(hasattr(card, "transcript") for card in cards) > 1,
        "asked_of_all": person.inquiries.filter(conversation=None).count(),
        "fragment": is_fragment(request),
    }
    page = "cards" if context["fragment"] else "participant"
    return render(request, f"conversations/{page}.html", context)


@require_safe
def card(request: HttpRequest, pk: UUID) -> HttpResponse:
    return show_card(request, signed_in(request), pk)


def show_card(request: HttpRequest, employee: Employee, pk: UUID) -> HttpResponse:
    conversation = get_object_or_404(with_all_shown(queries.visible_to(employee)), pk=pk)
    context = {
        "conversation": conversation,
        "participant": conversation.participant,
        "has_conversations": True,
        "fragment": True,
    }
    return render(request, "conversations/card.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The dialog: the person's consent, asked once, and then the file.

    A POST carries the consent. The file is sent by the browser to ``conversations:uploads``.
    """
    employee = signed_in(request)
    person = get_object_or_404(participants.visible_to(employee).select_related("team"), pk=pk)
    title = _("Subir una conversación")
    consent = consent_view.ask(
        request,
        employee=employee,
        participant=person,
        title=title,
        action=reverse("conversations:upload", args=[person.pk]),
    )
    if isinstance(consent, HttpResponse):
        return consent
    context = {
        "title": title,
        "participant": person,
        "consent": consent,
        "form": UploadForm(
            participant=person, default_engine=engines.preferred(employee, person.team)
        ),
        "max_bytes": settings.ENV.upload_max_bytes,
        "suffixes": " ".join(SUFFIXES),
        "accept": ",".join(("audio/*", "video/*", *SUFFIXES)),
    }
    return render(request, "conversations/upload.html", context)


@require_safe
def transcript(request: HttpRequest, pk: UUID) -> HttpResponse:
    visible = with_all_shown(queries.visible_to(signed_in(request)))
    conversation = get_object_or_404(visible, pk=pk)
    found = getattr(conversation, "transcript", None)
    context = {
        "conversation": conversation,
        "participant": conversation.participant,
        "has_conversations": True,
        "transcript": found,
        "seen": found.pk if found else "",
        "said": queries.said(found) if found else [],
        "speakers": list(found.speakers.order_by("label")) if found else [],
        **turn_view.context(conversation, found),
    }
    return render(request, "conversations/transcript.html", context)
