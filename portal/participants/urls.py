from __future__ import annotations

from django.urls import include, path

from portal.participants import views

people = [
    path("", views.people, name="list"),
    path("nueva/", views.new, name="new"),
    path("<uuid:pk>/editar/", views.edit, name="edit"),
]

urlpatterns = [
    path("", views.home, name="home"),
    path("personas/", include((people, "participants"))),
]
