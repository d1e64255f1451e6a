"""How a live recording ends: it becomes a conversation, or nothing of it stays.

Whoever writes there has to let go first: they are asked to, and their locks waited for. Whatever
breaks off half way, the journals are there until the conversation is, so that a second call
completes it.
"""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction

from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import quotes
from portal.assessments import services as assessments
from portal.assessments.models import Answer
from portal.conversations import filing, partfiles, results
from portal.conversations import services as conversations
from portal.conversations.models import Conversation, Gap, Recording, Turn, recording_path
from portal.live import addresses, refusals, sound
from portal.live.events import publish
from portal.live.journal import Busy, DiskFull, Journal, lock_recording
from portal.live.merging import MergedTurn, merged
from portal.live.models import LivePart, LiveRecording, LiveTick
from portal.live.protocol import SAMPLE_RATE, GapKind
from portal.participants import services as participants
from portal.participants.models import Participant
from portal.speech.engines import base as speech
from portal.usage import services as usage

T = TypeVar("T")

ORIGINAL_NAME = "grabacion.wav"
PATIENCE_SECONDS = 3.0
LOOK_AGAIN_SECONDS = 0.05
KINDS = {
    GapKind.PAUSED: Gap.Kind.PAUSED,
    GapKind.PRIVATE: Gap.Kind.PRIVATE,
    GapKind.INTERRUPTED: Gap.Kind.INTERRUPTED,
}


def finish(*, recording: LiveRecording) -> Conversation:
    """The conversation of what was recorded; asking again gives the same. Raises Refused."""
    kept = LiveRecording.objects.select_related("consent").filter(pk=recording.pk).first()
    if kept is None:
        raise refusals.gone()
    if kept.conversation is not None:
        return kept.conversation
    if not kept.consent.is_valid:
        raise refusals.withdrawn()
    with _alone(kept) as journals:
        samples = sum(journal.samples for journal in journals.values())
        if samples < refusals.LEAST_SECONDS * SAMPLE_RATE:
            raise refusals.too_short()
        joined = kept.folder / ORIGINAL_NAME
        try:
            heard = sound.join([part.journal for part in journals], joined, samples=samples)
            return _store(kept, list(journals), joined, heard)
        except OSError as error:
            joined.unlink(missing_ok=True)
            if error.errno in partfiles.FULL:
                raise refusals.no_room_to_store() from None
            raise


def discard(*, recording: LiveRecording) -> None:
    """Nothing of it stays: neither audio nor text nor ticks. Raises Refused."""
    with _alone(recording), transaction.atomic():
        kept = LiveRecording.locked(recording.pk)
        if kept is None:
            return
        if not kept.is_open:
            raise refusals.stored()
        folder, name = kept.folder, recording_path(Recording(conversation_id=kept.pk), "x.wav")
        kept.delete()
        publish(recording.pk, {"type": "ended", "url": None})
        transaction.on_commit(lambda: shutil.rmtree(folder, ignore_errors=True))
        # An ending that broke off may have got so far.
        transaction.on_commit(lambda: default_storage.delete(name))


def sweep() -> int:
    """Remove the folders of recordings that are stored or gone, which an ending that broke off
    left; tells how many."""
    found = {folder for folder in _live_folder().glob("*") if _id_of(folder) is not None}
    still = LiveRecording.objects.exclude(state=LiveRecording.State.STORED)
    needed = {recording.folder for recording in still.filter(pk__in=map(_id_of, found))}
    for folder in found - needed:
        shutil.rmtree(folder, ignore_errors=True)
    return len(found - needed)


def keep_hand_ticks(*, conversation: Conversation) -> None:
    """What a person ticked while it was recorded is at least asked in the ficha."""
    ticks = LiveTick.objects.filter(
        recording__conversation=conversation,
        origin=Answer.Origin.PERSON,
        state__in=[Answer.State.ASKED, Answer.State.ANSWERED],
    )
    for tick in ticks.select_related("question", "edited_by"):
        if tick.edited_by is not None:
            assessments.mark_asked(
                conversation=conversation, question=tick.question.slug, employee=tick.edited_by
            )


@transaction.atomic
def _store(
    recording: LiveRecording, parts: Sequence[LivePart], joined: Path, heard: sound.Sound
) -> Conversation:
    kept = LiveRecording.locked(recording.pk)
    if kept is None:
        raise refusals.gone()
    if kept.conversation is not None:
        return kept.conversation
    if not kept.consent.is_valid:
        raise refusals.withdrawn()
    if set(kept.parts.all()) != set(parts):
        raise refusals.recorded_elsewhere()
    Participant.objects.select_for_update().get(pk=kept.participant_id)
    row = Recording(
        conversation_id=kept.pk,
        original_name=ORIGINAL_NAME,
        size=heard.size,
        sha256=heard.sha256,
    )
    row.file.name = filing.put(joined, recording_path(row, ORIGINAL_NAME))
    conversation = conversations.create(
        recording=row,
        participant=kept.participant,
        consent=kept.consent,
        employee=kept.created_by,
        engine=kept.engine,
        language=kept.language,
        speakers=kept.speakers,
        duration=heard.seconds,
    )
    usage.assign(conversation=conversation)
    Gap.objects.bulk_create(
        Gap(conversation=conversation, kind=KINDS[gap.kind], at=gap.at, seconds=gap.seconds)
        for gap in heard.missing
    )
    begins = {part.number: begin for part, begin in zip(parts, heard.begins, strict=True)}
    turns = _keep_transcript(kept, conversation, begins, heard.seconds)
    _fill_sheet(kept, conversation, turns, begins)
    kept.state, kept.conversation = LiveRecording.State.STORED, conversation
    kept.voices, kept.saved_ms = {}, round(heard.seconds * 1000)
    kept.save(update_fields=["state", "conversation", "voices", "saved_ms"])
    keep_hand_ticks(conversation=conversation)
    kept.ticks.filter(origin=Answer.Origin.MACHINE).delete()
    kept.ticks.update(value="", evidence=[])
    kept.turns.all().delete()
    kept.parts.all().delete()
    participants.touch(kept.participant)
    publish(kept.pk, {"type": "ended", "url": addresses.conversation(conversation)})
    # Not sooner: until the rows are there, the journals are what the recording is.
    transaction.on_commit(lambda: shutil.rmtree(kept.folder, ignore_errors=True))
    return conversation


def _keep_transcript(
    recording: LiveRecording,
    conversation: Conversation,
    begins: Mapping[int, float],
    seconds: float,
) -> list[Turn]:
    """What was heard so far, until the final pass puts a better one in its place."""
    heard = merged(list(recording.turns.select_related("part")))
    if not heard:
        return []
    turns = sorted((_placed(turn, begins[turn.part]) for turn in heard), key=lambda t: t.start)
    kept = results.save_transcript(
        conversation=conversation,
        transcript=speech.Transcript(
            turns=tuple(turns),
            language=recording.language,
            duration=seconds,
            engine=recording.heard_engine,
            model=recording.heard_model,
        ),
    )
    results.save_roles(conversation=conversation, roles={turn.speaker: turn.role for turn in heard})
    return list(kept.turns.select_related("speaker"))


def _placed(turn: MergedTurn, begin: float) -> speech.Turn:
    """Its times from the start of the whole recording."""
    words = (speech.Word(*word) for word in turn.words)
    return speech.Turn(
        speaker=turn.speaker,
        start=begin + turn.start,
        end=begin + turn.end,
        text=turn.text,
        words=tuple(replace(w, start=begin + w.start, end=begin + w.end) for w in words),
    )


def _fill_sheet(
    recording: LiveRecording,
    conversation: Conversation,
    turns: Sequence[Turn],
    begins: Mapping[int, float],
) -> None:
    """The ficha as the screen showed it, as far as the transcript proves it. What a person ticked
    without words of its own is in `keep_hand_ticks`, but for what was declined."""
    sheet = assessments.sheet_for(conversation.participant)
    found = defaultdict[tuple[str, str], list[Finding]](list)
    for tick in recording.ticks.select_related("question", "edited_by"):
        if tick.evidence:
            found[tick.engine, tick.model].append(_finding(tick, turns, begins))
        elif tick.state == Answer.State.DECLINED and tick.edited_by is not None:
            answer = sheet.answers.filter(
                question=tick.question, state__in=[Answer.State.UNASKED, Answer.State.ASKED]
            ).first()
            if answer is not None:  # what an earlier interview brought stays
                assessments.edit_answer(answer=answer, employee=tick.edited_by, state=tick.state)
    for (engine, model), findings in found.items():
        assessments.record_findings(
            conversation=conversation, findings=findings, turns=turns, engine=engine, model=model
        )


def _finding(tick: LiveTick, turns: Sequence[Turn], begins: Mapping[int, float]) -> Finding:
    places = (
        quotes.find_again(
            piece["quote"],
            begins[piece["part"]] + piece["start"],
            begins[piece["part"]] + piece["end"],
            turns,
        )
        for piece in tick.evidence
    )
    return Finding(
        question_id=tick.question.slug,
        state=tick.state,  # type: ignore[arg-type]  # the same words as a choice
        answer=tick.value,
        evidence=tuple(Evidence(place.turn, place.quote) for place in places if place),
        confidence=tick.confidence,
    )


@contextmanager
def _alone(recording: LiveRecording) -> Iterator[dict[LivePart, Journal]]:
    """Nobody writes there as long as the block lasts; gives its parts, in order, with what was
    written. Raises Refused."""
    # On its own, not in a transaction: who writes must hear it before their locks are waited for.
    publish(recording.pk, {"type": "yield", "part": None, "to": None})
    deadline = time.monotonic() + PATIENCE_SECONDS
    with ExitStack() as stack:
        try:
            stack.enter_context(_patiently(partial(lock_recording, recording.folder), deadline))
            journals = {
                part: stack.enter_context(_patiently(partial(Journal.open, part.journal), deadline))
                for part in recording.parts.order_by("number")
            }
        except Busy:
            raise refusals.recorded_elsewhere() from None
        except DiskFull:
            raise refusals.no_room_to_store() from None
        yield journals


def _patiently(take: Callable[[], T], deadline: float) -> T:
    """Raises Busy when it was still taken at the deadline."""
    while True:
        try:
            return take()
        except Busy:
            if time.monotonic() >= deadline:
                raise
        time.sleep(LOOK_AGAIN_SECONDS)


def _live_folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "live"


def _id_of(folder: Path) -> UUID | None:
    try:
        return UUID(folder.name)
    except ValueError:
        return None
