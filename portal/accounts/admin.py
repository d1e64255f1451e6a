"""Accounts and teams, for administrators. Nothing about the people attended is shown here."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.accounts import engines
from portal.accounts.models import Employee, Membership, Team


class PortalAdmin(admin.AdminSite):
    """A site of its own: what other apps register for the common one does not appear here."""

    site_header = _("Administración del portal")
    site_title = _("Administración")
    index_title = _("Cuentas y equipos")


site = PortalAdmin(name="admin")
# One sign-in for all, with its rate limits.
site.login = secure_admin_login(site.login)  # type: ignore[method-assign]

# Only a full administrator makes another.
PRIVILEGES = ("is_staff", "is_superuser")


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 1
    autocomplete_fields = ("team", "employee")


class EmployeeCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = Employee
        fields = ("email", "name")
        field_classes: dict[str, type[forms.Field]] = {}

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if Employee.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError(_("Ya hay una cuenta con este correo."))
        return email


class EmployeeChangeForm(UserChangeForm):  # type: ignore[type-arg]
    class Meta:
        model = Employee
        fields = "__all__"
        field_classes: dict[str, type[forms.Field]] = {}

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if Employee.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("Ya hay una cuenta con este correo."))
        return email


@admin.register(Employee, site=site)
class EmployeeAdmin(UserAdmin):  # type: ignore[type-arg]
    form = EmployeeChangeForm
    add_form = EmployeeCreationForm
    inlines = (MembershipInline,)
    ordering = ("name",)
    list_display = ("name", "email", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "teams")
    search_fields = ("name", "email")
    filter_horizontal = ()
    readonly_fields = ("last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("email", "name", "password", "language")}),
        (_("Permisos"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Fechas"), {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "password1", "password2")}),
    )

    def get_readonly_fields(
        self, request: HttpRequest, obj: Employee | None = None
    ) -> tuple[str, ...]:
        fields = tuple(str(name) for name in super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else fields + PRIVILEGES

    def has_change_permission(self, request: HttpRequest, obj: Employee | None = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Employee | None = None) -> bool:
        """Accounts are deactivated, not deleted: what they wrote names its author."""
        return False


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Team
        fields = (
            "name",
            "external_services",
            "default_engine",
            "analysis_engine",
            "monthly_cap",
        )
        widgets = {"analysis_engine": forms.Select}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Only now: which engines can be used is looked up anew each time.
        self.fields["analysis_engine"].widget.choices = engines.analysis_choices()
        kept = self.instance.default_engine
        usable = dict(engines.choices())
        self.fields["default_engine"].widget = forms.Select(
            choices=[*usable.items(), *([] if kept in usable else [(kept, kept)])]
        )

    def clean_default_engine(self) -> str:
        engine = str(self.cleaned_data["default_engine"])
        if engine not in dict(engines.choices()):
            raise forms.ValidationError(
                _("Ese motor de transcripción no está disponible. Elija otro.")
            )
        return engine


@admin.register(Team, site=site)
class TeamAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = TeamForm
    inlines = (MembershipInline,)
    list_display = (
        "name",
        "external_services",
        "default_engine",
        "analysis_engine",
        "created_at",
    )
    search_fields = ("name",)


@admin.register(Membership, site=site)
class MembershipAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("employee", "team", "role")
    list_filter = ("team", "role")
    search_fields = ("employee__name", "employee__email", "team__name")
    autocomplete_fields = ("team", "employee")
