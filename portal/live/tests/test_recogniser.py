"""The real recogniser, with the real model, at recordings that are being written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from conftest import Cast
from portal import environment
from portal.accounts.models import Employee
from portal.assessments.questionnaires import seed_default_questionnaire
from portal.engine import Problem
from portal.live import recogniser, services
from portal.live.models import LiveRecording, LiveTick, LiveTurn
from portal.live.tests.spoken import Browser, Recogniser, pcm_of, screen, silence, until
from portal.participants.models import Consent
from portal.usage.models import Charge
from tests.servers.deepgram_live import DeepgramLive
from tests.servers.hearing import conversation

AUDIO = Path(__file__).parents[3] / "tests" / "audio"

Begin = Callable[..., LiveRecording]


@pytest.fixture
def begin(cast: Cast, consent: Consent, tmp_path: Path, settings: Any) -> Begin:
    settings.MEDIA_ROOT = str(tmp_path)
    seed_default_questionnaire()

    def start(
        employee: Employee = cast.owner, language: str = "es", engine: str = "local"
    ) -> LiveRecording:
        return services.start(
            employee=employee,
            participant=consent.participant,
            consent=consent,
            engine=engine,
            language=language,
            voices={},
        )

    return start


@pytest.fixture
def listen(settings: Any) -> Iterator[Callable[[], Recogniser]]:
    started: list[Recogniser] = []

    def start() -> Recogniser:
        started.append(Recogniser(str(settings.MEDIA_ROOT)))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()
    with connection.cursor() as cursor:  # what the killed ones left open would block the flush
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'recogniser'"
        )


def turns_of(recording: LiveRecording) -> list[LiveTurn]:
    return list(recording.turns.select_related("part"))


@pytest.mark.model
@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_another_goes_on(
    begin: Begin, listen: Callable[[], Recogniser], cast: Cast
) -> None:
    recording = begin()
    browser = Browser(recording)
    spoken = pcm_of(AUDIO / "dialogue.ogg") + silence(2)
    first = listen()
    with screen() as watching:
        speaking = Thread(target=browser.sends, args=(spoken,), kwargs={"pace": 1.5})
        speaking.start()
        until(lambda: recording.turns.count() >= 2)
        first.kill()
        assert speaking.is_alive()
        second = listen()
        speaking.join()
        until(lambda: "espalda" in " ".join(turn.text for turn in turns_of(recording)))
        ticked = LiveTick.objects.filter(recording=recording)
        until(lambda: ticked.filter(question__slug="estado_salud").exists())
        assert recogniser.is_running()
        seconds, output = second.stop()
    browser.close()
    assert seconds < 20
    assert output == ""
    assert not recogniser.is_running()
    turns = turns_of(recording)
    assert [turn.position for turn in turns] == list(range(len(turns)))
    times = [time for turn in turns for _, begin, end, _ in turn.words for time in (begin, end)]
    assert times == sorted(times)
    said = " ".join(turn.text for turn in turns)
    for once in ("nacionalidad", "Colombia", "empadronad", "hermano", "alquiler", "espalda"):
        assert said.count(once) == 1, said
    assert {turn.role for turn in turns} == {"empleado", "usuario"}
    nationality = ticked.get(question__slug="nacionalidad")
    assert (nationality.state, nationality.origin) == ("answered", "machine")
    assert nationality.evidence[0]["quote"] in said
    statuses = [told["status"] for told in watching.of(recording, "transcription")]
    assert statuses[0] == "starting"
    assert "live" in statuses
    assert watching.of(recording, "turns")
    assert watching.of(recording, "coverage")


@pytest.fixture
def deepgram(consent: Consent, settings: Any, monkeypatch: pytest.MonkeyPatch) -> DeepgramLive:
    """A service outside that may be used and the person agrees to; not yet running."""
    deepgram = DeepgramLive()
    monkeypatch.setenv("PORTAL_DEEPGRAM_API_KEY", deepgram.key)
    monkeypatch.setenv("PORTAL_DEEPGRAM_URL", deepgram.url)
    settings.ENV = environment.read()
    consent.external = True
    consent.save()
    return deepgram


@pytest.mark.model
@pytest.mark.django_db(transaction=True)
def test_what_a_service_outside_no_longer_hears_is_heard_here(
    begin: Begin, listen: Callable[[], Recogniser], deepgram: DeepgramLive
) -> None:
    deepgram.breaks_after = 12.0
    recording = begin(engine="deepgram")
    browser = Browser(recording)
    spoken, _ = conversation()
    browser.sends(spoken + silence(2))
    browser.close()
    with deepgram.running():
        process = listen()
        until(lambda: "espalda" in " ".join(turn.text for turn in turns_of(recording)))
        _seconds, output = process.stop()
    recording.refresh_from_db()
    assert recording.heard_engine == "local"
    assert len(deepgram.queries) == 1
    said = " ".join(turn.text for turn in turns_of(recording))
    assert said.startswith("Buenos días. ¿Tiene usted la nacionalidad española?")
    for once in ("Colombia", "empadronad", "hermano", "alquiler", "espalda"):
        assert said.count(once) == 1, said
    assert {turn.speaker for turn in turns_of(recording)} == {"S1", "S2"}
    assert "EngineError" in output and "Colombia" not in output
    charges = Charge.objects.filter(team=recording.participant.team)
    assert {(charge.engine, charge.model) for charge in charges} == {("deepgram", "nova-3")}
    assert sum(charge.requests for charge in charges) == 1
    assert sum(charge.seconds for charge in charges) == pytest.approx(deepgram.breaks_after, abs=3)


@pytest.mark.model
@pytest.mark.django_db(transaction=True)
def test_a_cap_that_is_reached_meanwhile_ends_a_service_outside(
    begin: Begin,
    listen: Callable[[], Recogniser],
    deepgram: DeepgramLive,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORTAL_PRICES", '{"deepgram": {"minute": 1}}')
    settings.ENV = environment.read()
    recording = begin(engine="deepgram")
    team = recording.participant.team
    team.monthly_cap = Decimal("0.5")
    team.save()
    browser = Browser(recording)
    spoken, _ = conversation()
    browser.sends(spoken)
    # Something is heard all the time: no pause ends the connection, which would pay as well.
    rest = Thread(target=browser.sends, args=(silence(12) + spoken,), kwargs={"pace": 4.0})
    with deepgram.running():
        process = listen()
        until(lambda: deepgram.heard > 20)
        rest.start()
        here = LiveRecording.objects.filter(pk=recording.pk, heard_engine="local")
        until(here.exists)
        rest.join()
        process.kill()
    browser.close()
    # What was sent is paid, although the process was not asked to end.
    assert len(deepgram.queries) == 1
    assert deepgram.heard < 55
    seconds = sum(Charge.objects.filter(team=team).values_list("seconds", flat=True))
    assert seconds == pytest.approx(deepgram.heard, abs=1)


@pytest.mark.django_db
def test_a_service_outside_hears_as_long_as_it_may_and_there_is_money(
    begin: Begin, cast: Cast, consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recogniser, "_engine", lambda name: name)
    recording = begin()
    recording.engine = "deepgram"

    def hears() -> object:
        return recogniser.Recogniser()._engine_for(recording)

    assert hears() == "local"
    consent.external = True
    consent.save()
    assert hears() == "deepgram"
    recording.participant.team.monthly_cap = Decimal(0)
    assert hears() == "local"


def test_a_service_outside_that_lacks_something_hears_again_when_it_is_there(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    recogniser._made.cache_clear()
    settings.ENV = settings.ENV.model_copy(update={"deepgram_api_key": "0123456789"})
    outside = recogniser._made("deepgram")
    with monkeypatch.context() as patched:
        patched.setattr(outside, "check", lambda: [Problem("Falta algo.", "Póngalo.")])
        assert recogniser._engine("deepgram").name == "local"
    assert recogniser._engine("deepgram") is outside
    recogniser._made.cache_clear()


@pytest.mark.model
@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_with_one_does_not_hurt_another(
    begin: Begin, listen: Callable[[], Recogniser], cast: Cast
) -> None:
    well, damaged = begin(cast.owner), begin(cast.teammate)
    failing = begin(cast.coordinator, language="zz")
    spoken = pcm_of(AUDIO / "participant_first.ogg") + silence(2)
    browsers = [Browser(recording) for recording in (well, damaged, failing)]
    for browser in browsers:
        browser.sends(spoken)
        browser.close()
    journal = browsers[1].part.journal
    whole = journal.read_bytes()
    journal.write_bytes(whole[: len(whole) // 2] + b"\xff" * 500 + whole[len(whole) // 2 + 500 :])
    with screen() as watching:
        process = listen()
        until(lambda: well.turns.count() >= 3)
        until(lambda: {"status": "later", "type": "transcription"}
              in watching.of(failing, "transcription"))  # fmt: skip
        _seconds, output = process.stop()
    assert damaged.turns.exists()
    assert not failing.turns.exists()
    assert {told["status"] for told in watching.of(well, "transcription")} <= {"starting", "live"}
    # What went wrong is said, with none of what was.
    assert "ValueError" in output
    assert "zz" not in output
    for turn in LiveTurn.objects.all():
        assert turn.text not in output
