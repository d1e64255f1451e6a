"""The person's consent, asked once before anything is recorded or sent."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal.accounts.models import Employee
from portal.participants import services as participants
from portal.participants.forms import ConsentForm
from portal.participants.models import Consent, Participant

AGAIN = "consentimiento"


def valid_consent(participant: Participant) -> Consent | None:
    """The last one, if it is still good for something new."""
    last = next(iter(participant.consents.all()), None)  # what was said before it counts no more
    return last if last is not None and last.may_begin else None


def ask(
    request: HttpRequest, *, employee: Employee, participant: Participant, title: str, action: str
) -> Consent | HttpResponse:
    """The consent that is there or that a POST brings; else the page with the form for it, which
    is sent to ``action``. With ``?consentimiento`` one that is there is asked anew."""
    consent = valid_consent(participant)
    again = AGAIN in request.GET
    if consent is not None and not again:
        return consent
    if again:
        action = f"{action}?{AGAIN}"
    form = ConsentForm(request.POST or None, team=participant.team)
    if request.method == "POST" and form.is_valid():
        return participants.record_consent(
            participant=participant,
            employee=employee,
            language=form.cleaned_data["consent_language"],
            record=form.cleaned_data["record"],
            analyse=form.cleaned_data["analyse"],
            share=form.cleaned_data["share"],
            external=form.cleaned_data.get("external", False),
        )
    context = {"title": title, "participant": participant, "form": form, "action": action}
    status = 422 if request.method == "POST" else 200
    return render(request, "conversations/consent.html", context, status=status)
