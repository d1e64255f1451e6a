from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Team
from portal.conversations.models import Conversation


class Charge(models.Model):
    """What one engine used up at once, for one conversation where there is one yet. ``recording``:
    the live one that it was for, whose conversation will have the same id.

    ``cost`` is in the currency of the settings, by the prices of that moment; None where the
    engine has no price. It says nothing of what was said, and outlives its conversation.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="charges")
    conversation = models.ForeignKey(
        Conversation, null=True, blank=True, on_delete=models.SET_NULL, related_name="charges"
    )
    recording = models.UUIDField(null=True, blank=True, db_index=True)
    engine = models.CharField(max_length=30)
    model = models.CharField(max_length=80, blank=True)
    seconds = models.FloatField(default=0.0)
    requests = models.PositiveIntegerField(default=0)
    tokens_in = models.PositiveBigIntegerField(default=0)
    tokens_out = models.PositiveBigIntegerField(default=0)
    tokens_cached = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    charged_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-charged_at"]
        indexes = [models.Index(fields=["team", "charged_at"])]
        verbose_name = _("consumo")
        verbose_name_plural = _("consumos")

    def __str__(self) -> str:
        return f"{self.team_id} {self.engine} {self.charged_at:%Y-%m-%d}"
