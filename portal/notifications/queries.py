"""Reads of notifications, and of what is being processed."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from portal.accounts.models import Employee
from portal.assessments.models import Suggestion
from portal.conversations import queries as conversations
from portal.conversations.models import Conversation, ProcessingStep
from portal.conversations.steps import OPEN, StepName
from portal.notifications import pace
from portal.notifications.models import Notification
from portal.participants import queries as participants
from portal.participants.models import Consent

Kind = Notification.Kind


def visible_to(employee: Employee) -> QuerySet[Notification]:
    """Theirs, of people they may still see, with how many moments of each conversation are to be
    reviewed, and how much of it waits beside answers of the ficha.

    Without those that are settled: suggestions that are all decided, a consent given anew.
    """
    theirs = Notification.objects.filter(
        recipient=employee, participant__in=participants.visible_to(employee)
    )
    undecided = Suggestion.objects.filter(conversation=OuterRef("conversation"), taken=None)
    renewed = Consent.objects.filter(
        participant=OuterRef("participant"), given_at__gt=OuterRef("created_at")
    )
    settled = Q(kind=Kind.SUGGESTION) & ~Exists(undecided) | Q(kind=Kind.CONSENT) & Exists(renewed)
    to_review = Count(
        "conversation__flags", filter=Q(conversation__flags__resolved_at=None), distinct=True
    )
    waiting = Q(conversation__suggestions__taken=None)
    suggested = Count("conversation__suggestions", filter=waiting, distinct=True)
    return (
        theirs.exclude(settled)
        .select_related("conversation__participant", "participant")
        .annotate(to_review=to_review, suggested=suggested)
        .order_by("-created_at")  # counting makes Django forget the model's own order
    )


def unopened(employee: Employee) -> QuerySet[Notification]:
    return visible_to(employee).filter(opened_at=None)


@dataclass(frozen=True)
class InProgress:
    """A conversation of theirs with its running (or next) step; ``share`` of all the work, 0 to 1,
    and the seconds that are ``left``, if that can be known."""

    conversation: Conversation
    step: ProcessingStep
    share: float
    left: float | None

    @property
    def is_queued(self) -> bool:
        """Nobody has begun with it: another one is being done."""
        return self.step.name == StepName.PROBE and self.step.attempts == 0

    @property
    def waits_to_try_again(self) -> bool:
        """What it needs did not answer, and may later."""
        return self.step.state == ProcessingStep.State.WAITING and bool(self.step.reason)


def in_progress(employee: Employee) -> list[InProgress]:
    """What the employee brought and is still being worked on, telling them included, so that
    whoever waits for it to end finds the notification there."""
    awaited = ProcessingStep.objects.filter(state__in=OPEN).exclude(name=StepName.PLAYBACK)
    waiting = (
        conversations.visible_to(employee)
        .filter(created_by=employee, steps__in=awaited)
        .distinct()
        .select_related("participant")
        .prefetch_related("steps")
    )
    looked_at = (_progress(conversation) for conversation in waiting)
    return [found for found in looked_at if found is not None]


def _progress(conversation: Conversation) -> InProgress | None:
    """None for one that has ended since it was found."""
    steps = [step for step in conversation.steps.all() if step.name != StepName.PLAYBACK]
    current = next((step for step in steps if step.state in OPEN), None)
    if current is None:
        return None
    share, left = pace.share_and_left(
        steps, engine=conversation.engine, duration=conversation.duration
    )
    return InProgress(conversation, current, share, left)
