"""What can be found: for each kind, how it is read for an employee and drawn.

A kind is added by a class here, its rows for the index and its triggers (following.py).
"""

from __future__ import annotations

from typing import Any, Protocol

from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Employee
from portal.assessments.models import Answer
from portal.conversations import queries as conversations
from portal.conversations.models import Conversation, Turn
from portal.inquiries import queries as inquiries
from portal.inquiries.models import Inquiry
from portal.participants import queries as participants
from portal.participants.models import Participant


class Source(Protocol):
    """``template`` draws one, as ``thing``, with its ``marked`` texts in the order of `texts`."""

    kind: str
    model: type[Model]
    heading: Promise
    icon: str
    template: str
    # How many are shown beside the other kinds.
    shown: int

    def visible(self, employee: Employee) -> QuerySet[Any]:
        """Those the employee may see, with all that is drawn. It decides anew what an index has
        decided before."""
        ...

    def texts(self, thing: Any) -> tuple[str, ...]:
        """What of it was searched and is shown."""
        ...


class People(Source):
    kind = "person"
    model = Participant
    heading = _("Personas")
    icon = "bi-person"
    template = "search/person.html"
    shown = 5

    def visible(self, employee: Employee) -> QuerySet[Participant]:
        return participants.visible_to(employee)

    def texts(self, thing: Participant) -> tuple[str, ...]:
        return thing.name, thing.email


class Conversations(Source):
    kind = "conversation"
    model = Conversation
    heading = _("Conversaciones")
    icon = "bi-chat-left-text"
    template = "search/conversation.html"
    shown = 5

    def visible(self, employee: Employee) -> QuerySet[Conversation]:
        visible = conversations.visible_to(employee).filter(consent__withdrawn_at=None)
        return visible.select_related("participant")

    def texts(self, thing: Conversation) -> tuple[str, ...]:
        return thing.title, thing.description


class Turns(Source):
    kind = "turn"
    model = Turn
    heading = _("Lo que se dijo")
    icon = "bi-quote"
    template = "search/turn.html"
    shown = 8

    def visible(self, employee: Employee) -> QuerySet[Turn]:
        visible = Turn.objects.filter(
            transcript__conversation__in=conversations.visible_to(employee),
            transcript__conversation__consent__withdrawn_at=None,
        )
        drawn = ("participant", "created_by", "recording")
        return visible.select_related(
            "speaker", *(f"transcript__conversation__{part}" for part in drawn)
        ).defer("words")

    def texts(self, thing: Turn) -> tuple[str, ...]:
        return (thing.text,)


class Answers(Source):
    kind = "answer"
    model = Answer
    heading = _("Respuestas de las fichas")
    icon = "bi-clipboard-check"
    template = "search/answer.html"
    shown = 5

    def visible(self, employee: Employee) -> QuerySet[Answer]:
        visible = Answer.objects.filter(
            Q(conversation=None) | Q(conversation__consent__withdrawn_at=None),
            sheet__participant__in=participants.visible_to(employee),
        )
        return visible.select_related("question__domain", "sheet__participant")

    def texts(self, thing: Answer) -> tuple[str, ...]:
        return (thing.value,)


class Inquiries(Source):
    kind = "inquiry"
    model = Inquiry
    heading = _("Preguntas y respuestas de Saber más")
    icon = "bi-question-circle"
    template = "search/inquiry.html"
    shown = 5

    def visible(self, employee: Employee) -> QuerySet[Inquiry]:
        visible = inquiries.visible_to(employee).filter(
            Q(conversation=None) | Q(conversation__consent__withdrawn_at=None)
        )
        return visible.prefetch_related("replies__conversation__consent")

    def texts(self, thing: Inquiry) -> tuple[str, ...]:
        """The question and, as far as they are still proven, its answers."""
        standing = [
            reply.answer
            for reply in thing.replies.all()
            if reply.conversation.consent.withdrawn_at is None and inquiries.stands(reply)
        ]
        return thing.question, " · ".join(standing)


SOURCES: tuple[Source, ...] = (People(), Conversations(), Turns(), Answers(), Inquiries())
