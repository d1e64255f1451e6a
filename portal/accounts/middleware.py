from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.utils.translation import gettext as _

# The pages that describe the API are for those who are signed in, like every other page.
API_PAGES = {"openapi-view", "openapi-json"}


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Every view asks who is there unless it says otherwise: nobody gets in by omission.

    A page leads to the sign-in form. What a script asked for (htmx, an upload, the API) gets
    a 401 with a sentence instead: a form arriving in its place would be lost on it, and with
    it what the person was writing.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        if match is not None and match.namespace == "api" and match.url_name not in API_PAGES:
            return None  # The API asks by itself, once for all its operations (portal.api).
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(  # type: ignore[override]  # Django types only the redirect
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


class NoStoreMiddleware:
    """What a signed-in person saw must not come back with the "back" button after signing out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store, private"
        return response
