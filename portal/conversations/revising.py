"""What a person does to a conversation that is there already: its title, and a second look."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from portal.accounts.models import Employee
from portal.conversations import retrying
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, ProcessingStep
from portal.conversations.refusals import check_consent
from portal.conversations.steps import OPEN, StepName
from portal.participants import services as participants

State = ProcessingStep.State

ANALYSIS = (StepName.ASSESS, StepName.DESCRIBE)
"""The steps that read nothing but the transcript."""


@transaction.atomic
def edit_description(
    *, conversation: Conversation, employee: Employee, title: str, description: str
) -> Conversation:
    """What a person calls it; from now on no machine does.

    Raises Refused, and ValidationError for what is too long.
    """
    check_consent(conversation.consent, conversation.participant)
    conversation.title, conversation.description = _one_line(title), _one_line(description)
    conversation.titled_by = employee
    written = {"title", "description", "titled_by"}
    others = {field.name for field in Conversation._meta.concrete_fields} - written
    conversation.clean_fields(exclude=others)
    conversation.save(update_fields=written)
    participants.touch(conversation.participant)
    return conversation


@transaction.atomic
def analyse_again(*, conversation: Conversation, employee: Employee) -> Conversation:
    """Look for a title, a description and answers anew, in the transcript as people left it. What
    people wrote themselves stays. Raises Refused."""
    conversation = Conversation.objects.select_for_update().get(pk=conversation.pk)
    states = dict(conversation.steps.values_list("name", "state"))
    if any(state in OPEN for state in states.values()):
        raise Refused(
            "running", _("La conversación ya se está procesando. Espere un momento."), status=409
        )
    if states.get(StepName.TRANSCRIBE) != State.DONE:
        raise Refused(
            "not_transcribed",
            _("Falta terminar de transcribirla. Reinténtelo desde la página de la persona."),
            status=409,
        )
    check_consent(conversation.consent, conversation.participant)
    again = conversation.steps.filter(name__in=[*ANALYSIS, StepName.NOTIFY])
    retrying.repeat(conversation=conversation, steps=again)
    participants.touch(conversation.participant)
    return conversation


def _one_line(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())  # PostgreSQL takes no null characters
