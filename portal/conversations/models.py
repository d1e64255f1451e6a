from __future__ import annotations

import uuid
from pathlib import PurePath

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.participants.models import Consent, Participant


class Conversation(models.Model):
    """One interview with one participant, from its audio to what was made of it."""

    class Status(models.TextChoices):
        PROCESSING = "processing", _("En proceso")
        READY = "ready", _("Lista")
        # Some steps worked and at least one did not: what worked is shown all the same.
        PARTIAL = "partial", _("Lista, con avisos")
        FAILED = "failed", _("No se ha podido procesar")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="conversations"
    )
    consent = models.ForeignKey(Consent, on_delete=models.RESTRICT, related_name="conversations")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.PROCESSING)
    title = models.CharField(_("título"), max_length=120, blank=True)
    description = models.CharField(_("descripción"), max_length=400, blank=True)
    # A person wrote them: no machine changes them any more.
    titled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    engine = models.CharField(_("motor"), max_length=30)
    # None lets the engine tell.
    language = models.CharField(_("idioma"), max_length=5, blank=True)
    # How many are to be told apart: an interpreter or a relative is one more.
    speakers = models.PositiveSmallIntegerField(default=2)
    duration = models.FloatField(_("duración en segundos"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("conversación")
        verbose_name_plural = _("conversaciones")
        indexes = [models.Index(fields=["participant", "-created_at"])]

    def __str__(self) -> str:
        return self.title or str(_("Conversación"))


def recording_path(recording: Recording, filename: str) -> str:
    """Named by ids alone: what a person calls a file may name a person."""
    suffix = PurePath(filename).suffix.lower()[:6]
    return f"{recording.conversation_id}/original{suffix}"


class Recording(models.Model):
    """The audio of a conversation, exactly as it was received."""

    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, related_name="recording"
    )
    file = models.FileField(upload_to=recording_path, max_length=200)
    original_name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    # Found by the probe step.
    codec = models.CharField(max_length=30, blank=True)
    sample_rate = models.PositiveIntegerField(null=True, blank=True)
    channels = models.PositiveSmallIntegerField(null=True, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.conversation_id}"


def playback_path(playback: Playback, filename: str) -> str:
    """A name of its own for each making, so that a player keeps what it has until it is told."""
    return f"{playback.conversation_id}/{filename}"


class Playback(models.Model):
    """What is played of a recording: 16 kHz mono Opus, and its waveform.

    ``peaks``: the loudest of each stretch, 0 to 100; all stretches are of one length.
    """

    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, related_name="playback"
    )
    file = models.FileField(upload_to=playback_path, max_length=200)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    duration = models.FloatField()
    peaks = models.JSONField(default=list)
    made_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.conversation_id}"


class Upload(models.Model):
    """A file on its way in (tus protocol); it becomes a Conversation when its last byte is here.

    ``offset`` bytes are safely on disk at ``path``; a broken sending goes on from there.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="uploads")
    consent = models.ForeignKey(Consent, on_delete=models.RESTRICT, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    filename = models.CharField(max_length=255)
    size = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    engine = models.CharField(max_length=30)
    language = models.CharField(max_length=5, blank=True)
    speakers = models.PositiveSmallIntegerField(default=2)
    created_at = models.DateTimeField(auto_now_add=True)
    # Set when the last byte arrived: the tus client may ask again and must get the same answer.
    conversation = models.ForeignKey(
        Conversation, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.id} {self.offset}/{self.size}"


class Gap(models.Model):
    """A stretch that is not in a live recording: its place (seconds into the audio) and length."""

    class Kind(models.TextChoices):
        PAUSED = "paused", _("Pausa")
        PRIVATE = "private", _("Pausa privada")
        INTERRUPTED = "interrupted", _("Interrupción")

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="gaps")
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.FloatField()
    seconds = models.FloatField()

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.kind} {self.at}"


class ProcessingStep(models.Model):
    """One step of the pipeline for one conversation; its order is that of pipeline/steps.py."""

    class State(models.TextChoices):
        WAITING = "waiting", _("En espera")
        RUNNING = "running", _("En marcha")
        DONE = "done", _("Hecho")
        FAILED = "failed", _("No ha funcionado")
        # A step before it failed, so it cannot be tried.
        SKIPPED = "skipped", _("No se ha intentado")

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=20)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    progress = models.FloatField(default=0.0)
    attempts = models.PositiveSmallIntegerField(default=0)
    # A sentence for the interviewer, never an exception's text.
    reason = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "name"], name="one_row_per_step")
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.name} {self.state}"


class Transcript(models.Model):
    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, related_name="transcript"
    )
    engine = models.CharField(max_length=30)
    model = models.CharField(max_length=80)
    language = models.CharField(max_length=5)
    duration = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.engine}"


class VoiceActivity(models.Model):
    """Where in a recording somebody is heard, whoever: `vad.packed`. Kept by itself, since nobody
    who reads a transcript needs it."""

    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, related_name="voice_activity"
    )
    probability = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.conversation_id}"


class Speaker(models.Model):
    """A voice of a transcript; its role is decided by how it talks, and by people."""

    class Role(models.TextChoices):
        EMPLOYEE = "empleado", _("Empleado/a")
        PARTICIPANT = "usuario", _("Persona usuaria")
        OTHER = "otro", _("Otra persona")

    transcript = models.ForeignKey(Transcript, on_delete=models.CASCADE, related_name="speakers")
    label = models.CharField(max_length=10)
    role = models.CharField(max_length=10, choices=Role, default=Role.OTHER)
    name = models.CharField(max_length=120, blank=True)
    # A person decided who this is: no machine changes it any more.
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transcript", "label"], name="one_speaker_per_label")
        ]

    def __str__(self) -> str:
        return self.name or self.get_role_display()


class Turn(models.Model):
    """Who said what, from when to when (seconds). ``words``: [text, start, end, probability]."""

    transcript = models.ForeignKey(Transcript, on_delete=models.CASCADE, related_name="turns")
    speaker = models.ForeignKey(Speaker, on_delete=models.RESTRICT, related_name="turns")
    position = models.PositiveIntegerField()
    start = models.FloatField()
    end = models.FloatField()
    text = models.TextField()
    words = models.JSONField(default=list)
    # One more at each change by a person: who edits says which one they saw.
    version = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["transcript", "position"], name="one_turn_per_position")
        ]

    def __str__(self) -> str:
        return f"{self.transcript_id}:{self.position}"
