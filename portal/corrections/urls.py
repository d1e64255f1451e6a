from __future__ import annotations

from django.urls import path

from portal.corrections import dialogs, flags_view, redaction_view, views

app_name = "corrections"

urlpatterns = [
    path("conversaciones/<uuid:pk>/momentos/", flags_view.moments, name="flags"),
    path("momentos/<int:pk>/", flags_view.resolve, name="flag"),
    path("conversaciones/<uuid:pk>/cambios/", views.changes, name="changes"),
    path("conversaciones/<uuid:pk>/intervenciones/<int:turn>/texto/", views.text, name="text"),
    path("conversaciones/<uuid:pk>/intervenciones/<int:turn>/dividir/", views.split, name="split"),
    path("conversaciones/<uuid:pk>/intervenciones/<int:turn>/unir/", views.merge, name="merge"),
    path("conversaciones/<uuid:pk>/intervenciones/<int:turn>/voz/", views.move, name="move"),
    path(
        "conversaciones/<uuid:pk>/intervenciones/<int:turn>/historial/",
        dialogs.history,
        name="history",
    ),
    path(
        "conversaciones/<uuid:pk>/intervenciones/<int:turn>/deshacer/",
        views.undo,
        name="undo_turn",
    ),
    path("conversaciones/<uuid:pk>/voces/", dialogs.voices, name="voices"),
    path("conversaciones/<uuid:pk>/voces/nueva/", dialogs.new_voice, name="new_voice"),
    path("conversaciones/<uuid:pk>/correcciones/", dialogs.bar, name="bar"),
    path("conversaciones/<uuid:pk>/correcciones/<int:edit>/deshacer/", dialogs.undo, name="undo"),
    path("conversaciones/<uuid:pk>/tachar/", redaction_view.strike, name="strike"),
    path("conversaciones/<uuid:pk>/tachados/", redaction_view.redactions, name="redactions"),
    path(
        "conversaciones/<uuid:pk>/tachados/<int:number>/deshacer/",
        redaction_view.undo,
        name="undo_redaction",
    ),
    path("conversaciones/<uuid:pk>/analizar/", dialogs.analyse, name="analyse"),
]
