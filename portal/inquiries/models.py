"""Free questions over conversations ("Saber más"), and what answered them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.conversations.models import Conversation
from portal.participants.models import Participant

QUESTION_MAX = 300


class Inquiry(models.Model):
    """What somebody asked of one conversation or, without one, of all of a participant's."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Buscando la respuesta")
        FOUND = "found", _("Respondida")
        # Nothing that was said answers it.
        ABSENT = "absent", _("No se habla de eso")
        FAILED = "failed", _("No se ha podido buscar")

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="inquiries")
    conversation = models.ForeignKey(
        Conversation, null=True, blank=True, on_delete=models.CASCADE, related_name="inquiries"
    )
    question = models.CharField(_("pregunta"), max_length=QUESTION_MAX)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    # A sentence for who asked, never an exception's text.
    reason = models.CharField(max_length=300, blank=True)
    # An answer while it is written (`growing`): nobody has proven it yet.
    unfinished = models.TextField(blank=True)
    engine = models.CharField(max_length=30, blank=True)
    model = models.CharField(max_length=80, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    # How long the engine looked for it.
    seconds = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["participant", "-id"])]
        verbose_name = _("pregunta")
        verbose_name_plural = _("preguntas")

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"


class Reply(models.Model):
    """What one conversation answers, the likeliest first.

    ``evidence``: ``[{"quote", "start", "end"}]`` in seconds, as they stood when it was answered.
    Whether they still stand is looked up whenever it is shown (`queries.shown`), so that no edit
    of a transcript has to know of them.
    """

    inquiry = models.ForeignKey(Inquiry, on_delete=models.CASCADE, related_name="replies")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="replies")
    position = models.PositiveSmallIntegerField(default=0)
    answer = models.TextField()
    evidence = models.JSONField(default=list)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return f"{self.inquiry_id} {self.conversation_id}"
