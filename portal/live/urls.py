from __future__ import annotations

from django.urls import path

from portal.live import views

app_name = "live"

urlpatterns = [
    path("personas/<uuid:pk>/grabar/", views.prepare, name="prepare"),
    path("personas/<uuid:pk>/grabaciones/", views.start, name="start"),
    path("personas/<uuid:pk>/grabaciones/abiertas/", views.open_of, name="open_of"),
    path("grabaciones/barra/", views.bar, name="bar"),
    path("grabaciones/<uuid:pk>/", views.recording, name="recording"),
    path("grabaciones/<uuid:pk>/terminar/", views.finish, name="finish"),
    path("grabaciones/<uuid:pk>/descartar/", views.discard, name="discard"),
    path("grabaciones/<uuid:pk>/preguntas/<slug:question>/", views.tick, name="tick"),
]
