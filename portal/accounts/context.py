from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def organisation(request: HttpRequest) -> dict[str, object]:
    """The name an organisation gave its portal, and whether it can send mail, for every page."""
    return {
        "organisation": settings.ENV.organisation,
        "sends_mail": settings.ENV.smtp_host is not None,
    }
