"""Doing the open steps of a conversation: what is tried, again or not, and what is told."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from uuid import UUID

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal.conversations import retrying
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, ProcessingStep
from portal.conversations.refusals import check_consent
from portal.conversations.steps import OPEN
from portal.engine import EngineError
from portal.faults import kind_and_place
from portal.notifications import events as notifications
from portal.pipeline.outcomes import Interrupted, TryLater
from portal.pipeline.steps import AFTERWARDS, LAST, WORK, Step
from portal.speech.audio import BadAudio

logger = logging.getLogger(__name__)
State = ProcessingStep.State

WAITS = (5, 20, 60, 180)
"""Seconds before a second, third ... attempt at what may succeed later."""

MOST_ATTEMPTS = len(WAITS) + 1
PROGRESS_EVERY = 1.0
"""Seconds between two notes of progress in the database."""


def process(conversation_id: UUID, *, stopping: Callable[[], bool] = lambda: False) -> None:
    """Do every open step that can be done, in order.

    A conversation that is gone, or has no open step, needs nothing. Raises TryLater, Interrupted.
    """
    conversation = (
        Conversation.objects.select_related(
            "recording", "participant__team", "consent", "created_by"
        )
        .filter(pk=conversation_id)
        .first()
    )
    if conversation is None:
        return
    # Titles, reasons and messages are for the person who brought the recording.
    with translation.override(conversation.created_by.language):
        waits = [_advance(step, conversation, stopping) for step in WORK]
        if not any(waits):
            retrying.settle(conversation=conversation)
            waits = [_advance(step, conversation, stopping) for step in (LAST, AFTERWARDS)]
    if any(waits):
        raise TryLater(max(waits))


def _advance(step: Step, conversation: Conversation, stopping: Callable[[], bool]) -> int:
    """Bring one step as far as it goes now. Returns the seconds after which to try again, or 0."""
    rows = {row.name: row for row in conversation.steps.all()}
    row = rows.get(step.name)
    if row is None or row.state not in OPEN:
        return 0  # one that came here before there was such a step does without it
    needed = {rows[name].state for name in step.needs}
    if needed & {State.FAILED, State.SKIPPED}:
        row.state, row.reason = State.SKIPPED, _("No se ha podido: depende de un paso anterior.")
        row.save(update_fields=["state", "reason"])
        return 0
    if needed - {State.DONE}:
        return 1  # an earlier one waits for its next attempt, and says for how long
    if row.attempts >= MOST_ATTEMPTS:
        # It was running and never came to an end: it takes the worker with it.
        _fail(row, _("El equipo se ha parado varias veces en este paso. El audio está guardado."))
        step.given_up(conversation)
        return 0
    return _attempt(step, row, conversation, stopping)


def _attempt(
    step: Step, row: ProcessingStep, conversation: Conversation, stopping: Callable[[], bool]
) -> int:
    started = _mine(row).update(
        state=State.RUNNING,
        attempts=row.attempts + 1,
        progress=0.0,
        reason="",
        started_at=timezone.now(),
        finished_at=None,
    )
    if not started:
        raise Interrupted
    row.attempts += 1
    notifications.tell_activity(conversation.created_by_id)
    try:
        if step is not LAST:  # told whatever happens; everything else only with the person's yes
            conversation.consent.refresh_from_db()
            check_consent(conversation.consent, conversation.participant)
        said = step.run(conversation, _reporter(row, conversation, stopping)) or ""
    except Interrupted:
        _mine(row).update(state=State.WAITING, attempts=row.attempts - 1)
        raise
    except Exception as error:
        _log(error, conversation, step)
        if not connection.in_atomic_block:
            close_old_connections()  # it may have been the connection that failed
        if not may_succeed_later(error) or row.attempts >= MOST_ATTEMPTS:
            _fail(row, reason_of(error))
            step.given_up(conversation)
            return 0
        _mine(row).update(state=State.WAITING, reason=reason_of(error)[:300])
        return WAITS[row.attempts - 1]
    done = _mine(row).update(
        state=State.DONE, progress=1.0, reason=said[:300], finished_at=timezone.now()
    )
    if not done:
        raise Interrupted
    return 0


def _log(error: Exception, conversation: Conversation, step: Step) -> None:
    expected = isinstance(error, EngineError | BadAudio | Refused)
    said = type(error).__name__ if expected else kind_and_place(error)
    logger.warning("%s %s: %s", conversation.pk, step.name, said)


def may_succeed_later(error: Exception) -> bool:
    """A file that is no audio stays one; a network, a full disk or a database come back."""
    match error:
        case EngineError():
            return error.retryable
        case BadAudio() | FileNotFoundError():
            return False
        case OSError() | OperationalError() | InterfaceError():
            return True
        case _:
            return False


def reason_of(error: Exception) -> str:
    """A sentence for the interviewer, never an exception's text."""
    match error:
        case EngineError() | BadAudio() | Refused():
            return error.public_message
        case FileNotFoundError():
            return _("No se encuentra el archivo de audio en el almacén. Avise a quien administra.")
        case MemoryError():
            return _("Al equipo le falta memoria para este paso. El audio está guardado.")
        case OSError():
            return _("El equipo no ha podido leer o guardar un archivo. El audio está guardado.")
        case _:
            return _("Ha ocurrido un error en este paso. El audio está guardado.")


def _fail(row: ProcessingStep, reason: str) -> None:
    _mine(row).update(state=State.FAILED, reason=reason[:300], finished_at=timezone.now())


def _mine(row: ProcessingStep) -> QuerySet[ProcessingStep]:
    """The row as long as this attempt is the latest: a worker that was thought dead and is
    not must not undo what its successor did."""
    return ProcessingStep.objects.filter(pk=row.pk, attempts=row.attempts, state__in=OPEN)


def _reporter(
    row: ProcessingStep, conversation: Conversation, stopping: Callable[[], bool]
) -> Callable[[float], None]:
    noted = time.monotonic()

    def progress(share: float) -> None:
        nonlocal noted
        if stopping():
            raise Interrupted
        if time.monotonic() - noted < PROGRESS_EVERY:
            return
        noted = time.monotonic()
        try:
            still_mine = _mine(row).update(progress=min(max(share, 0.0), 1.0))
            notifications.tell_activity(conversation.created_by_id)
        except (OperationalError, InterfaceError):
            connection.close()  # an hour's transcription is not given up for a number
            return
        if not still_mine:
            raise Interrupted

    return progress
