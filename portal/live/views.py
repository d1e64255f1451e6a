"""The pages of a live recording and what they send; audio goes over the socket (consumers.py).

Scripts ask with ``Accept: application/json`` and get JSON, refusals as ``{"code", "message"}``;
forms are redirected, and a refusal is said on the page they come to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from portal.accounts import engines
from portal.accounts.queries import signed_in
from portal.conversations import consent_view
from portal.conversations.errors import Refused
from portal.conversations.forms import language_choices, speakers_choices
from portal.conversations.refusals import read_speakers
from portal.live import addresses, queries, services
from portal.live.models import LiveRecording
from portal.live.refusals import VOICE_BYTES, VOICE_ROLES, AlreadyOpen
from portal.participants import queries as participants
from portal.participants.models import Participant
from portal.participants.offers import can_be_asked, offers
from portal.web.fragments import is_fragment

P = ParamSpec("P")


def says_refusals(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refused as refused:
            answer = {"code": refused.code, "message": refused.public_message}
            if isinstance(refused, AlreadyOpen):
                answer["page"] = addresses.of(refused.recording)["page"]
            return JsonResponse(answer, status=refused.status)

    update_wrapper(wrapped, view)
    return wrapped


@require_http_methods(["GET", "HEAD", "POST"])
def prepare(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Before a recording: the person's consent, asked once, and then the page to begin from."""
    employee = signed_in(request)
    participant = get_object_or_404(participants.visible_to(employee), pk=pk)
    page = reverse("live:prepare", args=[participant.pk])
    consent = consent_view.ask(
        request,
        employee=employee,
        participant=participant,
        title=_("Grabar una conversación"),
        action=page,
    )
    if isinstance(consent, HttpResponse):
        return consent
    if is_fragment(request):
        return HttpResponseClientRedirect(page)  # a whole page, not a part of this one
    if request.method == "POST":
        return redirect(page)
    start = {"start": reverse("live:start", args=[participant.pk])}
    return _page(request, participant, None, consent=consent, addresses=start)


@require_POST
@says_refusals
def start(request: HttpRequest, pk: UUID) -> HttpResponse:
    employee = signed_in(request)
    participant = get_object_or_404(participants.visible_to(employee), pk=pk)
    most = VOICE_BYTES[1] + 1
    voices = {
        str(role): file.read(most)
        for role in sorted(VOICE_ROLES)
        if (file := request.FILES.get(f"voice_{role}")) is not None
    }
    recording = services.start(
        employee=employee,
        participant=participant,
        # Of what is good no more the last one, which says why.
        consent=consent_view.valid_consent(participant) or participant.consents.first(),
        engine=request.POST.get("engine", ""),
        language=request.POST.get("language", ""),
        speakers=read_speakers(request.POST.get("speakers", "2")),
        voices=voices,
    )
    return JsonResponse(addresses.of(recording), status=201)


@require_safe
def open_of(request: HttpRequest, pk: UUID) -> HttpResponse:
    """For the person's page: what of theirs is not ended yet."""
    employee = signed_in(request)
    participant = get_object_or_404(participants.visible_to(employee), pk=pk)
    recordings = queries.open_visible_to(employee).filter(participant=participant)
    context = {"participant": participant, "recordings": recordings.select_related("created_by")}
    return render(request, "live/open.html", context)


@require_safe
def recording(request: HttpRequest, pk: UUID) -> HttpResponse:
    """To go on with it, or to end it."""
    found = _found(request, pk)
    if found.conversation is not None:
        return redirect(addresses.conversation(found.conversation))
    return _page(
        request, found.participant, found, consent=found.consent, addresses=addresses.of(found)
    )


@require_POST
def finish(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = _found(request, pk)
    return _end(request, found, lambda: addresses.conversation(services.finish(recording=found)))


@require_POST
def discard(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = _found(request, pk)

    def gone() -> str:
        services.discard(recording=found)
        return addresses.person(found.participant)

    return _end(request, found, gone)


def _end(request: HttpRequest, found: LiveRecording, end: Callable[[], str]) -> HttpResponse:
    """``end`` gives where to go on."""
    for_script = request.accepts("application/json") and not request.accepts("text/html")
    if for_script:
        return says_refusals(lambda _request: JsonResponse({"url": end()}))(request)
    try:
        return redirect(end())
    except Refused as refused:
        messages.warning(request, refused.public_message)
        return redirect("live:recording", found.pk)


@require_POST
@says_refusals
def tick(request: HttpRequest, pk: UUID, question: str) -> HttpResponse:
    ticked = services.tick(
        recording=_found(request, pk),
        employee=signed_in(request),
        question=question,
        state=request.POST.get("state", ""),
    )
    return JsonResponse(queries.tick_messages([ticked])[0])


@require_safe
def bar(request: HttpRequest) -> HttpResponse:
    """For every page: recordings of one's own that wait to be continued or ended."""
    context = {"recordings": queries.interrupted_for(signed_in(request))}
    return render(request, "live/bar.html", context)


def _found(request: HttpRequest, pk: UUID) -> LiveRecording:
    visible = queries.visible_to(signed_in(request))
    return get_object_or_404(
        visible.select_related("participant", "consent", "conversation__participant"), pk=pk
    )


def _page(
    request: HttpRequest,
    participant: Participant,
    found: LiveRecording | None,
    **context: Any,
) -> HttpResponse:
    offered = offers(participant)
    told = queries.snapshot(found) if found is not None else {"turns": []}
    context |= {
        "participant": participant,
        "recording": found,
        "domains": queries.domains(participant, found),
        "turns": told["turns"],
        "gaps": queries.gaps(found) if found is not None else [],
        "languages": language_choices(),
        "speakers": speakers_choices(),
        "engines": [(offer.name, offer.label) for offer in offered if not offer.reason],
        "others": [offer for offer in offered if offer.reason],
        "can_be_asked": can_be_asked(participant),
        "default_engine": engines.preferred(signed_in(request), participant.team),
        "max_seconds": settings.ENV.live_max_seconds,
    }
    return render(request, "live/record.html", context)
