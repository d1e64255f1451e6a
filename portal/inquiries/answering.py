"""Finding the answer to an inquiry: what the job does, in a worker.

The engine reads turns and nothing is locked meanwhile. When it is done, the transcripts are held
still and compared with what it read: an answer is kept only of words that stand there now, so
that nothing is kept of what was corrected or struck out in between.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from portal.analysis.engines.base import Reply as Said
from portal.analysis.engines.choosing import Done
from portal.analysis.grounding import ground_reply
from portal.analysis.text import content_stems, words
from portal.assessments import quotes
from portal.assessments.services import turns_for
from portal.conversations.models import Conversation, Transcript, Turn
from portal.engine import EngineError
from portal.faults import kind_and_place
from portal.inquiries import growing, queries
from portal.inquiries.models import Inquiry, Reply
from portal.participants.models import Consent
from portal.usage import analysing

logger = logging.getLogger(__name__)

LOOKS = 3
"""How often it is looked for while people write in the transcript."""


@dataclass(frozen=True, slots=True)
class _Found:
    conversation: Conversation
    turns: list[Turn]
    done: Done[Said]


def answer(inquiry_id: int) -> None:
    """Answer it, unless it is gone or has been answered. Raises what may succeed later."""
    inquiry = _waiting(inquiry_id)
    if inquiry is None:
        return
    with translation.override(inquiry.asked_by.language):
        try:
            _answer(inquiry)
        except (OperationalError, InterfaceError):
            raise
        except EngineError as error:
            logger.warning("inquiry %s: %s", inquiry_id, type(error).__name__)
            growing.wipe(inquiry_id)
            if error.retryable:
                Inquiry.objects.filter(pk=inquiry_id).update(reason=error.public_message[:300])
                raise
            _fail(inquiry, error.public_message)
        except Exception as error:
            logger.error("inquiry %s: %s", inquiry_id, kind_and_place(error))
            _fail(inquiry)


def give_up(inquiry_id: int) -> None:
    inquiry = _waiting(inquiry_id)
    if inquiry is not None:
        with translation.override(inquiry.asked_by.language):
            _fail(inquiry, inquiry.reason)


def _waiting(inquiry_id: int) -> Inquiry | None:
    waiting = Inquiry.objects.filter(pk=inquiry_id, state=Inquiry.State.WAITING)
    return waiting.select_related("participant", "conversation", "asked_by").first()


def _fail(inquiry: Inquiry, reason: str = "") -> None:
    reason = reason or _(
        "No hemos podido buscar la respuesta. La pregunta está guardada: vuelva a preguntar."
    )
    waiting = Inquiry.objects.filter(pk=inquiry.pk, state=Inquiry.State.WAITING)
    waiting.update(state=Inquiry.State.FAILED, reason=reason[:300], unfinished="")


def _answer(inquiry: Inquiry) -> None:
    started = time.monotonic()
    for _look in range(LOOKS):
        asked = queries.to_ask(inquiry.participant, inquiry.conversation)
        if not asked:
            _fail(
                inquiry,
                _("Ya no hay ninguna transcripción a la que preguntar con su consentimiento."),
            )
            return
        shown = growing.Growing(inquiry)
        found = [
            _ask(conversation, inquiry.question, shown)
            for one in asked
            # Read anew: while an engine was busy with the one before, consent may have gone.
            for conversation in queries.to_ask(inquiry.participant, one)
        ]
        if found and _keep(inquiry, found, time.monotonic() - started):
            return
    _fail(inquiry, _("Están corrigiendo la transcripción. Vuelva a preguntar en un momento."))


def _ask(conversation: Conversation, question: str, shown: growing.Growing) -> _Found:
    turns = growing.turns_of(conversation)
    analysis = analysing.for_participant(conversation.participant, consent=conversation.consent)
    shown.begin(conversation, turns)
    with closing(analysis.ask(turns_for(turns), question, conversation=conversation)) as answer:
        for piece in answer:
            if isinstance(piece, Done):
                shown.end(conversation, piece.value)
                return _Found(conversation, turns, piece)
            shown.add(conversation, piece)
    raise EngineError(_("El motor de análisis no ha dado ninguna respuesta."))


@transaction.atomic
def _keep(inquiry: Inquiry, found: Sequence[_Found], seconds: float) -> bool:
    """False, and nothing is kept, when a transcript is not what the engine read any more, or may
    not be asked any more."""
    asked = [one.conversation.pk for one in found]
    transcripts = Transcript.objects.filter(conversation__in=asked).order_by("pk")
    list(transcripts.select_for_update())
    # Deleted, answered by another worker or asked again: then this is not the answer.
    waiting = Inquiry.objects.filter(
        pk=inquiry.pk, state=Inquiry.State.WAITING, asked_at=inquiry.asked_at
    )
    if waiting.select_for_update().first() is None:
        return True
    consents = Consent.objects.filter(pk__in={one.conversation.consent_id for one in found})
    held = consents.order_by("pk").select_for_update(no_key=True)
    if not all(consent.is_valid for consent in held):
        return False
    replies = []
    for one in found:
        turns = growing.turns_of(one.conversation)
        if growing.as_read(turns) != growing.as_read(one.turns):
            return False
        reply = ground_reply(turns_for(turns), one.done.value)
        if reply.found:
            evidence = [_evidence(turns[piece.turn], piece.quote) for piece in reply.evidence]
            replies.append((one.conversation, reply, evidence))
    # Stable: of those that name as much of the question, the latest conversation comes first.
    replies.sort(key=lambda found: -_named(inquiry.question, found[1]))
    Reply.objects.bulk_create(
        Reply(
            inquiry=inquiry,
            conversation=conversation,
            position=position,
            answer=reply.answer,
            evidence=evidence,
        )
        for position, (conversation, reply, evidence) in enumerate(replies)
    )
    # Of several conversations one may have been left to another engine: then that is told.
    done = next((one.done for one in found if one.done.because), found[0].done)
    waiting.update(
        state=Inquiry.State.FOUND if replies else Inquiry.State.ABSENT,
        reason=done.because[:300],
        unfinished="",
        engine=done.engine,
        model=done.model,
        seconds=seconds,
    )
    return True


def _evidence(turn: Turn, quote: str) -> dict[str, object]:
    span = quotes.locate(quote, turn.text, turn.words, turn.start, turn.end)
    start, end = span or (turn.start, turn.end)
    return {"quote": quote, "start": start, "end": end}


def _named(question: str, reply: Said) -> float:
    """Share of what a question names that stands in the words of a reply, 0 to 1."""
    wanted = set(content_stems(words(question).folded))
    said = {stem for e in reply.evidence for stem in content_stems(words(e.quote).folded)}
    return len(wanted & said) / len(wanted) if wanted else 0.0
