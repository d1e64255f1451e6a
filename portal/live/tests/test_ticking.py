"""Ticks as turns come, by the real analysis engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from conftest import Cast
from portal.assessments import services as assessments
from portal.assessments.models import Answer
from portal.assessments.questionnaires import seed_default_questionnaire
from portal.live import services
from portal.live.models import LivePart, LiveRecording, LiveTurn
from portal.live.ticking import Ticker
from portal.participants.models import Consent
from portal.speech.engines.base import Turn, Word

NATIONALITY = (
    ("S1", "Buenos días. Le voy a hacer unas preguntas. ¿Tiene usted la nacionalidad española?"),
    ("S2", "No, soy de Colombia, pero tengo permiso de residencia."),
)
REGISTERED = (
    ("S1", "¿Y está usted empadronado en algún domicilio?"),
    ("S2", "Sí, en casa de mi hermano, desde hace un año."),
)


class Interview:
    def __init__(self, recording: LiveRecording) -> None:
        self.recording = recording
        self.part: LivePart = services.part_for(recording=recording, token=uuid4())
        self.ticker = Ticker()
        self.ticker.follow(recording, [])
        self._clock = 0.0

    def says(self, *turns: tuple[str, str]) -> list[LiveTurn]:
        made = []
        for speaker, text in turns:
            begin = self._clock = self._clock + 1.0
            words = tuple(
                Word(word, begin + number / 4, begin + (number + 1) / 4, 0.9)
                for number, word in enumerate(text.split())
            )
            self._clock = words[-1].end
            made.append(Turn(speaker, begin, self._clock, text, words))
        added = services.add_turns(
            part=self.part, turns=made, heard_samples=0, voices={}, engine="local", model="base"
        )
        self.ticker.heard(self.recording.pk, added)
        self.ticker.work()
        return added

    def ticks(self) -> dict[str, str]:
        return dict(self.recording.ticks.values_list("question__slug", "state"))


@pytest.fixture
def interview(cast: Cast, consent: Consent, tmp_path: Path, settings: Any) -> Interview:
    settings.MEDIA_ROOT = str(tmp_path)
    seed_default_questionnaire()
    recording = LiveRecording.objects.create(
        participant=consent.participant, consent=consent, created_by=cast.owner, engine="local"
    )
    return Interview(recording)


def roles(turns: Sequence[LiveTurn]) -> list[str]:
    return list(
        LiveTurn.objects.filter(pk__in=[t.pk for t in turns]).values_list("role", flat=True)
    )


def test_asked_then_answered(interview: Interview) -> None:
    interview.says(*NATIONALITY)
    interview.says(REGISTERED[0])
    assert interview.ticks() == {"nacionalidad": "answered", "empadronamiento": "asked"}
    interview.says(REGISTERED[1])
    assert interview.ticks() == {"nacionalidad": "answered", "empadronamiento": "answered"}
    tick = interview.recording.ticks.get(question__slug="empadronamiento")
    assert tick.evidence[0]["quote"] in REGISTERED[1][1]
    assert tick.evidence[0]["part"] == 1


def test_a_persons_tick_is_never_moved(interview: Interview, cast: Cast) -> None:
    services.tick(
        recording=interview.recording, employee=cast.owner, question="nacionalidad", state="unasked"
    )
    interview.says(*NATIONALITY, *REGISTERED)
    assert interview.ticks() == {"nacionalidad": "unasked", "empadronamiento": "answered"}


def test_what_the_ficha_knows_gets_no_tick(interview: Interview, cast: Cast) -> None:
    sheet = assessments.sheet_for(interview.recording.participant)
    known = Answer.objects.get(sheet=sheet, question__slug="nacionalidad")
    assessments.edit_answer(answer=known, employee=cast.owner, value="Colombiana")
    interview.says(*NATIONALITY, *REGISTERED)
    assert interview.ticks() == {"empadronamiento": "answered"}


def test_nothing_is_ticked_before_it_is_clear_who_is_who(interview: Interview) -> None:
    said = interview.says(("S2", "Buenos días."), ("S1", "Hola."))
    assert set(roles(said)) == {"empleado", "usuario"}
    assert interview.ticks() == {}
    # Neither sounds like anything for a while; then all that was said is read at once.
    more = interview.says(("S1", "La nacionalidad española."), ("S2", "Colombia."))
    assert interview.ticks() == {}
    interview.says(*NATIONALITY, *REGISTERED)
    assert set(interview.ticks()) == {"nacionalidad", "empadronamiento"}
    assert roles(said) == ["usuario", "empleado"]
    assert roles(more) == ["empleado", "usuario"]


def test_turns_of_another_speaker_are_read_again(interview: Interview) -> None:
    interview.says(*NATIONALITY)
    [_, answer] = interview.says(REGISTERED[0], ("S1", REGISTERED[1][1]))
    assert interview.ticks()["empadronamiento"] == "asked"
    changed = services.relabel(recording=interview.recording, speakers={answer.position: "S2"})
    interview.ticker.changed(interview.recording.pk, changed)
    interview.ticker.work()
    assert interview.ticks()["empadronamiento"] == "answered"


def test_a_question_waits_over_what_the_interviewer_says_in_between(interview: Interview) -> None:
    interview.says(*NATIONALITY)
    interview.says(REGISTERED[0])
    for word in ("A ver.", "Tómese su tiempo.", "No hay prisa."):
        interview.says(("S1", word))
    interview.says(REGISTERED[1])
    assert interview.ticks()["empadronamiento"] == "answered"


def test_it_begins_again_with_what_there_is(interview: Interview) -> None:
    interview.says(*NATIONALITY, REGISTERED[0])
    interview.ticker = Ticker()
    turns = list(interview.recording.turns.select_related("part"))
    interview.ticker.follow(interview.recording, turns)
    interview.says(REGISTERED[1])
    assert interview.ticks() == {"nacionalidad": "answered", "empadronamiento": "answered"}
    interview.ticker.forget(interview.recording.pk)
    interview.ticker.work()
    interview.says(("S2", "Tengo dos hijos pequeños."))
    assert len(interview.ticks()) == 2
