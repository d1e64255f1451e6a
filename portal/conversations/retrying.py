"""Steps of a conversation put in line again, and the job that does them."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

from portal.accounts.models import Employee
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, ProcessingStep
from portal.conversations.refusals import check_consent, check_engine
from portal.conversations.steps import NOT_WAITED_FOR, OPEN, StepName, status_of
from portal.participants import services as participants

State = ProcessingStep.State


def enqueue(conversation: Conversation) -> None:
    """Ask the pipeline for the open steps. Part of the caller's transaction, whatever connection
    the worker itself uses; a second asking finds nothing to do."""
    configure_task(
        name="portal.pipeline.process",
        job_manager=JobManager(DjangoConnector()),
        queue="conversations",
        lock=f"conversation {conversation.pk}",
    ).defer(conversation_id=str(conversation.pk))


@transaction.atomic
def retry(
    *, conversation: Conversation, employee: Employee, engine: str | None = None
) -> Conversation:
    """Try again what did not work; what worked stays. ``engine``: another one for a transcription
    that failed, None for the same. Raises Refused."""
    conversation = Conversation.objects.select_for_update().get(pk=conversation.pk)
    steps = conversation.steps.all()
    if steps.exclude(name__in=NOT_WAITED_FOR).filter(state__in=OPEN).exists():
        raise Refused(
            "running", _("La conversación ya se está procesando. Espere un momento."), status=409
        )
    failed = steps.filter(state__in=[State.FAILED, State.SKIPPED])
    if not failed.exists():
        raise Refused(
            "nothing_failed", _("Todo ha funcionado: no hay nada que repetir."), status=409
        )
    check_consent(conversation.consent, conversation.participant)
    if engine is not None:
        if not failed.filter(name=StepName.TRANSCRIBE).exists():
            raise Refused(
                "transcribed",
                _("La transcripción ya está hecha: no hace falta elegir otro motor."),
                status=409,
            )
        check_engine(engine, conversation.participant)
        conversation.engine = engine
        conversation.save(update_fields=["engine"])
    # Who was told of a failure is told of its end; of what nobody waits for they were not.
    again = failed
    if failed.exclude(name__in=NOT_WAITED_FOR).exists():
        again = failed | steps.filter(name=StepName.NOTIFY)
    repeat(conversation=conversation, steps=again)
    participants.touch(conversation.participant)
    return conversation


def repeat(*, conversation: Conversation, steps: QuerySet[ProcessingStep]) -> None:
    """Put steps of a conversation back in line. Part of the caller's transaction."""
    steps.update(
        state=State.WAITING, attempts=0, progress=0.0, reason="", started_at=None, finished_at=None
    )
    settle(conversation=conversation)
    enqueue(conversation)


def settle(*, conversation: Conversation) -> Conversation:
    """Set the status to what the steps amount to."""
    conversation.status = status_of(conversation.steps.all())
    conversation.save(update_fields=["status"])
    return conversation
