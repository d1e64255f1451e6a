"""How a recording ends, also when the ending breaks off half way."""

from __future__ import annotations

import resource
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from conftest import Cast
from portal.assessments import services as assessments
from portal.assessments.models import Answer, Sheet
from portal.assessments.questionnaires import seed_default_questionnaire
from portal.conversations import filing
from portal.conversations import services as conversations
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Recording, Transcript
from portal.conversations.steps import StepName
from portal.engine import Usage
from portal.live import ending, queries, services, sound
from portal.live.journal import Journal, lock_recording
from portal.live.models import LivePart, LiveRecording, LiveTick, LiveTurn, VoiceSample
from portal.live.protocol import GapKind
from portal.live.tests.scene import ASKED, DECLINED, PADRON, find, hear, pcm, record
from portal.participants.models import Consent
from portal.usage.models import Charge
from portal.usage.queries import by_conversation
from portal.usage.services import charge

Scope = pytest.MonkeyPatch


@pytest.fixture
def recording(cast: Cast, consent: Consent, tmp_path: Path, settings: Any) -> LiveRecording:
    settings.MEDIA_ROOT = str(tmp_path)
    seed_default_questionnaire()  # a flushed database has lost it
    return services.start(
        employee=cast.owner,
        participant=consent.participant,
        consent=consent,
        engine="local",
        language="es",
        speakers=3,
        voices={"empleado": pcm(2), "usuario": pcm(2)},
    )


def finish(recording: LiveRecording, commits: Callable[..., Any]) -> Conversation:
    with commits(execute=True):
        return services.finish(recording=recording)


def answer(slug: str) -> Answer:
    return Answer.objects.get(question__slug=slug)


def test_what_its_engines_used_meanwhile_is_the_conversations(
    recording: LiveRecording, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    team, minute = recording.participant.team, Usage("deepgram", "nova-3", seconds=60, requests=1)
    charge(team=team, recording=recording.pk, used=[minute])
    record(recording, pcm(3))
    finish(recording, django_capture_on_commit_callbacks)
    charge(team=team, recording=recording.pk, used=[minute])  # told late
    [row] = by_conversation(Charge.objects.all(), recording.created_by)
    assert (row["conversation"], row["seconds"]) == (recording.pk, 120)


# The audio


def test_all_parts_become_one_file_in_order(
    recording: LiveRecording, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    record(recording, pcm(2, level=1), (GapKind.PRIVATE, 130_000), pcm(1, level=2))
    record(recording, (GapKind.INTERRUPTED, 3000), (GapKind.INTERRUPTED, 2000), pcm(1, level=3))
    made = finish(recording, django_capture_on_commit_callbacks)
    assert (made.pk, made.duration, made.speakers) == (recording.pk, 4.0, 3)
    kept = made.recording
    with wave.open(kept.file.path) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
        audio = file.readframes(file.getnframes())
    assert audio == pcm(2, level=1) + pcm(1, level=2) + pcm(1, level=3)
    assert kept.size == Path(kept.file.path).stat().st_size == 44 + len(audio)
    assert filing.sha256(Path(kept.file.path), "") == kept.sha256
    assert Path(kept.file.path).stat().st_mode & 0o777 == 0o600
    assert list(made.gaps.values_list("kind", "at", "seconds")) == [
        ("private", 2.0, 130.0),
        ("interrupted", 3.0, 5.0),
    ]
    assert not recording.folder.exists()


def test_a_file_shorter_than_was_said_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(EOFError):
        sound.join([tmp_path / "no.journal"], tmp_path / "a.wav", samples=5)


@pytest.mark.parametrize("seconds", [None, 1.9])
def test_without_audio_there_is_nothing_to_keep(
    recording: LiveRecording, seconds: float | None
) -> None:
    if seconds:
        record(recording, pcm(seconds))
    with pytest.raises(Refused, match="too_short"):
        services.finish(recording=recording)
    assert not Conversation.objects.exists()
    recording.refresh_from_db()
    assert recording.is_open


# What becomes of it


def test_ending_makes_a_conversation_that_the_pipeline_takes(
    recording: LiveRecording, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    hear(record(recording, pcm(16)))
    find(recording, PADRON, DECLINED)
    made = finish(recording, django_capture_on_commit_callbacks)
    assert (made.status, made.engine, made.language) == ("processing", "local", "es")
    assert made.created_by == recording.created_by
    with connection.cursor() as cursor:
        cursor.execute("SELECT args->>'conversation_id' FROM procrastinate_jobs")
        assert (str(made.pk),) in cursor.fetchall()
    told = made.transcript
    assert (told.engine, told.model, told.duration) == ("local", "base", 16.0)
    assert [t.speaker.role for t in told.turns.all()] == ["empleado", "usuario"] * 2
    found = answer("empadronamiento")
    assert (found.state, found.value, found.origin) == ("answered", "Sí", "machine")
    assert (found.conversation, found.engine) == (made, "extractive")
    proof = found.evidence.get()
    assert (proof.quote, proof.start, proof.turn.position) == ("calle Olmo", 5.5, 1)
    assert answer("ingresos").state == "declined"
    assert Sheet.objects.get().answered == 1
    recording.refresh_from_db()
    assert (recording.state, recording.conversation, recording.voices) == ("stored", made, {})
    for nothing in (LiveTurn, LiveTick, LivePart):
        assert not nothing.objects.exists(), nothing
    assert VoiceSample.objects.count() == 2  # the final pass needs them


def test_words_of_a_second_part_stand_where_its_audio_is(
    recording: LiveRecording, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    record(recording, pcm(20))
    hear(record(recording, pcm(16)))
    find(recording, PADRON)
    made = finish(recording, django_capture_on_commit_callbacks)
    assert made.transcript.turns.first().start == 20.0
    proof = answer("empadronamiento").evidence.get()
    assert (proof.start, proof.turn.words[0][1]) == (25.5, 24.0)


def test_nothing_was_heard_and_still_it_is_kept(
    recording: LiveRecording, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    record(recording, pcm(3))
    finish(recording, django_capture_on_commit_callbacks)
    assert not Transcript.objects.exists()


def test_ending_twice_gives_the_same(
    recording: LiveRecording, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    record(recording, pcm(3))
    first = finish(recording, django_capture_on_commit_callbacks)
    assert finish(recording, django_capture_on_commit_callbacks) == first
    assert Recording.objects.count() == 1


def test_a_withdrawn_consent_keeps_nothing_but_lets_it_be_discarded(
    recording: LiveRecording,
) -> None:
    record(recording, pcm(3))
    Consent.objects.update(withdrawn_at=timezone.now())
    with pytest.raises(Refused, match="consent_withdrawn"):
        services.finish(recording=recording)
    services.discard(recording=recording)
    assert not LiveRecording.objects.exists()


# What people ticked


def test_what_people_ticked_goes_into_the_ficha(
    recording: LiveRecording, cast: Cast, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    hear(record(recording, pcm(16)))
    find(recording, PADRON, ASKED)
    for slug, state in (
        ("nacionalidad", "declined"),
        ("empleo", "answered"),
        ("estado_salud", "asked"),
        ("empadronamiento", "unasked"),
    ):
        services.tick(recording=recording, employee=cast.teammate, question=slug, state=state)
    made = finish(recording, django_capture_on_commit_callbacks)
    declined = answer("nacionalidad")
    assert (declined.state, declined.origin, declined.edited_by) == (
        "declined",
        "person",
        cast.teammate,
    )
    for slug in ("empleo", "estado_salud"):
        marked = answer(slug)
        assert (marked.state, marked.origin, marked.edited_by) == ("asked", "", cast.teammate)
        assert marked.is_open_to_machines
    assert answer("empadronamiento").state == "unasked"
    assert queries.unticked(made) == {"empadronamiento"}
    assert LiveTick.objects.filter(origin="person").count() == 4
    page = cast.client(cast.owner).get(f"/personas/{made.participant_id}/ficha/")
    assert "Marcada durante la grabación por Bruno Salas" in page.content.decode()


def test_to_agree_with_what_was_heard_keeps_its_proof(
    recording: LiveRecording, cast: Cast, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    hear(record(recording, pcm(16)))
    find(recording, PADRON)
    services.tick(
        recording=recording, employee=cast.owner, question="empadronamiento", state="answered"
    )
    finish(recording, django_capture_on_commit_callbacks)
    assert answer("empadronamiento").evidence.get().quote == "calle Olmo"


def test_a_hand_tick_leaves_what_an_earlier_interview_brought(
    recording: LiveRecording, cast: Cast, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    assessments.sheet_for(recording.participant)
    assessments.edit_answer(answer=answer("ingresos"), employee=cast.owner, value="600 euros")
    record(recording, pcm(3))
    services.tick(recording=recording, employee=cast.owner, question="ingresos", state="declined")
    finish(recording, django_capture_on_commit_callbacks)
    assert answer("ingresos").value == "600 euros"


# What breaks off


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("where", "name"),
    [
        (sound, "join"),
        (filing, "put"),
        (conversations, "create"),
        (conversations, "enqueue"),
        (ending, "_keep_transcript"),
        (ending, "_fill_sheet"),
        (ending, "keep_hand_ticks"),
        (ending, "publish"),
        (ending.shutil, "rmtree"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_an_ending_that_breaks_off_is_completed_by_the_next(
    recording: LiveRecording, monkeypatch: Scope, where: Any, name: str, before: bool
) -> None:
    hear(record(recording, pcm(16)))
    find(recording, PADRON)
    real = getattr(where, name)

    def breaks(*args: Any, **kwargs: Any) -> None:
        if not before:
            real(*args, **kwargs)
        raise RuntimeError

    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(where, name, breaks)
        services.finish(recording=recording)
    made = services.finish(recording=recording)
    services.sweep()
    with wave.open(made.recording.file.path) as file:
        assert file.readframes(file.getnframes()) == pcm(16)
    assert answer("empadronamiento").value == "Sí"
    assert Conversation.objects.get().steps.count() == len(StepName)
    assert not recording.folder.exists()


@pytest.fixture
def files_of_at_most() -> Iterator[Callable[[int], None]]:
    """The system itself refuses longer files, as a quota does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_loses_nothing(
    recording: LiveRecording, files_of_at_most: Callable[[int], None]
) -> None:
    part = record(recording, pcm(3))
    files_of_at_most(50_000)
    with pytest.raises(Refused, match="disk_full"):
        services.finish(recording=recording)
    assert not (recording.folder / ending.ORIGINAL_NAME).exists()
    with Journal.open(part.journal) as journal:
        assert journal.samples == 48_000


@pytest.mark.parametrize("end", [services.finish, services.discard])
@pytest.mark.parametrize("held", ["recording", "part"])
def test_nobody_ends_what_somebody_still_writes(
    recording: LiveRecording, monkeypatch: Scope, end: Callable[..., Any], held: str
) -> None:
    part = record(recording, pcm(3))
    monkeypatch.setattr(ending, "PATIENCE_SECONDS", 0.1)
    with ExitStack() as stack:
        if held == "recording":
            stack.enter_context(lock_recording(recording.folder))
        else:
            stack.enter_context(Journal.open(part.journal))
        with pytest.raises(Refused, match="recording_elsewhere"):
            end(recording=recording)
    recording.refresh_from_db()
    assert recording.is_open


def test_a_part_that_comes_at_the_last_moment_is_not_left_behind(
    recording: LiveRecording, monkeypatch: Scope
) -> None:
    record(recording, pcm(3))
    join = sound.join

    def and_meanwhile(*args: Any, **kwargs: Any) -> sound.Sound:
        record(recording, pcm(1))
        return join(*args, **kwargs)

    monkeypatch.setattr(sound, "join", and_meanwhile)
    with pytest.raises(Refused, match="recording_elsewhere"):
        services.finish(recording=recording)
    monkeypatch.undo()
    assert services.finish(recording=recording).duration == 4.0


# Discarding


def test_discarding_undoes_everything_and_touches_nothing_else(
    recording: LiveRecording, cast: Cast, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    assessments.sheet_for(recording.participant)
    assessments.edit_answer(answer=answer("ingresos"), employee=cast.owner, value="600 euros")
    before = list(Answer.objects.values())
    hear(record(recording, pcm(16)))
    find(recording, PADRON)
    services.tick(recording=recording, employee=cast.owner, question="empleo", state="declined")
    with django_capture_on_commit_callbacks(execute=True):
        services.discard(recording=recording)
    for nothing in (LiveRecording, LivePart, LiveTurn, LiveTick, VoiceSample, Conversation):
        assert not nothing.objects.exists(), nothing
    assert not recording.folder.exists()
    assert list(Answer.objects.values()) == before


def test_discarding_takes_what_a_broken_ending_left(
    recording: LiveRecording,
    monkeypatch: Scope,
    tmp_path: Path,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    record(recording, pcm(3))
    with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr(conversations, "create", lambda **_: 1 / 0)
        services.finish(recording=recording)
    assert list(tmp_path.rglob("*.wav"))
    with django_capture_on_commit_callbacks(execute=True):
        services.discard(recording=recording)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_stored_is_not_discarded(
    recording: LiveRecording, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    record(recording, pcm(3))
    finish(recording, django_capture_on_commit_callbacks)
    with pytest.raises(Refused, match="stored"):
        services.discard(recording=recording)
    assert Conversation.objects.exists()


def test_sweeping_takes_only_what_nobody_needs(
    recording: LiveRecording, cast: Cast, consent: Consent, tmp_path: Path
) -> None:
    record(recording, pcm(3))
    LiveRecording.objects.update(seen_at=timezone.now() - timedelta(days=90))
    stored = services.start(
        employee=cast.teammate,
        participant=consent.participant,
        consent=consent,
        engine="local",
        voices={},
    )
    record(stored, pcm(3))
    services.finish(recording=stored)  # its folder goes at the commit, which a test never sees
    gone = tmp_path / "live" / "7e0b2c5e-7a1f-4ad4-a6ff-8e3a0f4c9b11"
    gone.mkdir()
    assert services.sweep() == 2
    assert [folder.name for folder in (tmp_path / "live").iterdir()] == [str(recording.pk)]
