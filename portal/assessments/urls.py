from __future__ import annotations

from django.urls import path

from portal.assessments import views

app_name = "assessments"

urlpatterns = [
    path("personas/<uuid:pk>/ficha/", views.sheet, name="sheet"),
    path("respuestas/<int:pk>/", views.answer, name="answer"),
]
