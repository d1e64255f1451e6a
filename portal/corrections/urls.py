from __future__ import annotations

from django.urls import path

from portal.corrections import flags_view

app_name = "corrections"

urlpatterns = [
    path("conversaciones/<uuid:pk>/momentos/", flags_view.moments, name="flags"),
    path("momentos/<int:pk>/", flags_view.resolve, name="flag"),
]
