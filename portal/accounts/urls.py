from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import path

from portal.accounts import views

# One sign-in for all, with its rate limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("perfil/", views.profile, name="profile"),
    path("administracion/", admin.site.urls),
]
