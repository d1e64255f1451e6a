from __future__ import annotations

from django.urls import path

from portal.inquiries import views

app_name = "inquiries"

urlpatterns = [
    path("conversaciones/<uuid:pk>/saber-mas/", views.conversation, name="conversation"),
    path("personas/<uuid:pk>/saber-mas/", views.participant, name="participant"),
    path("preguntas/<int:pk>/", views.inquiry, name="inquiry"),
    path("preguntas/<int:pk>/repetir/", views.again, name="again"),
    path("preguntas/<int:pk>/borrar/", views.delete, name="delete"),
]
