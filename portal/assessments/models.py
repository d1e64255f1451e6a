from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Team
from portal.conversations.models import Conversation, Turn
from portal.participants.models import Participant


class Questionnaire(models.Model):
    """The predefined form. Without a team it is the one that every team starts with."""

    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.CASCADE, related_name="questionnaires"
    )
    slug = models.SlugField(max_length=60)
    name = models.CharField(_("nombre"), max_length=120)
    language = models.CharField(max_length=5, default="es")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "slug"], name="one_slug_per_team", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return self.name


class Domain(models.Model):
    """A group of questions with a colour (a key of tokens.css) and a bootstrap icon."""

    questionnaire = models.ForeignKey(
        Questionnaire, on_delete=models.CASCADE, related_name="domains"
    )
    slug = models.SlugField(max_length=40)
    name = models.CharField(_("ámbito"), max_length=80)
    colour = models.SlugField(max_length=20)
    icon = models.SlugField(max_length=40)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["questionnaire", "slug"], name="one_domain_per_slug")
        ]

    def __str__(self) -> str:
        return self.name


class Question(models.Model):
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="questions")
    slug = models.SlugField(max_length=60)
    text = models.CharField(_("pregunta"), max_length=300)
    # A gentle sentence to ask it with.
    prompt = models.CharField(max_length=300, blank=True)
    cues = models.JSONField(default=list, blank=True)
    examples = models.JSONField(default=list, blank=True)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["domain", "slug"], name="one_question_per_slug")
        ]

    def __str__(self) -> str:
        return self.text


class Sheet(models.Model):
    """A participant's ficha: one answer per question of its questionnaire."""

    participant = models.OneToOneField(Participant, on_delete=models.CASCADE, related_name="sheet")
    questionnaire = models.ForeignKey(
        Questionnaire, on_delete=models.PROTECT, related_name="sheets"
    )
    # Kept by services.py at every change, so that the list of people can draw its ring.
    answered = models.PositiveSmallIntegerField(default=0)
    total = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.participant_id}"


class Answer(models.Model):
    """What is known of one question. A person's answer is never changed by a machine."""

    class State(models.TextChoices):
        UNASKED = "unasked", _("Sin preguntar")
        ASKED = "asked", _("Preguntada, sin respuesta")
        ANSWERED = "answered", _("Respondida")
        DECLINED = "declined", _("Prefirió no contestar")

    class Origin(models.TextChoices):
        NONE = "", _("Nadie todavía")
        MACHINE = "machine", _("Propuesta automática")
        PERSON = "person", _("Escrita por una persona")

    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="answers")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="answers")
    state = models.CharField(max_length=10, choices=State, default=State.UNASKED)
    value = models.TextField(_("respuesta"), blank=True)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.NONE, blank=True)
    engine = models.CharField(max_length=30, blank=True)
    model = models.CharField(max_length=80, blank=True)
    confidence = models.FloatField(default=0.0)
    conversation = models.ForeignKey(
        Conversation, null=True, blank=True, on_delete=models.SET_NULL, related_name="answers"
    )
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["question__domain__position", "question__position"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "question"], name="one_answer_per_question")
        ]

    def __str__(self) -> str:
        return f"{self.sheet_id} {self.question_id} {self.state}"

    @property
    def is_open_to_machines(self) -> bool:
        return self.origin != self.Origin.PERSON and self.state in (
            self.State.UNASKED,
            self.State.ASKED,
        )

    def may_become(self, state: str) -> bool:
        """Whether a machine may move it there: forward only, and never past a person."""
        return self.is_open_to_machines and state not in (self.State.UNASKED, self.state)


class Evidence(models.Model):
    """The exact words an answer rests on, and where in the audio they are (seconds)."""

    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="evidence")
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="evidence")
    quote = models.TextField()
    start = models.FloatField()
    end = models.FloatField()
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.answer_id}:{self.position}"
