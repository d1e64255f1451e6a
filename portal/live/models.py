"""A recording while it is being made, and what was heard in it so far.

Its audio is not here but in journals on disk (`journal.py`), where each piece is safe before the
browser forgets it. When the recording ends, a Conversation is made of it (`services.finish`), and
only what people ticked by hand stays here, since the final pass must respect it.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.assessments.models import Answer, Question
from portal.conversations.models import Conversation, Speaker
from portal.participants.models import Consent, Participant

SILENT_FOR = timedelta(seconds=15)
"""Without a sign of life from the browser for so long, a recording counts as interrupted."""


class LiveRecording(models.Model):
    """One recording in progress; its id becomes that of the conversation."""

    class State(models.TextChoices):
        RECORDING = "recording", _("Grabando")
        PAUSED = "paused", _("En pausa")
        PRIVATE = "private", _("Pausa privada")
        STORED = "stored", _("Guardada")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="live_recordings"
    )
    consent = models.ForeignKey(Consent, on_delete=models.RESTRICT, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    # Of the final pass; what listens meanwhile is the recogniser's choice.
    engine = models.CharField(max_length=30)
    language = models.CharField(max_length=5, blank=True)
    speakers = models.PositiveSmallIntegerField(default=2)
    state = models.CharField(max_length=10, choices=State, default=State.RECORDING)
    # What was on disk when it was last noted, every few seconds: the journals know exactly.
    saved_ms = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField(default=timezone.now)
    # Whether a browser is at it; a web process that was killed cannot say that it is not.
    attended = models.BooleanField(default=True)
    # The middle of each voice, so that a recogniser that starts again knows them: label -> vector.
    voices = models.JSONField(default=dict)
    # What listened so far.
    heard_engine = models.CharField(max_length=30, blank=True)
    heard_model = models.CharField(max_length=80, blank=True)
    conversation = models.OneToOneField(
        Conversation,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="live_recording",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"

    @classmethod
    def locked(cls, pk: uuid.UUID) -> LiveRecording | None:
        """The row, ours until the transaction ends, with who it is of; None when it is gone."""
        rows = cls.objects.select_for_update(of=("self",))
        rows = rows.select_related("participant", "consent", "created_by")
        return rows.filter(pk=pk).first()

    @property
    def is_open(self) -> bool:
        return self.state != self.State.STORED

    @property
    def is_interrupted(self) -> bool:
        """No browser is at it, as far as is known."""
        silent = timezone.now() - self.seen_at > SILENT_FOR
        return self.is_open and (silent or not self.attended)

    @property
    def folder(self) -> Path:
        return Path(settings.MEDIA_ROOT) / "live" / str(self.pk)


class LivePart(models.Model):
    """What one browser recorded without a break of its own counting (`token` is that browser's).

    A recording that goes on on another device gets a further part, so that what the first device
    could not send yet still finds its place.
    """

    recording = models.ForeignKey(LiveRecording, on_delete=models.CASCADE, related_name="parts")
    token = models.UUIDField()
    number = models.PositiveSmallIntegerField()
    # Up to where the recogniser has committed what it heard, in samples of this part.
    heard_samples = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["recording", "token"], name="one_part_per_token"),
            models.UniqueConstraint(fields=["recording", "number"], name="one_part_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.recording_id}/{self.number}"

    @property
    def journal(self) -> Path:
        return self.recording.folder / f"{self.number:03d}.journal"


class LiveTurn(models.Model):
    """What the recogniser committed: its words never change, its speaker may.

    ``start`` and ``end`` are seconds from the start of its part; ``words`` as in Turn.
    """

    recording = models.ForeignKey(LiveRecording, on_delete=models.CASCADE, related_name="turns")
    part = models.ForeignKey(LivePart, on_delete=models.CASCADE, related_name="turns")
    position = models.PositiveIntegerField()
    speaker = models.CharField(max_length=10)
    role = models.CharField(
        max_length=10, choices=Speaker.Role, default=Speaker.Role.OTHER, blank=True
    )
    start = models.FloatField()
    end = models.FloatField()
    text = models.TextField()
    words = models.JSONField(default=list)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["recording", "position"], name="one_live_turn_per_position"
            )
        ]

    def __str__(self) -> str:
        return f"{self.recording_id}:{self.position}"


class LiveTick(models.Model):
    """What a recording says of one question so far; a person's tick is never moved by a machine.

    ``evidence``: ``[{"part": number, "start": s, "end": s, "quote": text}]``, the first the one to
    show. A question without a tick is unasked.
    """

    recording = models.ForeignKey(LiveRecording, on_delete=models.CASCADE, related_name="ticks")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=Answer.State, default=Answer.State.UNASKED)
    origin = models.CharField(max_length=10, choices=Answer.Origin)
    value = models.TextField(blank=True)
    evidence = models.JSONField(default=list)
    confidence = models.FloatField(default=0.0)
    engine = models.CharField(max_length=30, blank=True)
    model = models.CharField(max_length=80, blank=True)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recording", "question"], name="one_tick_per_question")
        ]

    def __str__(self) -> str:
        return f"{self.recording_id} {self.question_id} {self.state}"


class VoiceSample(models.Model):
    """A few seconds of one person, to tell the speakers apart; gone once the final pass did so.

    ``pcm``: 16 kHz mono s16le.
    """

    recording = models.ForeignKey(
        LiveRecording, on_delete=models.CASCADE, related_name="voice_samples"
    )
    role = models.CharField(max_length=10, choices=Speaker.Role)
    pcm = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recording", "role"], name="one_sample_per_role")
        ]

    def __str__(self) -> str:
        return f"{self.recording_id} {self.role}"
