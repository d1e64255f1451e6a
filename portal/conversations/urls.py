from __future__ import annotations

from django.urls import path

from portal.conversations import (
    audio_view,
    export_views,
    heading_view,
    steps_view,
    uploads,
    views,
)

app_name = "conversations"

urlpatterns = [
    path("personas/<uuid:pk>/", views.participant, name="participant"),
    path("personas/<uuid:pk>/subir/", views.upload, name="upload"),
    path("conversaciones/<uuid:pk>/", views.transcript, name="transcript"),
    path("conversaciones/<uuid:pk>/titulo/", heading_view.description, name="description"),
    path("conversaciones/<uuid:pk>/tarjeta/", views.card, name="card"),
    path("subidas/", uploads.uploads, name="uploads"),
    path("subidas/<uuid:pk>/", uploads.upload_detail, name="upload-detail"),
    path("conversaciones/<uuid:pk>/audio/", audio_view.audio, name="audio"),
    path("conversaciones/<uuid:pk>/proceso/", steps_view.outcome, name="outcome"),
    # Beside the other one: static/conversations/player.js finds it from there.
    path("conversaciones/<uuid:pk>/sonido/", audio_view.sound, name="sound"),
    path("conversaciones/<uuid:pk>/reintentar/", steps_view.retry, name="retry"),
    path("personas/<uuid:pk>/descargar/", export_views.participant, name="export-all"),
    path(
        "conversaciones/<uuid:pk>/descargar/<str:chosen>/",
        export_views.conversation,
        name="export",
    ),
]
