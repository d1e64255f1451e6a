"""The REST API: each app's router under one versioned address; who is asking is asked here.

The routers' modules have no deferred annotations: ninja reads them as functions are defined.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.security import django_auth

from portal.assessments.api import router as assessments
from portal.conversations.api import router as conversations
from portal.conversations.errors import Refused
from portal.inquiries.api import router as inquiries
from portal.participants.api import router as participants

api = NinjaAPI(
    title="Portal de conversaciones",
    version="1",
    description=(
        "Participants, conversations and fichas, with the same services and the same visibility as "
        "the pages. Sign in on the portal; writing calls need the CSRF token of that session."
    ),
    urls_namespace="api",
    docs_url="/docs",
    openapi_url="/openapi.json",
    auth=django_auth,
)
api.add_router("/v1", participants, tags=["participants"])
api.add_router("/v1", conversations, tags=["conversations"])
api.add_router("/v1", assessments, tags=["assessments"])
api.add_router("/v1", inquiries, tags=["inquiries"])


@api.exception_handler(Refused)
def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    return api.create_response(
        request, {"code": error.code, "detail": error.public_message}, status=error.status
    )


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return api.create_response(
        request, {"code": "invalid", "detail": " ".join(error.messages)}, status=422
    )


@api.exception_handler(PermissionDenied)
def denied(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return api.create_response(request, {"code": "denied", "detail": "Forbidden"}, status=403)
