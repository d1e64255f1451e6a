"""Part of a page, or all of it: what htmx asks for, and where it is sent next.

A boosted link or form (static/web/js/navigation.js) gets a whole page like any browser; other
requests of htmx get a fragment.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseRedirectBase
from django_htmx.http import HttpResponseLocation
from django_htmx.middleware import HtmxDetails


def is_fragment(request: HttpRequest) -> bool:
    htmx = HtmxDetails(request)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def context(request: HttpRequest) -> dict[str, bool]:
    """Context processor, for templates that are a dialog or a page."""
    return {"is_fragment": is_fragment(request)}


def go_to(request: HttpRequest, page: str) -> HttpResponseRedirectBase:
    """Redirect to a page, which may name a place in it: that a script must be told itself."""
    if HtmxDetails(request):
        return HttpResponseLocation(page, headers={"HX-Boosted": "true"})
    return HttpResponseRedirect(page)
