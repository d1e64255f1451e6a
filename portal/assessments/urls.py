from __future__ import annotations

from django.urls import path

from portal.assessments import export_views, review_views, views

app_name = "assessments"

urlpatterns = [
    path("personas/<uuid:pk>/ficha/", views.sheet, name="sheet"),
    path("personas/<uuid:pk>/ficha/cambios/", views.changes, name="changes"),
    path("personas/<uuid:pk>/ficha/version/", views.newer_version, name="newer_version"),
    path(
        "personas/<uuid:pk>/ficha/<slug:domain>/aceptar/",
        review_views.accept_domain,
        name="accept_domain",
    ),
    path("respuestas/<int:pk>/", views.answer, name="answer"),
    path(
        "personas/<uuid:pk>/ficha/descargar/<str:chosen>/",
        export_views.participant,
        name="take",
    ),
    path("respuestas/<int:pk>/decision/", review_views.decide, name="decide"),
    path("respuestas/<int:pk>/historia/", views.history, name="history"),
    path("sugerencias/<int:pk>/", review_views.suggestion, name="suggestion"),
    path("fichas/descargar/", export_views.teams, name="take_all"),
]
