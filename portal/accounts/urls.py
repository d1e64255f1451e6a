from __future__ import annotations

from django.urls import path

from portal.accounts import views
from portal.accounts.admin import site

urlpatterns = [
    path("perfil/", views.profile, name="profile"),
    path("administracion/", site.urls),
]
