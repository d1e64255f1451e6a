from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _


class EmployeeManager(BaseUserManager["Employee"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Employee:
        employee = self.model(email=self.normalize_email(email).lower(), **fields)
        employee.set_password(password)
        employee.save(using=self._db)
        return employee

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Employee:
        return self.create_user(email, password, is_superuser=True, is_staff=True, **fields)


class Employee(AbstractBaseUser, PermissionsMixin):
    """Who signs in: an employee or volunteer of the organisation."""

    email = models.EmailField(_("correo electrónico"), unique=True)
    name = models.CharField(_("nombre"), max_length=120)
    language = models.CharField(
        _("idioma"), max_length=5, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    # Empty: the team's.
    default_engine = models.CharField(_("motor de transcripción"), max_length=30, blank=True)
    # How to be told, besides the bell.
    browser_notifications = models.BooleanField(_("avisos del navegador"), default=False)
    email_digest = models.BooleanField(_("resumen por correo"), default=False)
    digest_sent_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(_("activo"), default=True)
    is_staff = models.BooleanField(_("puede entrar en la administración"), default=False)
    created_at = models.DateTimeField(_("fecha de creación"), auto_now_add=True)

    objects: ClassVar[EmployeeManager] = EmployeeManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = _("empleado/a")
        verbose_name_plural = _("empleados/as")

    def __str__(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email

    @property
    def initials(self) -> str:
        return "".join(part[0] for part in self.name.split()[:2]).upper() or self.email[0].upper()

    @cached_property
    def coordinates_a_team(self) -> bool:
        """Asked once for a page, which offers several things to those who do."""
        roles = self.memberships.filter(role=Membership.Role.COORDINATOR)
        return self.is_active and roles.exists()


class Team(models.Model):
    """A local office. Who is in it sees its participants, and nobody else does."""

    name = models.CharField(_("nombre"), max_length=120, unique=True)
    members = models.ManyToManyField(
        Employee, through="Membership", related_name="teams", verbose_name=_("miembros")
    )
    external_services = models.BooleanField(
        _("puede usar servicios externos"),
        default=True,
        help_text=_(
            "De transcripción y de análisis, y solo con el consentimiento de cada persona. Sin "
            "esto, nada de lo que se dice sale de los equipos de la organización."
        ),
    )
    default_engine = models.CharField(
        _("motor de transcripción"),
        max_length=30,
        default="local",
        help_text=_("El que se ofrece primero a quien no ha elegido otro en su perfil."),
    )
    analysis_engine = models.CharField(
        _("motor de análisis"),
        max_length=30,
        default="extractive",
        help_text=_(
            "El que rellena las fichas y pone los títulos. Cuando no se puede usar, lo hace el de "
            "este equipo."
        ),
    )
    monthly_cap = models.DecimalField(
        _("gasto máximo al mes"),
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_(
            "En motores de fuera. Alcanzado el máximo, hasta el mes siguiente todo se hace en este "
            "equipo. Sin máximo, déjelo vacío."
        ),
    )
    created_at = models.DateTimeField(_("fecha de creación"), auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("equipo")
        verbose_name_plural = _("equipos")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    class Role(models.TextChoices):
        MEMBER = "member", _("Miembro")
        COORDINATOR = "coordinator", _("Coordinación")

    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("equipo")
    )
    employee = models.ForeignKey(
        Employee,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("empleado/a"),
    )
    role = models.CharField(_("función"), max_length=20, choices=Role, default=Role.MEMBER)

    class Meta:
        verbose_name = _("pertenencia a un equipo")
        verbose_name_plural = _("quién está en cada equipo")
        constraints = [
            models.UniqueConstraint(fields=["team", "employee"], name="one_membership_per_team")
        ]

    def __str__(self) -> str:
        return f"{self.employee} · {self.team}"
