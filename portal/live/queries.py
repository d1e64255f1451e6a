"""Reads of live recordings; what an employee may see follows from the participant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import QuerySet

from portal.accounts.models import Employee
from portal.assessments import queries as assessments
from portal.assessments import typed
from portal.assessments.models import Answer, Domain, Question
from portal.conversations.models import Conversation
from portal.live.models import LivePart, LiveRecording, LiveTick, LiveTurn, VoiceSample
from portal.live.protocol import SAMPLE_RATE
from portal.live.sound import missing_in
from portal.participants import queries as participants
from portal.participants.models import Participant
from portal.speech.engines import base as speech

State = LiveRecording.State


def visible_to(employee: Employee) -> QuerySet[LiveRecording]:
    return LiveRecording.objects.filter(participant__in=participants.visible_to(employee))


def open_visible_to(employee: Employee) -> QuerySet[LiveRecording]:
    return visible_to(employee).exclude(state=State.STORED)


def open_for(employee: Employee) -> QuerySet[LiveRecording]:
    """Their own that are not ended, of persons that they may still see."""
    return open_visible_to(employee).filter(created_by=employee)


def interrupted_for(employee: Employee) -> list[LiveRecording]:
    """Those of `open_for` that no browser is at."""
    recordings = open_for(employee).select_related("participant")
    return [recording for recording in recordings if recording.is_interrupted]


def snapshot(recording: LiveRecording) -> dict[str, Any]:
    """What somebody who comes to a recording has to know: the parts of protocol's ``welcome`` that
    are in the database."""
    last = recording.parts.last()
    return {
        "last_part": str(last.token) if last else None,
        "saved_ms": recording.saved_ms,
        "state": recording.state,
        "turns": turn_messages(recording.turns.select_related("part")),
        "ticks": tick_messages(recording.ticks.select_related("question")),
        **left_out(recording),
    }


def turn_messages(turns: Iterable[LiveTurn]) -> list[dict[str, Any]]:
    """Turns of one recording as the protocol tells them. Reads each one's ``part``."""
    turns = list(turns)
    begins = _begins(turns[0].recording_id) if turns else {}
    return [
        {
            "position": turn.position,
            "speaker": turn.speaker,
            "role": turn.role,
            "start": round(begins[turn.part.number] + turn.start, 2),
            "end": round(begins[turn.part.number] + turn.end, 2),
            "text": turn.text,
        }
        for turn in turns
    ]


def tick_messages(ticks: Iterable[LiveTick]) -> list[dict[str, Any]]:
    """Ticks of one recording as the protocol tells them. Reads each one's ``question``."""
    ticks = list(ticks)
    begins = _begins(ticks[0].recording_id) if ticks else {}
    return [_tick_message(tick, begins) for tick in ticks]


def _tick_message(tick: LiveTick, begins: Mapping[int, float]) -> dict[str, Any]:
    first = tick.evidence[0] if tick.evidence else None
    return {
        "question": tick.question.slug,
        "state": tick.state,
        "origin": tick.origin,
        "value": tick.value,
        "quote": first["quote"] if first else "",
        "start": round(begins[first["part"]] + first["start"], 2) if first else None,
    }


def _begins(recording_id: UUID) -> dict[int, float]:
    """Where each part begins, by its number, in seconds from the start of the recording.

    As far as has been listened to: the journals know it to the sample, and are read at the end.
    """
    begins, samples = {}, 0
    for part in LivePart.objects.filter(recording_id=recording_id).order_by("number"):
        begins[part.number] = samples / SAMPLE_RATE
        samples += part.heard_samples
    return begins


def unticked(conversation: Conversation) -> frozenset[str]:
    """Slugs of the questions that a person took the tick from while it was being recorded."""
    return frozenset(
        LiveTick.objects.filter(
            recording__conversation=conversation,
            origin=Answer.Origin.PERSON,
            state=Answer.State.UNASKED,
        ).values_list("question__slug", flat=True)
    )


def voices(conversation: Conversation) -> tuple[speech.Voice, ...]:
    """The samples that were taken of who speaks in it, labelled with their roles."""
    samples = VoiceSample.objects.filter(recording__conversation=conversation)
    return tuple(
        speech.Voice(
            sample.role,
            np.frombuffer(sample.pcm, "<i2").astype(np.float32) / np.float32(32768),
        )
        for sample in samples.order_by("role")
    )


def gaps(recording: LiveRecording) -> list[dict[str, Any]]:
    """What its journals say is missing so far: ``{"kind", "at", "seconds"}``."""
    journals = [part.journal for part in recording.parts.order_by("number")]
    return [
        {"kind": gap.kind.name.lower(), "at": round(gap.at, 2), "seconds": round(gap.seconds, 2)}
        for gap in missing_in(journals)
    ]


@dataclass(frozen=True, slots=True)
class LiveQuestion:
    """A question on the recording page. ``settled_before``: the ficha has it, from an earlier
    interview or a person; ``value`` is then what it has, until this recording says otherwise.
    ``left_out``: its condition does not hold so far."""

    slug: str
    text: str
    prompt: str
    state: str
    origin: str
    value: str
    quote: str
    settled_before: bool
    left_out: bool
    is_note: bool


@dataclass(frozen=True, slots=True)
class LiveDomain:
    domain: Domain
    questions: list[LiveQuestion]


def domains(participant: Participant, recording: LiveRecording | None) -> tuple[LiveDomain, ...]:
    """The questionnaire, with what is known before the recording and what it brought so far;
    also the notes, which are read out."""
    questions, known, ticks = _so_far(participant, recording)
    asked = _relevant(questions, known, ticks)
    return tuple(
        LiveDomain(
            domain,
            [_question(q, known.get(q.pk), ticks.get(q.pk), q.slug not in asked) for q in of_it],
        )
        for domain, of_it in groupby(questions, key=lambda question: question.domain)
    )


def left_out(recording: LiveRecording) -> dict[str, list[str]]:
    """Slugs of the questions whose condition does not hold by what is answered so far, as the
    protocol tells them; without conditions there is nothing to tell."""
    questions, known, ticks = _so_far(recording.participant, recording)
    if not any(question.relevant for question in questions):
        return {}
    asked = _relevant(questions, known, ticks)
    return {"left_out": [question.slug for question in questions if question.slug not in asked]}


def _so_far(
    participant: Participant, recording: LiveRecording | None
) -> tuple[list[Question], dict[int, Answer], dict[int, LiveTick]]:
    """The questions and notes, and by the id of each its answer in the ficha and its tick."""
    answers = Answer.objects.filter(sheet__participant=participant)
    ticks = recording.ticks.all() if recording is not None else ()
    return (
        assessments.all_of(assessments.questionnaire_for(participant)),
        {answer.question_id: answer for answer in answers},
        {tick.question_id: tick for tick in ticks},
    )


def _relevant(
    questions: Sequence[Question], known: Mapping[int, Answer], ticks: Mapping[int, LiveTick]
) -> frozenset[str]:
    said = {q.slug: _said(q, known.get(q.pk), ticks.get(q.pk)) for q in questions}
    return assessments.relevant(questions, said)


def _said(
    question: Question, answer: Answer | None, tick: LiveTick | None
) -> tuple[str, typed.Value]:
    """What is answered so far, as text and as a value."""
    if tick is not None and tick.state == Answer.State.ANSWERED and tick.value:
        return tick.value, typed.read(question.kind, question.choices, tick.value)
    if answer is not None and answer.state == Answer.State.ANSWERED:
        return answer.value, answer.typed
    return "", None


def _question(
    question: Question, answer: Answer | None, tick: LiveTick | None, left_out: bool
) -> LiveQuestion:
    settled = answer is not None and not answer.is_open_to_machines
    return LiveQuestion(
        slug=question.slug,
        text=question.text,
        prompt=question.prompt,
        state=tick.state if tick else Answer.State.UNASKED,
        origin=tick.origin if tick else "",
        value=tick.value if tick else answer.value if answer and settled else "",
        quote=tick.evidence[0]["quote"] if tick and tick.evidence else "",
        settled_before=settled,
        left_out=left_out,
        is_note=question.kind == Question.Kind.NOTE,
    )
