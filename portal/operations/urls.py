from __future__ import annotations

from django.urls import path

from portal.operations import health

urlpatterns = [path("salud/", health.health, name="health")]
