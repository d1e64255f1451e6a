"""Writes of inquiries: asking, asking again, deleting. `answering` is what the job does."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.accounts.models import Employee
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation
from portal.conversations.refusals import check_consent
from portal.inquiries import queries, tasks
from portal.inquiries.models import QUESTION_MAX, Inquiry
from portal.participants import services as participants
from portal.participants.models import Participant


@transaction.atomic
def ask(
    *,
    participant: Participant,
    conversation: Conversation | None = None,
    employee: Employee,
    question: str,
) -> Inquiry:
    """Ask one conversation or, without one, all of the participant's. A job answers; whoever asks
    looks again. Raises Refused."""
    question = " ".join(question.replace("\x00", "").split())  # PostgreSQL takes no null characters
    if not question:
        raise Refused("question_empty", _("Escriba la pregunta."), status=422)
    if len(question) > QUESTION_MAX:
        raise Refused(
            "question_long",
            _("La pregunta es demasiado larga: como mucho, %(most)d letras.")
            % {"most": QUESTION_MAX},
            status=422,
        )
    _check(participant, conversation)
    inquiry = Inquiry.objects.create(
        participant=participant, conversation=conversation, question=question, asked_by=employee
    )
    tasks.enqueue(inquiry.pk)
    participants.touch(participant)
    return inquiry


@transaction.atomic
def ask_again(*, inquiry: Inquiry, employee: Employee) -> Inquiry:
    """Look for the answer anew, in the transcripts as they are now. Raises Refused."""
    locked = Inquiry.objects.select_for_update(of=("self",)).filter(pk=inquiry.pk).first()
    if locked is None:
        raise Refused("gone", _("Esa pregunta ya no está: alguien la ha borrado."), status=409)
    _check(locked.participant, locked.conversation)
    locked.replies.all().delete()
    locked.state, locked.reason, locked.seconds = Inquiry.State.WAITING, "", None
    locked.unfinished = ""
    locked.asked_by, locked.asked_at = employee, timezone.now()
    locked.save()
    tasks.enqueue(locked.pk)
    participants.touch(locked.participant)
    return locked


def delete(*, inquiry: Inquiry) -> None:
    inquiry.delete()


def _check(participant: Participant, conversation: Conversation | None) -> None:
    """That there is something to ask. Raises Refused."""
    if conversation is not None:
        check_consent(conversation.consent, participant)
    if not queries.to_ask(participant, conversation):
        raise Refused(
            "not_transcribed",
            _("Todavía no hay ninguna transcripción a la que preguntar. Espere a que esté lista."),
            status=409,
        )
