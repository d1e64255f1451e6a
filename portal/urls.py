from __future__ import annotations

from django.urls import include, path

from portal.api import api

urlpatterns = [
    path("api/", api.urls),
    path("cuenta/", include("allauth.account.urls")),
    path("", include("portal.accounts.urls")),
    path("", include("portal.participants.urls")),
    path("", include("portal.conversations.urls")),
    path("", include("portal.usage.urls")),
    path("", include("portal.assessments.urls")),
    path("", include("portal.inquiries.urls")),
    path("", include("portal.corrections.urls")),
    path("", include("portal.live.urls")),
    path("", include("portal.search.urls")),
    path("", include("portal.notifications.urls")),
    path("", include("portal.operations.urls")),
]
