"""A recording while it is being made: what starts it, what is heard, what is ticked."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from conftest import Cast, expire
from portal import news
from portal.assessments.models import Sheet
from portal.assessments.questionnaires import seed_default_questionnaire
from portal.conversations import partfiles
from portal.conversations.errors import Refused
from portal.live import queries, services
from portal.live.admission import admit
from portal.live.events import topic
from portal.live.models import LiveRecording, LiveTick, LiveTurn
from portal.live.refusals import AlreadyOpen
from portal.live.tests.scene import ASKED, DECLINED, PADRON, find, hear, pcm, record, turn
from portal.participants.models import Consent, Participant


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


def start(cast: Cast, consent: Consent | None, **changes: Any) -> LiveRecording:
    participant = Participant.objects.get()
    fields = {"employee": cast.owner, "participant": participant, "engine": "local", "voices": {}}
    return services.start(consent=consent, **{**fields, **changes})


@pytest.fixture
def open_one(cast: Cast, consent: Consent) -> LiveRecording:
    return start(cast, consent)


# Starting


def test_a_new_recording_is_open_and_its_person_goes_to_the_top(
    cast: Cast, consent: Consent
) -> None:
    before = timezone.now()
    recording = start(cast, consent, language="es", speakers=3, voices={"empleado": pcm(5)})
    assert (recording.is_open, recording.is_interrupted) == (True, False)
    assert recording.voice_samples.get().role == "empleado"
    assert Participant.objects.get().last_interaction_at >= before
    assert not Sheet.objects.exists(), "a ficha begins with the first conversation"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"engine": "nube"}, "engine_unavailable"),
        ({"language": "español"}, "language"),
        ({"speakers": 1}, "speakers"),
        ({"voices": {"empleado": pcm(0.5)}}, "voice"),
        ({"voices": {"empleado": pcm(11)}}, "voice"),
        ({"voices": {"empleado": pcm(2) + b"x"}}, "voice"),
        ({"voices": {"otro": pcm(2)}}, "voice"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_made(
    cast: Cast, consent: Consent, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        start(cast, consent, **changes)
    assert refused.value.code == code
    assert not LiveRecording.objects.exists()


def test_without_a_valid_consent_nothing_starts(cast: Cast, consent: Consent) -> None:
    with pytest.raises(Refused, match="consent_missing"):
        start(cast, None)
    expire(consent)
    with pytest.raises(Refused, match="consent_expired"):
        start(cast, consent)
    consent.withdrawn_at = timezone.now()
    with pytest.raises(Refused, match="consent_withdrawn"):
        start(cast, consent)


def test_without_room_on_the_disk_nothing_starts(
    cast: Cast, consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partfiles, "free_bytes", lambda: 1000)
    with pytest.raises(Refused, match="disk_full"):
        start(cast, consent)


def test_one_open_recording_each_and_the_refusal_says_which(
    open_one: LiveRecording, cast: Cast, consent: Consent
) -> None:
    with pytest.raises(AlreadyOpen) as refused:
        start(cast, consent)
    assert refused.value.recording == open_one
    assert "Fátima" in refused.value.public_message
    assert start(cast, consent, employee=cast.teammate).is_open


# Parts


def test_a_browser_that_comes_back_gets_its_part_and_another_the_next(
    open_one: LiveRecording,
) -> None:
    mine, other = uuid4(), uuid4()
    first = services.part_for(recording=open_one, token=mine)
    assert services.part_for(recording=open_one, token=other).number == first.number + 1
    assert services.part_for(recording=open_one, token=mine) == first
    assert first.journal.parent == open_one.folder


def test_no_part_of_what_has_ended_or_is_gone(open_one: LiveRecording) -> None:
    LiveRecording.objects.update(state="stored")
    with pytest.raises(Refused, match="ended"):
        services.part_for(recording=open_one, token=uuid4())
    LiveRecording.objects.all().delete()
    with pytest.raises(Refused, match="gone"):
        services.part_for(recording=open_one, token=uuid4())


def test_no_part_once_the_consent_is_withdrawn(open_one: LiveRecording) -> None:
    Consent.objects.update(withdrawn_at=timezone.now())
    with pytest.raises(Refused, match="consent_withdrawn"):
        services.part_for(recording=open_one, token=uuid4())


def test_a_consent_that_expires_meanwhile_ends_no_recording(
    open_one: LiveRecording, cast: Cast, consent: Consent
) -> None:
    expire(consent)
    assert services.part_for(recording=open_one, token=uuid4()).number == 1
    session = cast.client(cast.owner).session.session_key
    assert admit(session, open_one.pk).recording == open_one


def test_a_sign_of_life_is_noted_and_what_is_saved_never_falls(open_one: LiveRecording) -> None:
    LiveRecording.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    services.note_alive(recording_id=open_one.pk, saved_ms=5000, state="private")
    services.note_alive(recording_id=open_one.pk, saved_ms=4000)
    open_one.refresh_from_db()
    assert (open_one.saved_ms, open_one.state, open_one.is_interrupted) == (5000, "private", False)
    services.note_alive(recording_id=open_one.pk, saved_ms=6000, state="stored")
    open_one.refresh_from_db()
    assert open_one.state == "private"


# What is heard


def test_turns_follow_each_other_with_how_far_was_heard(open_one: LiveRecording) -> None:
    part = record(open_one, pcm(1))
    hear(part)
    hear(part, [("S1", 20.0, "Y mi hermana.")])
    assert list(LiveTurn.objects.values_list("position", "role"))[-2:] == [
        (3, "usuario"),
        (4, "otro"),
    ]
    part.refresh_from_db()
    open_one.refresh_from_db()
    assert part.heard_samples == 16 * 16000
    assert (open_one.voices, open_one.heard_engine) == ({"empleado": [0.5]}, "local")


def test_a_second_part_is_told_after_what_was_heard_of_the_first(open_one: LiveRecording) -> None:
    hear(record(open_one, pcm(1)))
    second = record(open_one, pcm(1))
    hear(second, [("usuario", 2.0, "Pues sí.")])
    told = queries.snapshot(open_one)["turns"]
    assert (told[1]["start"], told[-1]["start"]) == (4.0, 18.0)


def test_roles_are_given_to_voices_and_to_what_they_say_later(open_one: LiveRecording) -> None:
    part = record(open_one, pcm(1))
    hear(part, [("S1", 0.0, "Hola."), ("S2", 1.0, "Buenas.")])
    changed = services.set_roles(recording=open_one, roles={"S1": "empleado", "S2": "usuario"})
    assert [turn.role for turn in changed] == ["empleado", "usuario"]
    hear(part, [("S2", 2.0, "Soy Fátima.")])
    assert open_one.turns.get(position=2).role == "usuario"
    [relabelled] = services.relabel(recording=open_one, speakers={0: "S1", 1: "S1"})
    assert (relabelled.position, relabelled.role) == (1, "empleado")


def test_a_recogniser_that_is_late_changes_nothing(open_one: LiveRecording) -> None:
    part = record(open_one, pcm(1))
    hear(part)
    heard = list(open_one.turns.all())
    LiveRecording.objects.update(state="stored")
    late = [turn("usuario", 30.0, "Tarde.")]
    assert not services.add_turns(
        part=part, turns=late, heard_samples=1, voices={}, engine="local", model="base"
    )
    assert not services.relabel(recording=open_one, speakers={0: "usuario"})
    assert not services.set_roles(recording=open_one, roles={"usuario": "otro"})
    assert not find(open_one, PADRON)
    assert list(open_one.turns.all()) == heard
    part.refresh_from_db()
    assert part.heard_samples == 16 * 16000


# Ticks


def test_a_machine_ticks_with_the_words_it_heard(open_one: LiveRecording) -> None:
    hear(record(open_one, pcm(1)))
    find(open_one, PADRON)
    assert queries.snapshot(open_one)["ticks"] == [
        {
            "question": "empadronamiento",
            "state": "answered",
            "origin": "machine",
            "value": "Sí",
            "quote": "calle Olmo",
            "start": 5.5,
        }
    ]


def test_a_machine_only_goes_forward(open_one: LiveRecording) -> None:
    hear(record(open_one, pcm(1)))
    assert find(open_one, ASKED)
    assert find(open_one, DECLINED)
    assert not find(open_one, ASKED, DECLINED)
    assert LiveTick.objects.get().state == "declined"


def test_a_machine_without_proof_ticks_nothing(open_one: LiveRecording) -> None:
    hear(record(open_one, pcm(1)), [("empleado", 0.0, "¿Vive en la calle Olmo?")])
    own = PADRON.__class__("empadronamiento", "answered", "Sí", (), 0.9)
    assert not find(open_one, own)


@pytest.mark.parametrize("state", ["unasked", "asked", "answered", "declined"])
def test_what_a_person_ticks_no_machine_moves(
    open_one: LiveRecording, cast: Cast, state: str
) -> None:
    hear(record(open_one, pcm(1)))
    find(open_one, PADRON)
    services.tick(
        recording=open_one, employee=cast.teammate, question="empadronamiento", state=state
    )
    assert not find(open_one, PADRON)
    kept = LiveTick.objects.get()
    assert (kept.state, kept.origin, kept.edited_by) == (state, "person", cast.teammate)
    # To agree keeps what was heard; to contradict it does not.
    assert bool(kept.evidence) == (state == "answered")


def test_ticks_by_hand_that_cannot_be(open_one: LiveRecording, cast: Cast) -> None:
    by_hand = {"recording": open_one, "employee": cast.owner}
    with pytest.raises(Refused, match="state"):
        services.tick(**by_hand, question="ingresos", state="quizá")
    with pytest.raises(Refused, match="not_found"):
        services.tick(**by_hand, question="color_favorito", state="asked")
    LiveRecording.objects.update(state="stored")
    with pytest.raises(Refused, match="ended"):
        services.tick(**by_hand, question="ingresos", state="asked")


@pytest.mark.django_db(transaction=True)
def test_whoever_watches_is_told_what_changes(cast: Cast, consent: Consent) -> None:
    seed_default_questionnaire()
    recording = start(cast, consent)
    part = record(recording, pcm(1))
    with psycopg.connect(_url()) as listening:
        listening.autocommit = True
        listening.execute(f"LISTEN {news.CHANNEL}")
        hear(part)
        find(recording, PADRON)
        services.note_alive(recording_id=recording.pk, saved_ms=1, state="paused")
        services.note_alive(recording_id=recording.pk, saved_ms=2, state="paused")
        services.discard(recording=recording)
        told = [json.loads(n.payload) for n in listening.notifies(timeout=5, stop_after=5)]
    assert {message["topic"] for message in told} == {topic(recording.pk)}
    kinds = [message["message"]["type"] for message in told]
    assert kinds == ["turns", "coverage", "state", "yield", "ended"]
    assert told[-1]["message"]["url"] is None


def _url() -> str:
    parts = connection.get_connection_params()
    known = ("host", "port", "user", "password", "dbname")
    return psycopg.conninfo.make_conninfo(**{k: parts[k] for k in known if parts.get(k)})


# Who sees what


def test_open_recordings_of_others_are_seen_by_the_team_only(
    open_one: LiveRecording, cast: Cast
) -> None:
    assert list(queries.open_visible_to(cast.teammate)) == [open_one]
    assert not queries.open_for(cast.teammate)
    assert not queries.visible_to(cast.stranger)


def test_one_counts_as_interrupted_once_its_browser_is_silent(
    open_one: LiveRecording, cast: Cast
) -> None:
    assert queries.interrupted_for(cast.owner) == []
    LiveRecording.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    assert queries.interrupted_for(cast.owner) == [open_one]
