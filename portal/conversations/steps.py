"""The steps from audio to ficha, as people see them; portal/pipeline/steps.py does them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.conversations.models import Conversation, ProcessingStep

State = ProcessingStep.State

OPEN = (State.WAITING, State.RUNNING)
"""States of a step that still has to be done."""


class StepName(models.TextChoices):
    """In the order in which they run. The labels say what is going on."""

    PROBE = "probe", _("Comprobando el audio")
    TRANSCRIBE = "transcribe", _("Transcribiendo")
    ATTRIBUTE = "attribute", _("Distinguiendo quién habla")
    ASSESS = "assess", _("Rellenando la ficha")
    DESCRIBE = "describe", _("Poniendo título")
    REVIEW = "review", _("Buscando momentos que revisar")
    NOTIFY = "notify", _("Avisando")
    PLAYBACK = "playback", _("Preparando el audio para escuchar")


NOT_WAITED_FOR = (StepName.NOTIFY, StepName.PLAYBACK)
"""Telling people, and a comfort that comes afterwards: the recording can be heard without it."""

PRODUCTS: dict[str, object] = {
    StepName.PROBE: _("Audio"),
    StepName.TRANSCRIBE: _("Transcripción"),
    StepName.ATTRIBUTE: _("Quién habla"),
    StepName.ASSESS: _("Ficha"),
    StepName.DESCRIBE: _("Título y resumen"),
    StepName.REVIEW: _("Momentos que revisar"),
    StepName.NOTIFY: _("Aviso"),
    StepName.PLAYBACK: _("Audio para escuchar"),
}
"""What each step makes, for a list of what there is and what is not."""


def status_of(steps: Iterable[ProcessingStep]) -> Conversation.Status:
    """What the steps amount to that people wait for."""
    states = {step.name: step.state for step in steps if step.name not in NOT_WAITED_FOR}
    if any(state in OPEN for state in states.values()):
        return Conversation.Status.PROCESSING
    if states[StepName.TRANSCRIBE] != State.DONE:
        return Conversation.Status.FAILED
    if all(state == State.DONE for state in states.values()):
        return Conversation.Status.READY
    return Conversation.Status.PARTIAL
