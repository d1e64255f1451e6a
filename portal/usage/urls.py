from __future__ import annotations

from django.urls import path

from portal.usage import views

app_name = "usage"

urlpatterns = [path("consumo/", views.month, name="month")]
