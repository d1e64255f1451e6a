"""Striking a stretch out of a conversation, for good: its sound, its words, and what was made of
them.

At once, in one transaction: blocks in the place of the words, silence in what is played, and
nothing left in answers, evidence, titles, moments to review and the history of corrections. What
an undo puts back is kept in the `Redaction` alone, until its time is over; then `finality` writes
silence into the recording itself.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.accounts.models import Employee
from portal.conversations import filing
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, ProcessingStep, Transcript, Turn
from portal.conversations.refusals import check_consent
from portal.corrections import memory, played, striking, tasks
from portal.corrections.models import Redaction
from portal.corrections.striking import MARGIN, Stretch
from portal.participants import services as participants
from portal.speech.engines import base as speech
from portal.speech.quality import Moment
from portal.speech.silence import silence

HUNDREDTH = 0.01

logger = logging.getLogger(__name__)


@transaction.atomic
def strike(
    *,
    conversation: Conversation,
    employee: Employee,
    start: float,
    end: float,
    answers: Collection[int] = (),
    description: bool = False,
) -> Redaction:
    """Take out what is said from ``start`` to ``end`` (seconds), and a little on either side.

    What people wrote themselves stays, but for ``answers`` (ids) and, with ``description``, title
    and description, as far as they hold words that were said nowhere else. Raises Refused.
    """
    conversation = _locked(conversation)
    stretch = widened(conversation, start, end)
    if any(r.start <= stretch.start and stretch.end <= r.end for r in of(conversation)):
        raise Refused("already", _("Ese tramo ya está tachado."), status=409)
    redaction = Redaction.objects.create(
        conversation=conversation,
        start=stretch.start,
        end=stretch.end,
        made_by=employee,
        final_at=timezone.now() + timedelta(minutes=settings.ENV.redaction_undo_minutes),
    )
    changed = memory.take(redaction, answers=answers, description=description)
    memory.note(redaction, changed, employee)
    played.silence(conversation, stretch)
    participants.touch(conversation.participant)
    tasks.finish_at(redaction)
    _log(redaction, "struck", employee)
    return redaction


@transaction.atomic
def undo(*, redaction: Redaction, employee: Employee) -> None:
    """Put everything back, as long as its time is not over. Raises Refused."""
    conversation = _locked(redaction.conversation)
    check_consent(conversation.consent, conversation.participant)
    # Whoever makes it final has the row: not to be waited for, since it is too late then.
    rows = Redaction.objects.select_for_update(skip_locked=True, of=("self",))
    found = rows.filter(pk=redaction.pk, conversation=conversation).first()
    if found is None and not Redaction.objects.filter(pk=redaction.pk).exists():
        raise Refused("undone", _("Ese tachado ya se ha deshecho."), status=409)
    if found is None or found.final_at <= timezone.now():
        raise Refused(
            "final",
            _("El plazo para deshacerlo ha terminado: lo tachado ya no existe en ningún sitio."),
            status=409,
        )
    # Those struck later had what this one left: first they give back, last they take again.
    later = open_ones(conversation).filter(pk__gt=found.pk, final_at__gt=timezone.now())
    waiting = list(later.order_by("-pk"))
    changed = set[int]()
    for struck_last in (*waiting, found):
        changed |= memory.give_back(struck_last)
    for other in reversed(waiting):
        changed |= memory.take_again(other)
    memory.note(found, changed, employee)
    _log(found, "given back", employee)
    found.delete()
    played.make_again(conversation)
    participants.touch(conversation.participant)


def chosen(conversation: Conversation, first: float, last: float) -> tuple[float, float]:
    """From when to when the words are said that begin from ``first`` to ``last`` (seconds, in
    hundredths as a page has them); these seconds themselves where no word begins."""
    starts, ends = [], []
    for turn in Turn.objects.filter(transcript__conversation=conversation):
        times = [(start, end) for _word, start, end, *_ in turn.words] or [(turn.start, turn.end)]
        for start, end in times:
            if first - HUNDREDTH < start < last + HUNDREDTH:
                starts.append(start)
                ends.append(end)
    return min(starts, default=first), max(ends, default=last)


def widened(conversation: Conversation, start: float, end: float) -> Stretch:
    """The stretch that goes when these seconds are chosen. Raises Refused."""
    longest = end + MARGIN if conversation.duration is None else conversation.duration
    first, last = max(0.0, start - MARGIN), min(end + MARGIN, longest)
    if start < 0 or not first < last:
        raise Refused(
            "nothing",
            _("No hay nada que tachar ahí. Seleccione las palabras que quiere tachar."),
            status=422,
        )
    return Stretch(round(first, 3), round(last, 3))


def of(conversation: Conversation) -> QuerySet[Redaction]:
    return Redaction.objects.filter(conversation=conversation)


def open_ones(conversation: Conversation) -> QuerySet[Redaction]:
    """Those of which the recording still has the sound."""
    return of(conversation).filter(finished_at=None)


@contextmanager
def sound(conversation: Conversation) -> Iterator[Path]:
    """The recording on this machine, with nothing to be heard of what is struck."""
    stretches = [(r.start, r.end) for r in open_ones(conversation)]
    with filing.at_hand(str(conversation.recording.file.name)) as path:
        if not stretches:
            yield path
            return
        with TemporaryDirectory(dir=played.workshop()) as folder:
            yield silence(path, Path(folder) / "sound", stretches).path


def struck(conversation: Conversation, transcript: speech.Transcript) -> speech.Transcript:
    """What was heard anew, with a block for each stretch that was struck."""
    turns = list(transcript.turns)
    for stretch in [Stretch(r.start, r.end) for r in of(conversation)]:
        turns = _struck(turns, stretch)
    return replace(transcript, turns=tuple(turns))


def outside(conversation: Conversation, moments: Sequence[Moment]) -> list[Moment]:
    """Those that are not of a struck stretch, in which there is nothing to review."""
    stretches = [Stretch(r.start, r.end) for r in of(conversation)]
    return [m for m in moments if not any(s.holds(m.start, m.end) for s in stretches)]


def _struck(turns: Sequence[speech.Turn], stretch: Stretch) -> list[speech.Turn]:
    left, marked = [], False
    for turn in turns:
        said = _said(turn)
        taken = striking.strike(said, stretch)
        marked = marked or taken is not None or bool(striking.blocks(said, stretch))
        left.append(_turn(turn, taken.text, taken.words) if taken else turn)
    if not marked and left:
        middle = (stretch.start + stretch.end) / 2
        nearest = min(range(len(left)), key=lambda n: _distance(left[n], middle))
        turn = left[nearest]
        left[nearest] = _turn(
            turn, *striking.insert(_said(turn), striking.block(stretch.start, stretch.end))
        )
    return left


def _said(turn: speech.Turn) -> striking.Said:
    words = [[word.text, word.start, word.end, word.probability] for word in turn.words]
    return striking.Said(turn.start, turn.end, turn.text, words)


def _turn(turn: speech.Turn, text: str, words: list[list[Any]]) -> speech.Turn:
    return replace(turn, text=text, words=tuple(speech.Word(*word) for word in words))


def _distance(turn: speech.Turn, at: float) -> float:
    return max(turn.start - at, at - turn.end, 0.0)


def _locked(conversation: Conversation) -> Conversation:
    """With its transcript and steps, ours until the transaction ends: no step begins meanwhile,
    and no edit. Raises Refused."""
    rows = Conversation.objects.select_related("participant", "consent")
    # Nobody who only points at it has to wait, or it would be in turn for the transcript.
    locked = rows.select_for_update(of=("self",), no_key=True).get(pk=conversation.pk)
    states = list(locked.steps.select_for_update().values_list("state", flat=True))
    if ProcessingStep.State.RUNNING in states:
        raise Refused(
            "running",
            _("La conversación se está procesando. Espere a que termine y vuelva a intentarlo."),
            status=409,
        )
    Transcript.objects.select_for_update().filter(conversation=locked).first()
    return locked


def _log(redaction: Redaction, what: str, employee: Employee) -> None:
    logger.info(
        "%s: redaction %s, %.1f-%.1f s, %s by employee %s",
        redaction.conversation_id,
        redaction.pk,
        redaction.start,
        redaction.end,
        what,
        employee.pk,
    )
