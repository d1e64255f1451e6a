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
    # A change makes a further version: fichas keep the one that they were answered with.
    version = models.PositiveSmallIntegerField(default=1)
    # Until then it is a draft that no ficha uses.
    published_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "slug", "version"],
                name="one_version_per_slug",
                nulls_distinct=False,
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
    # Language code -> name.
    translations = models.JSONField(default=dict, blank=True)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["questionnaire", "slug"], name="one_domain_per_slug")
        ]

    def __str__(self) -> str:
        return self.name


class Question(models.Model):
    class Kind(models.TextChoices):
        """Of what is answered, by XLSForm's names."""

        TEXT = "text", _("Texto")
        INTEGER = "integer", _("Número entero")
        DECIMAL = "decimal", _("Número con decimales")
        DATE = "date", _("Fecha")
        SELECT_ONE = "select_one", _("Una opción")
        SELECT_MULTIPLE = "select_multiple", _("Varias opciones")
        # Words to be read out; nothing is answered.
        NOTE = "note", _("Nota")

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="questions")
    slug = models.SlugField(max_length=60)
    text = models.CharField(_("pregunta"), max_length=300)
    # A gentle sentence to ask it with.
    prompt = models.CharField(max_length=300, blank=True)
    cues = models.JSONField(default=list, blank=True)
    examples = models.JSONField(default=list, blank=True)
    kind = models.CharField(_("tipo"), max_length=20, choices=Kind, default=Kind.TEXT)
    hint = models.CharField(_("ayuda"), max_length=300, blank=True)
    required = models.BooleanField(_("obligatoria"), default=False)
    # [{"name", "label"}], in order, of the two kinds that choose.
    choices = models.JSONField(default=list, blank=True)
    # XLSForm's condition under which it is asked, in the simple form that is understood; "" always.
    relevant = models.CharField(max_length=300, blank=True)
    # Language code -> {"text", "hint", "choices": {name: label}}.
    translations = models.JSONField(default=dict, blank=True)
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
    # Answered or declined, and a person has said that it is right.
    reviewed = models.PositiveSmallIntegerField(default=0)
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
    # The value as its question's kind has it (a number, an ISO date, names of choices); else None.
    typed = models.JSONField(null=True, blank=True)
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
    # Who said that it is right, by accepting or writing it.
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["question__domain__position", "question__position"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "question"], name="one_answer_per_question")
        ]

    def __str__(self) -> str:
        return f"{self.sheet_id} {self.question_id} {self.state}"

    @property
    def version(self) -> str:
        """Another one after every change: what a page was showing."""
        return self.updated_at.isoformat()

    @property
    def is_reviewed(self) -> bool:
        return self.reviewed_by_id is not None

    @property
    def is_machines(self) -> bool:
        """A machine's answer, reviewed or not."""
        return self.origin == self.Origin.MACHINE and self.state in (
            self.State.ANSWERED,
            self.State.DECLINED,
        )

    @property
    def is_proposal(self) -> bool:
        """A machine's answer of which nobody has decided."""
        return self.is_machines and not self.is_reviewed

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


class Suggestion(models.Model):
    """What a machine heard that differs from an answer which a person decided or an earlier
    interview gave. It stands beside the answer until a person takes or leaves it.

    ``evidence``: ``[{"turn": pk, "quote", "start", "end"}]``, the turn of ``conversation``.
    """

    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="suggestions")
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="suggestions"
    )
    state = models.CharField(max_length=10, choices=Answer.State)
    value = models.TextField(blank=True)
    typed = models.JSONField(null=True, blank=True)
    evidence = models.JSONField(default=list)
    engine = models.CharField(max_length=30)
    model = models.CharField(max_length=80, blank=True)
    confidence = models.FloatField(default=0.0)
    made_at = models.DateTimeField(auto_now_add=True)
    # None: nobody has decided.
    taken = models.BooleanField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["answer", "conversation"],
                condition=models.Q(taken=None),
                name="one_open_suggestion_per_conversation",
            )
        ]

    def __str__(self) -> str:
        return f"{self.answer_id} {self.state} {self.conversation_id}"


class AnswerChange(models.Model):
    """One change of an answer: what it became, by whom and from which interview. The first says
    how it began; together they are its history.

    ``evidence`` as in Suggestion.
    """

    class Action(models.TextChoices):
        PROPOSED = "proposed", _("Propuesta automática")
        TAKEN_BACK = "taken_back", _("Retirada: ya no la prueba ninguna frase")
        ACCEPTED = "accepted", _("Aceptada")
        EDITED = "edited", _("Escrita por una persona")
        REJECTED = "rejected", _("Rechazada")
        SUGGESTION_TAKEN = "suggestion", _("Sugerencia aceptada")
        ASKED = "asked", _("Marcada como preguntada")

    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="changes")
    action = models.CharField(max_length=12, choices=Action)
    state = models.CharField(max_length=10, choices=Answer.State)
    value = models.TextField(blank=True)
    evidence = models.JSONField(default=list)
    conversation = models.ForeignKey(
        Conversation, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    engine = models.CharField(max_length=30, blank=True)
    model = models.CharField(max_length=80, blank=True)
    employee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.answer_id} {self.action} {self.made_at:%Y-%m-%d}"
