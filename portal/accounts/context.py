from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def organisation(request: HttpRequest) -> dict[str, str]:
    """The name an organisation gave its portal, for every page."""
    return {"organisation": settings.ENV.organisation}
