"""What people do to a transcript after it was made, and what a machine asks them to look at."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.conversations.models import Conversation, Turn


class Edit(models.Model):
    """One change of a transcript by a person, with what was there before and after.

    ``before`` and ``after`` are what the change touched, as `snapshots.take` writes it. They are
    personal data like the transcript itself, and a redaction removes its words from them.
    """

    class Kind(models.TextChoices):
        TEXT = "text", _("Texto corregido")
        SPLIT = "split", _("Intervención dividida")
        MERGE = "merge", _("Intervenciones unidas")
        MOVE = "move", _("Cambio de quién habla")
        SPEAKER = "speaker", _("Datos de quien habla")
        SWAP = "swap", _("Voces intercambiadas")
        UNDO = "undo", _("Cambio deshecho")
        # Of itself it keeps no word: what an undo puts back is in the Redaction.
        REDACTION = "redaction", _("Fragmento tachado, o recuperado")

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="edits")
    employee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    before = models.JSONField()
    after = models.JSONField()
    # The edit that this one takes back.
    undoes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="undone_by"
    )
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["conversation", "-id"])]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.kind} {self.made_at:%Y-%m-%d %H:%M}"


UNDONE_ELSEWHERE = (Edit.Kind.UNDO, Edit.Kind.REDACTION)
"""Kinds of edit that are not taken back as one."""


class Flag(models.Model):
    """A moment that a person should listen to: seconds of the audio, and why.

    Without a turn it is of a stretch of which nothing is written. A person clears it, by saying
    that it is right or by correcting it.
    """

    class Kind(models.TextChoices):
        MISSED = "missed", _("Se oye a alguien y no hay texto")
        GAP = "gap", _("Silencio largo")
        LOOP = "loop", _("Palabras repetidas")
        OVERLAP = "overlap", _("Hablan a la vez")
        NAME = "name", _("Nombre dudoso")
        NUMBER = "number", _("Cifra o fecha dudosa")
        LANGUAGE = "language", _("Cambio de idioma")
        SILENCE = "silence", _("Texto donde no se oye a nadie")

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="flags")
    turn = models.ForeignKey(
        Turn, null=True, blank=True, on_delete=models.SET_NULL, related_name="flags"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    start = models.FloatField()
    end = models.FloatField()
    # The doubtful words, as they stand in the turn.
    quote = models.CharField(max_length=200, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["start", "pk"]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.kind} {self.start:.1f}"


class Redaction(models.Model):
    """A stretch struck out, in seconds of the audio. What was said is nowhere in this row but in
    ``kept``, and there only until ``final_at``: after that nobody can bring it back."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="redactions"
    )
    start = models.FloatField()
    end = models.FloatField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField(auto_now_add=True)
    final_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    # What an undo puts back.
    kept = models.JSONField(default=dict)

    class Meta:
        ordering = ["start", "pk"]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.start:.1f}-{self.end:.1f}"
