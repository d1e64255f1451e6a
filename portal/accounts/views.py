from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.accounts import services
from portal.accounts.forms import ProfileForm
from portal.accounts.models import Membership
from portal.accounts.queries import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    employee = signed_in(request)
    form = ProfileForm(request.POST or None, instance=employee)
    if request.method == "POST" and form.is_valid():
        services.update_profile(employee=employee, **form.cleaned_data)
        # The answer already speaks the language that was just chosen.
        with translation.override(employee.language):
            messages.success(request, _("Su perfil se ha guardado."))
        return redirect("profile")
    # The form wrote what is not valid into the very object that the page's menu shows.
    if form.is_bound:
        employee.refresh_from_db()
    return render(
        request,
        "accounts/profile.html",
        {
            "form": form,
            "teams": employee.teams.all(),
            "coordinates": employee.memberships.filter(role=Membership.Role.COORDINATOR).exists(),
        },
        status=422 if form.is_bound else 200,
    )
