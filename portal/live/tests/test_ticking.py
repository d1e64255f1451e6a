"""Ticks as turns come, by the real analysis engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from conftest import Cast
from portal.accounts.models import Team
from portal.assessments import services as assessments
from portal.assessments.models import Answer
from portal.assessments.questionnaires import seed_default_questionnaire
from portal.live import services
from portal.live.models import LivePart, LiveRecording, LiveTurn
from portal.live.ticking import Ticker
from portal.participants.models import Consent
from portal.speech.engines.base import Turn, Word
from portal.usage.models import Charge
from tests.servers.brains import Reader
from tests.servers.openai_server import OpenAIServer, serve

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


class TestLanguageModel:
    """A model is asked once at a time and only so often, for what is open, about what is new."""

    @pytest.fixture
    def server(self, interview: Interview, settings: Any) -> Iterator[OpenAIServer]:
        Consent.objects.update(external=True)
        Team.objects.update(analysis_engine="llm")
        with serve(Reader()) as server:
            given = {
                "llm_model": server.model,
                "llm_base_url": server.url,
                "llm_api_key": server.api_key,
                "llm_live_seconds": 0.01,
            }
            settings.ENV = settings.ENV.model_copy(update=given)
            yield server

    @staticmethod
    def until(interview: Interview, done: Callable[[], bool]) -> None:
        """Does what the ticker's own thread does, for as long as it is needed."""
        ticker, deadline = interview.ticker, time.monotonic() + 20
        while not done():
            assert time.monotonic() < deadline
            with ticker._changed:
                news = ticker._changed.wait_for(ticker._wake, 0.05)
            if news:
                ticker.work()

    def test_ticks_are_the_models(self, interview: Interview, server: OpenAIServer) -> None:
        interview.says(*NATIONALITY)
        self.until(interview, lambda: interview.ticks() == {"nacionalidad": "answered"})
        interview.says(*REGISTERED)
        self.until(interview, lambda: interview.ticks().get("empadronamiento") == "answered")
        assert set(interview.recording.ticks.values_list("engine", flat=True)) == {"llm"}
        assert "nacionalidad:" in server.prompts[0] and "nacionalidad:" not in server.prompts[-1]
        assert sum(Charge.objects.values_list("requests", flat=True)) == len(server.requests)

    def test_one_at_a_time_and_not_too_often(
        self, interview: Interview, server: OpenAIServer, settings: Any
    ) -> None:
        settings.ENV = settings.ENV.model_copy(update={"llm_live_seconds": 3600})
        interview.says(*NATIONALITY)
        self.until(interview, lambda: bool(interview.ticks()))
        interview.says(*REGISTERED)
        [pk] = interview.ticker._due  # it comes back by itself
        assert len(server.requests) == 1
        interview.ticker._said[pk].again = interview.ticker._due[pk] = 0.0
        self.until(interview, lambda: "empadronamiento" in interview.ticks())
        assert (len(server.requests), server.most_at_once) == (2, 1)

    def test_when_it_is_away_the_local_engine_ticks(
        self, interview: Interview, server: OpenAIServer
    ) -> None:
        server.faults.fail = [500] * 9
        interview.says(*NATIONALITY)
        self.until(interview, lambda: interview.ticks() == {"nacionalidad": "answered"})
        assert interview.recording.ticks.get().engine == "extractive"

    def test_without_a_yes_nothing_is_sent(
        self, interview: Interview, server: OpenAIServer
    ) -> None:
        Consent.objects.update(external=False)
        interview.says(*NATIONALITY)
        assert interview.ticks() == {"nacionalidad": "answered"}
        assert server.requests == []

    def test_what_comes_too_late_is_charged_all_the_same(
        self, interview: Interview, server: OpenAIServer
    ) -> None:
        interview.says(*NATIONALITY)
        interview.ticker.forget(interview.recording.pk)
        self.until(interview, Charge.objects.exists)
        assert interview.ticks() == {}
