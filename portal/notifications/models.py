from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.conversations.models import Conversation
from portal.participants.models import Participant


class Notification(models.Model):
    """ "Your conversation is ready", kept until it is opened, on whichever device.

    One of each kind for an employee and a conversation; of a consent, for them and the person.
    """

    class Kind(models.TextChoices):
        READY = "ready", _("La conversación está lista")
        PARTIAL = "partial", _("La conversación está lista, con avisos")
        FAILED = "failed", _("La conversación no se ha podido procesar")
        SUGGESTION = "suggestion", _("Hay sugerencias en la ficha")
        CONSENT = "consent", _("El consentimiento caduca")

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications"
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="notifications"
    )
    # None for what concerns the person alone.
    conversation = models.ForeignKey(
        Conversation, null=True, blank=True, on_delete=models.CASCADE, related_name="notifications"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    created_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["recipient", "opened_at", "-created_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "conversation"],
                condition=models.Q(kind__in=["ready", "partial", "failed"]),
                name="one_outcome_per_conversation",
            ),
            models.UniqueConstraint(
                fields=["recipient", "conversation"],
                condition=models.Q(kind="suggestion"),
                name="one_suggestion_per_conversation",
            ),
            models.UniqueConstraint(
                fields=["recipient", "participant"],
                condition=models.Q(kind="consent"),
                name="one_consent_per_participant",
            ),
        ]
        verbose_name = _("notificación")
        verbose_name_plural = _("notificaciones")

    def __str__(self) -> str:
        return f"{self.kind} {self.conversation_id or self.participant_id}"
