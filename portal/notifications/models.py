from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.conversations.models import Conversation


class Notification(models.Model):
    """ "Your conversation is ready", kept until it is opened, on whichever device."""

    class Kind(models.TextChoices):
        READY = "ready", _("La conversación está lista")
        PARTIAL = "partial", _("La conversación está lista, con avisos")
        FAILED = "failed", _("La conversación no se ha podido procesar")

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications"
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="notifications"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    created_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["recipient", "opened_at", "-created_at"])]
        verbose_name = _("notificación")
        verbose_name_plural = _("notificaciones")

    def __str__(self) -> str:
        return f"{self.kind} {self.conversation_id}"
