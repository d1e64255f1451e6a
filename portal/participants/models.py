from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Team


class Participant(models.Model):
    """A person who comes for help and is interviewed ("persona usuaria")."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="participants")
    name = models.CharField(_("nombre y apellidos"), max_length=120)
    email = models.EmailField(_("correo electrónico"))
    phone = models.CharField(_("teléfono"), max_length=30, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    # Any action with the person (conversation, answer edited, inquiry) moves it.
    last_interaction_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("persona usuaria")
        verbose_name_plural = _("personas usuarias")
        indexes = [
            models.Index(fields=["team", "-last_interaction_at"]),
            models.Index(fields=["team", "name"]),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        return "".join(part[0] for part in self.name.split()[:2]).upper()


class Consent(models.Model):
    """What a participant agreed to, when, and in which words; never edited, only withdrawn."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="consents")
    wording = models.TextField(_("texto leído"))
    language = models.CharField(_("idioma"), max_length=5)
    # Scopes: each is a separate yes.
    record = models.BooleanField(_("grabar la conversación"))
    analyse = models.BooleanField(_("tratarla con inteligencia artificial en este equipo"))
    share = models.BooleanField(_("compartirla con otros servicios"), default=False)
    external = models.BooleanField(_("tratarla con servicios externos"), default=False)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    given_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-given_at"]
        verbose_name = _("consentimiento")
        verbose_name_plural = _("consentimientos")

    def __str__(self) -> str:
        return f"{self.participant} · {self.given_at:%Y-%m-%d}"

    @property
    def is_valid(self) -> bool:
        return self.withdrawn_at is None and self.record and self.analyse

    @property
    def expires_at(self) -> datetime | None:
        """From then on it is asked anew before anything is recorded; what was said stays."""
        days: int = settings.ENV.consent_days
        return self.given_at + timedelta(days=days) if days else None

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def may_begin(self) -> bool:
        """Whether something new may be recorded or sent with it. What has begun may end with one
        that expires meanwhile."""
        return self.is_valid and not self.has_expired
