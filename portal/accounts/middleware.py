from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.utils.translation import gettext as _


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Every view asks who is there unless it says otherwise: nobody gets in by omission.

    A page leads to the sign-in form. What a script asked for (htmx, an upload, the API) gets
    a 401 with a sentence instead: a form arriving in its place would be lost on it, and with
    it what the person was writing.
    """

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate" and (
            "HX-Request" not in request.headers and "Tus-Resumable" not in request.headers
        ):
            return super().handle_no_permission(request, view_func)
        return HttpResponse(
            _(
                "Su sesión ha terminado. Lo que ha escrito sigue en la pantalla: "
                "inicie sesión en otra pestaña y vuelva a intentarlo."
            ),
            status=401,
            content_type="text/plain; charset=utf-8",
        )


class EmployeeLanguageMiddleware:
    """Pages speak the language an employee chose in the profile, on every device."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = request.user.language
        return self.get_response(request)
