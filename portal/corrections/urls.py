from __future__ import annotations

from django.urls import path

from portal.corrections import redaction_view

app_name = "corrections"

urlpatterns = [
    path("conversaciones/<uuid:pk>/tachar/", redaction_view.strike, name="strike"),
    path("conversaciones/<uuid:pk>/tachados/", redaction_view.redactions, name="redactions"),
    path(
        "conversaciones/<uuid:pk>/tachados/<int:number>/deshacer/",
        redaction_view.undo,
        name="undo-redaction",
    ),
]
