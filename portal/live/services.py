"""Writes of a live recording while it is being made; `ending.py` is how it ends.

What is written here is told to whoever has the recording on screen, in the same transaction. The
recogniser's writes (`add_turns`, `relabel`, `set_roles`, `record_ticks`) come from a process of
its own and may be late: once a recording is stored they do nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.accounts.models import Employee
from portal.analysis.engines.base import Finding
from portal.analysis.engines.base import Turn as AnalysisTurn
from portal.analysis.grounding import ground_finding
from portal.assessments import queries as assessments
from portal.assessments import quotes
from portal.assessments.models import Answer, Question
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Speaker
from portal.conversations.refusals import (
    check_consent,
    check_consent_to_begin,
    check_engine,
    check_language,
    check_speakers,
)
from portal.live import queries, refusals
from portal.live.ending import discard, finish, keep_hand_ticks, sweep
from portal.live.events import publish
from portal.live.merging import MergedTurn
from portal.live.models import LivePart, LiveRecording, LiveTick, LiveTurn, VoiceSample
from portal.participants import services as participants
from portal.participants.models import Consent, Participant
from portal.speech.engines import base as speech

__all__ = [
    "add_turns", "discard", "finish", "forget_voices", "keep_hand_ticks", "note_alive", "note_gone",
    "part_for",
    "record_ticks", "relabel", "set_roles", "start", "sweep", "tick",
]  # fmt: skip

State = LiveRecording.State
OPEN_STATES = frozenset({State.RECORDING, State.PAUSED, State.PRIVATE})
FORWARD = {
    Answer.State.UNASKED: 0,
    Answer.State.ASKED: 1,
    Answer.State.ANSWERED: 2,
    Answer.State.DECLINED: 2,
}
"""How far a question has come; a machine only moves it on."""


@transaction.atomic
def start(
    *,
    employee: Employee,
    participant: Participant,
    consent: Consent | None,
    engine: str,
    language: str = "",
    speakers: int = 2,
    voices: Mapping[str, bytes],
) -> LiveRecording:
    """Begin one; of its audio nothing is there yet. ``engine``, ``language`` and ``speakers`` are
    the final pass's, as of an upload. ``voices``: a Speaker.Role to 16 kHz mono s16le of that
    person.

    Raises Refused, AlreadyOpen.
    """
    consent = check_consent_to_begin(consent, participant)
    check_engine(engine, participant)
    check_language(language)
    check_speakers(speakers)
    refusals.check_voices(voices)
    # Two tabs that start at once must see each other.
    Employee.objects.select_for_update(no_key=True).get(pk=employee.pk)
    already = queries.open_for(employee).select_related("participant").first()
    if already is not None:
        raise refusals.AlreadyOpen(already)
    refusals.check_room()
    recording = LiveRecording.objects.create(
        participant=participant,
        consent=consent,
        created_by=employee,
        engine=engine,
        language=language,
        speakers=speakers,
    )
    VoiceSample.objects.bulk_create(
        VoiceSample(recording=recording, role=role, pcm=pcm) for role, pcm in voices.items()
    )
    participants.touch(participant)
    return recording


@transaction.atomic
def part_for(*, recording: LiveRecording, token: UUID) -> LivePart:
    """The part of the browser that made ``token``; a new one comes after those there are.

    Raises Refused.
    """
    kept = LiveRecording.locked(recording.pk)
    if kept is None:
        raise refusals.gone()
    if not kept.is_open:
        raise refusals.ended()
    check_consent(kept.consent, kept.participant)
    part = kept.parts.filter(token=token).first()
    if part is None:
        number = (kept.parts.aggregate(last=Max("number"))["last"] or 0) + 1
        part = LivePart.objects.create(recording=kept, token=token, number=number)
    part.recording = kept
    return part


@transaction.atomic
def note_alive(*, recording_id: UUID, saved_ms: int, state: str | None = None) -> None:
    """A browser is at it, and so much is on disk; ``state`` when it changed."""
    kept = LiveRecording.objects.filter(pk=recording_id).exclude(state=State.STORED)
    kept.update(seen_at=timezone.now(), attended=True, saved_ms=Greatest(F("saved_ms"), saved_ms))
    if state in OPEN_STATES and kept.exclude(state=state).update(state=state):
        publish(recording_id, {"type": "state", "state": state})


def note_gone(*, recording_id: UUID) -> None:
    """The browser that was at it has gone: the recording can be continued at once."""
    LiveRecording.objects.filter(pk=recording_id).update(attended=False)


@transaction.atomic
def tick(*, recording: LiveRecording, employee: Employee, question: str, state: str) -> LiveTick:
    """What a person says of the question with that slug; no machine moves it from there.

    Raises Refused.
    """
    if state not in Answer.State.values:
        raise Refused("state", _("Ese estado no existe."), status=422)
    kept = LiveRecording.locked(recording.pk)
    if kept is None:
        raise refusals.gone()
    if not kept.is_open:
        raise refusals.ended()
    asked = _questions(kept.participant).get(question)
    if asked is None:
        raise Refused("not_found", _("Esa pregunta no está en el cuestionario."), status=404)
    found, _made = LiveTick.objects.get_or_create(
        recording=kept, question=asked, defaults={"origin": Answer.Origin.PERSON}
    )
    if state != Answer.State.ANSWERED:
        # To agree with what was heard keeps its words; anything else contradicts them.
        found.value, found.evidence, found.confidence = "", [], 0.0
    found.state, found.origin, found.edited_by = state, Answer.Origin.PERSON, employee
    found.save()
    _publish_ticks([found])
    return found


@transaction.atomic
def add_turns(
    *,
    part: LivePart,
    turns: Sequence[speech.Turn],
    heard_samples: int,
    voices: Mapping[str, Sequence[float]],
    engine: str,
    model: str,
) -> list[LiveTurn]:
    """Keep what was committed, its times from the start of ``part``, and how far into the part
    that reaches. ``voices`` as `TranscriptStream.voices`. Nothing, once the recording has ended.
    """
    kept = _open(part.recording_id)
    if kept is None:
        return []
    last = kept.turns.aggregate(last=Max("position"))["last"]
    first = 0 if last is None else last + 1
    roles = _roles(kept)
    made = LiveTurn.objects.bulk_create(
        LiveTurn(
            recording=kept,
            part=part,
            position=position,
            speaker=turn.speaker,
            role=_role(turn.speaker, roles),
            start=turn.start,
            end=turn.end,
            text=turn.text,
            words=[[word.text, word.start, word.end, word.probability] for word in turn.words],
        )
        for position, turn in enumerate(turns, first)
    )
    LivePart.objects.filter(pk=part.pk).update(heard_samples=heard_samples)
    kept.voices = {label: list(voice) for label, voice in voices.items()}
    kept.heard_engine, kept.heard_model = engine, model[:80]
    kept.save(update_fields=["voices", "heard_engine", "heard_model"])
    _publish_turns(made)
    return made


@transaction.atomic
def relabel(*, recording: LiveRecording, speakers: Mapping[int, str]) -> list[LiveTurn]:
    """Turns that turn out to be another speaker's: position to label. Gives those that changed."""
    kept = _open(recording.pk)
    if kept is None:
        return []
    roles = _roles(kept)
    changed = []
    for turn in kept.turns.filter(position__in=speakers).select_related("part"):
        label = speakers[turn.position]
        if label != turn.speaker:
            turn.speaker, turn.role = label, _role(label, roles)
            changed.append(turn)
    LiveTurn.objects.bulk_update(changed, ["speaker", "role"], batch_size=500)
    _publish_turns(changed)
    return changed


@transaction.atomic
def set_roles(*, recording: LiveRecording, roles: Mapping[str, str]) -> list[LiveTurn]:
    """Who the voices are: label to Speaker.Role. Gives the turns that changed."""
    kept = _open(recording.pk)
    if kept is None:
        return []
    changed = []
    for turn in kept.turns.filter(speaker__in=roles).select_related("part"):
        role = Speaker.Role(roles[turn.speaker])
        if role != turn.role:
            turn.role = role
            changed.append(turn)
    LiveTurn.objects.bulk_update(changed, ["role"], batch_size=500)
    _publish_turns(changed)
    return changed


@transaction.atomic
def record_ticks(
    *,
    recording: LiveRecording,
    findings: Sequence[Finding],
    turns: Sequence[MergedTurn],
    engine: str,
    model: str,
) -> list[LiveTick]:
    """Tick what an engine found in ``turns``, into which its evidence points by index.

    Only forward, never past a person, and only as far as `portal.analysis.grounding` proves it.
    Gives the ticks that changed.
    """
    kept = _open(recording.pk)
    if kept is None:
        return []
    spoken = [AnalysisTurn(speaker=turn.role, text=turn.text) for turn in turns]
    questions = _questions(kept.participant)
    ticks = {tick.question_id: tick for tick in kept.ticks.select_related("question")}
    changed = []
    for finding in (ground_finding(spoken, found) for found in findings):
        question = questions.get(finding.question_id)
        if question is None:
            continue
        found = ticks.get(question.pk) or LiveTick(
            recording=kept, question=question, origin=Answer.Origin.MACHINE
        )
        if found.origin == Answer.Origin.PERSON:
            continue
        if FORWARD[Answer.State(finding.state)] <= FORWARD[Answer.State(found.state)]:
            continue
        found.state, found.value = finding.state, finding.answer
        found.evidence = [_evidence(turns[piece.turn], piece.quote) for piece in finding.evidence]
        found.confidence = finding.confidence
        found.engine, found.model = engine, model[:80]
        found.save()
        changed.append(found)
    _publish_ticks(changed)
    return changed


def forget_voices(*, conversation: Conversation) -> None:
    """They told the speakers apart, and are of no more use."""
    VoiceSample.objects.filter(recording__conversation=conversation).delete()


def _evidence(turn: MergedTurn, quote: str) -> dict[str, Any]:
    span = quotes.locate(quote, turn.text, turn.words, turn.start, turn.end)
    start, end = span or (turn.start, turn.end)
    return {"part": turn.part, "start": start, "end": end, "quote": quote}


def _open(pk: UUID) -> LiveRecording | None:
    kept = LiveRecording.locked(pk)
    return kept if kept is not None and kept.is_open else None


def _questions(participant: Participant) -> dict[str, Question]:
    questionnaire = assessments.questionnaire_for(participant)
    return {question.slug: question for question in assessments.questions_of(questionnaire)}


def _roles(recording: LiveRecording) -> dict[str, str]:
    """What each label was taken for last."""
    return dict(recording.turns.order_by("position").values_list("speaker", "role"))


def _role(label: str, roles: Mapping[str, str]) -> str:
    """A voice with a sample is labelled with its role."""
    if label in refusals.VOICE_ROLES:
        return label
    return roles.get(label, Speaker.Role.OTHER)


def _publish_turns(turns: Sequence[LiveTurn]) -> None:
    if turns:
        messages = queries.turn_messages(turns)
        publish(turns[0].recording_id, {"type": "turns", "turns": messages})


def _publish_ticks(ticks: Sequence[LiveTick]) -> None:
    if ticks:
        recording = ticks[0].recording
        told = {"ticks": queries.tick_messages(ticks), **queries.left_out(recording)}
        publish(recording.pk, {"type": "coverage", **told})
