from __future__ import annotations

from django.urls import path

from portal.notifications import views

app_name = "notifications"

urlpatterns = [
    path("notificaciones/", views.notifications, name="list"),
    path("notificaciones/<int:pk>/abrir/", views.open_notification, name="open"),
    path("notificaciones/novedades/", views.no_stream, name="news"),
    path("notificaciones/<int:pk>/reintentar/", views.retry, name="retry"),
    path("en-proceso/", views.activity, name="activity"),
]
