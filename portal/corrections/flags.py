"""Writes of the moments to review: found by the pipeline, cleared by people."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from portal.accounts.models import Employee
from portal.conversations.models import Conversation, Turn
from portal.corrections.models import Flag
from portal.participants import services as participants
from portal.speech.quality import Moment

NEAR = 2.0
"""Seconds by which a moment may be found elsewhere the next time and still be the same."""


@transaction.atomic
def save(*, conversation: Conversation, moments: Sequence[Moment], turns: Sequence[Turn]) -> None:
    """Keep ``moments``, found in ``turns``, in place of those found before. What a person has
    dealt with stays so, and is not asked again."""
    Conversation.objects.select_for_update().get(pk=conversation.pk)
    flags = Flag.objects.filter(conversation=conversation)
    flags.filter(resolved_at=None).delete()
    settled = list(flags)
    Flag.objects.bulk_create(
        Flag(
            conversation=conversation,
            turn=None if moment.turn is None else turns[moment.turn],
            kind=moment.kind,
            start=moment.start,
            end=moment.end,
            quote=moment.quote,
        )
        for moment in moments
        if not any(_is_same(moment, flag) for flag in settled)
    )


def _is_same(moment: Moment, flag: Flag) -> bool:
    near = moment.start <= flag.end + NEAR and moment.end >= flag.start - NEAR
    return near and moment.kind == flag.kind and moment.quote.casefold() == flag.quote.casefold()


@transaction.atomic
def resolve(*, flag: Flag, employee: Employee) -> None:
    """A person listened, and it is right as it is. Done twice, the first one counts."""
    found = Flag.objects.select_for_update().get(pk=flag.pk)
    if found.resolved_at is None:
        _resolve([found], employee)
        participants.touch(found.conversation.participant)


@transaction.atomic
def reopen(*, flag: Flag) -> None:
    """It has to be looked at after all."""
    Flag.objects.filter(pk=flag.pk).update(resolved_at=None, resolved_by=None)
    participants.touch(flag.conversation.participant)


@transaction.atomic
def clear_for(*, turn: Turn, employee: Employee) -> None:
    """A person changed the words of ``turn``: what was doubted in it is settled, but for words
    that still stand there as they were."""
    doubted = Flag.objects.select_for_update().filter(turn=turn, resolved_at=None)
    _resolve([flag for flag in doubted if not flag.quote or flag.quote not in turn.text], employee)


def _resolve(flags: Sequence[Flag], employee: Employee) -> None:
    for flag in flags:
        flag.resolved_at, flag.resolved_by = timezone.now(), employee
    Flag.objects.bulk_update(flags, ["resolved_at", "resolved_by"])
