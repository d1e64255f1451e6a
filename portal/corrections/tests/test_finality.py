"""After its time: not a byte of it, in the database or in any file, whatever happens meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from conftest import Cast
from portal.conversations import filing
from portal.conversations.models import Recording
from portal.conversations.tests import test_services as storage
from portal.corrections import finality, played, redaction
from portal.corrections.models import Redaction
from portal.corrections.tests.scene import (
    FIRST,
    HIGH,
    LAST,
    LOW,
    SECRETS,
    Talk,
    files,
    files_that_sound,
    files_with,
    make_talk,
    rows_with,
    share_of,
    sound,
)
from portal.participants.models import Consent
from portal.speech import audio
from portal.speech.tests.conftest import write_audio

pytestmark = pytest.mark.django_db(transaction=True)


def strike(talk: Talk, cast: Cast, start: float = FIRST, end: float = LAST) -> Redaction:
    return redaction.strike(
        conversation=talk.conversation, employee=cast.owner, start=start, end=end
    )


def its_time_is_over(*which: Redaction) -> None:
    rows = Redaction.objects.filter(pk__in=[r.pk for r in which]) if which else Redaction.objects
    rows.update(final_at=timezone.now() - timedelta(seconds=1))


def finish() -> None:
    its_time_is_over()
    finality.finish_due()


def nothing_is_left() -> None:
    assert rows_with(SECRETS) == set()
    assert files_with(SECRETS) == []
    assert files_that_sound() == []
    assert Redaction.objects.get().kept == {}
    assert Redaction.objects.get().finished_at


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("grabacion.wav", "pcm_s16le"),  # as a live recording is stored
        ("entrevista.mp3", "flac"),
        ("entrevista.ogg", "flac"),
        ("entrevista.m4a", "flac"),
    ],
)
@pytest.mark.parametrize("with_playback", [True, False])
def test_not_a_byte_is_left(
    name: str, codec: str, with_playback: bool, cast: Cast, consent: Consent, tmp_path: Path
) -> None:
    rate = 16_000 if name.endswith("wav") else 48_000
    path = write_audio(tmp_path / name, sound(rate), rate=rate)
    talk = make_talk(cast, consent, path, played=with_playback)
    before = np.concatenate(list(audio.decode(path)), axis=1)
    assert files_that_sound()
    assert rows_with(SECRETS)
    strike(talk, cast)
    finish()
    nothing_is_left()
    recording = Recording.objects.get()
    stored = Path(recording.file.path)
    assert recording.codec == codec
    assert recording.size == stored.stat().st_size
    assert recording.sha256 == finality.partfiles.sha256(stored)
    after = np.concatenate(list(audio.decode(stored)), axis=1)
    assert after.shape == before.shape
    for start, end in ((0, FIRST - 0.2), (LAST + 0.2, 24)):
        part = slice(round(start * 16_000), round(end * 16_000))
        assert np.abs(after[:, part] - before[:, part]).max() < 1e-4
    assert len(files()) == 1 + with_playback
    client = cast.client(cast.owner)
    assert client.get(f"/conversaciones/{talk.conversation.pk}/audio/").status_code == 200


def test_nothing_happens_before_its_time(talk: Talk, cast: Cast) -> None:
    strike(talk, cast)
    assert finality.finish_due() == 0
    assert [path.name for path in files_that_sound()] == ["original.wav"]


def test_the_words_go_even_when_the_sound_cannot_yet(
    talk: Talk, cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    strike(talk, cast)
    its_time_is_over()
    for problem in (audio.BadAudio("truncated"), OSError(28, "Zarzaparrilla")):
        with monkeypatch.context() as patched:
            patched.setattr(finality, "silence", raising(problem))
            assert finality.finish_due() == 0
        assert rows_with(SECRETS) == set()
        assert Redaction.objects.get().finished_at is None
    assert "Zarzaparrilla" not in caplog.text
    finality.finish_due()
    nothing_is_left()


def test_a_step_that_reads_the_recording_is_let_finish(talk: Talk, cast: Cast) -> None:
    strike(talk, cast)
    talk.conversation.steps.filter(name="transcribe").update(state="running")
    finish()
    assert files_that_sound()
    assert rows_with(SECRETS) == set()
    talk.conversation.steps.filter(name="transcribe").update(state="done")
    finality.finish_due()
    nothing_is_left()


def test_a_recording_that_would_not_be_silent_takes_nothings_place(
    talk: Talk, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    strike(talk, cast)
    its_time_is_over()
    real = finality.silence
    for wrong in ([], [(0.0, 1.0)]):
        monkeypatch.setattr(finality, "silence", lambda s, t, _r, w=wrong: real(s, t, w))
        assert finality.finish_due() == 0
        assert [path.name for path in files_that_sound() if "original" in path.parts[-1]]
        assert Path(Recording.objects.get().file.path).name == "original.wav"


def test_one_is_final_while_another_can_still_be_undone(talk: Talk, cast: Cast) -> None:
    one, two = strike(talk, cast, 11.5, 12.5), strike(talk, cast, 13.5, LAST)
    its_time_is_over(one)
    assert finality.finish_due() == 1
    stored = Path(Recording.objects.get().file.path)
    assert share_of(stored, HIGH, one.start, one.end) < 1e-4
    assert share_of(stored, HIGH, two.start, two.end) > 0.1
    redaction.undo(redaction=two, employee=cast.owner)
    assert talk.text.endswith("mi hermana Wenceslada desde marzo.")
    assert "Zarzaparrilla" not in talk.text
    assert rows_with(SECRETS[:1]) == set()


def test_the_second_time_is_like_the_first(talk: Talk, cast: Cast) -> None:
    strike(talk, cast, 11.5, 12.5)
    finish()
    strike(talk, cast, 12.5, LAST)
    finish()
    assert files_that_sound() == []
    assert rows_with(SECRETS) == set()
    assert len(files()) == 2


def test_a_conversation_whose_file_is_gone_loses_its_words(talk: Talk, cast: Cast) -> None:
    strike(talk, cast)
    Recording.objects.all().delete()
    finish()
    assert rows_with(SECRETS) == set()
    assert Redaction.objects.get().finished_at


class Elsewhere(storage.Elsewhere):
    def delete(self, name: str) -> None:
        self.kept.pop(name, None)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        return [], [PurePath(name).name for name in self.kept if name.startswith(path)]

    def get_modified_time(self, name: str) -> datetime:
        return timezone.now() - timedelta(days=1)


def test_on_a_storage_that_is_elsewhere(
    cast: Cast, consent: Consent, tmp_path: Path, settings: Any
) -> None:
    away = {"BACKEND": f"{__name__}.Elsewhere"}
    settings.STORAGES = {**settings.STORAGES, "default": away}
    path = write_audio(tmp_path / "entrevista.mp3", sound(48_000))
    talk = make_talk(cast, consent, path)
    strike(talk, cast)
    with redaction.sound(talk.conversation) as heard:
        assert share_of(heard, HIGH, FIRST, LAST) < 1e-4
    finish()
    finality.tidy()
    nothing_is_left()
    name = str(Recording.objects.get().file.name)
    with filing.at_hand(name) as stored:
        assert share_of(stored, HIGH, FIRST, LAST) < 1e-4
        assert share_of(stored, LOW, 1.0, 10.0) > 0.1
    _folders, kept = default_storage.listdir(str(talk.conversation.pk))
    assert len(kept) == 2


# Killed anywhere


class Killed(BaseException):
    """The process is gone: nothing that would have come after happens."""


def raising(error: BaseException) -> Callable[..., Any]:
    def raises(*_args: Any, **_more: Any) -> Any:
        raise error

    return raises


@contextmanager
def killed_at(place: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """At the ``place``: before or after the function of that name does what it does."""
    when, name = place.split()
    owner: Any = {"put": filing, "delete": default_storage}.get(name, finality)
    real = getattr(owner, name)

    def dies(*args: Any, **more: Any) -> Any:
        if when == "after":
            real(*args, **more)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, dies)
        with pytest.raises(Killed):
            yield


@pytest.mark.parametrize(
    "place",
    [
        "before _silence_recording",
        "after silence",
        "after _listen",
        "before put",
        "after put",
        "after _silence_recording",
        "before delete",
        "after delete",
    ],
)
def test_killed_anywhere_it_is_the_old_one_or_the_new_one(
    place: str, talk: Talk, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    strike(talk, cast)
    its_time_is_over()
    with killed_at(place, monkeypatch):
        finality.finish_due()
    stored = Path(Recording.objects.get().file.path)
    whole = np.concatenate(list(audio.decode(stored)), axis=1)
    assert whole.shape[-1] == 24 * 16_000
    assert rows_with(SECRETS) == set()
    finality.finish_due()
    nothing_is_left()
    assert len(files()) == 2


def test_a_strike_that_breaks_off_leaves_nothing_for_long(
    talk: Talk, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name for path in files()}
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(redaction.tasks, "finish_at", raising(Killed()))
        strike(talk, cast)
    assert "Zarzaparrilla" in talk.text
    strike(talk, cast)
    (played.workshop() / "left").write_bytes(b"x")
    (played.workshop() / "folder").mkdir()
    assert len(files()) > len(before)
    finality.tidy()
    assert len(files()) > len(before)  # somebody may be at work on them
    long_ago = time.time() - 2 * 3600
    for path in [*files(), played.workshop() / "folder"]:
        os.utime(path, (long_ago, long_ago))
    finality.tidy()
    assert len(files()) == len(before)
    assert list(played.workshop().iterdir()) == []


def test_without_room_it_waits(talk: Talk, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    strike(talk, cast)
    its_time_is_over()
    with monkeypatch.context() as patched:
        patched.setattr(finality.partfiles, "free_bytes", lambda: 10**6)
        assert finality.finish_due() == 0
    assert files_that_sound()
    finality.finish_due()
    nothing_is_left()


def test_the_job_is_there_with_the_redaction(talk: Talk, cast: Cast) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    made = strike(talk, cast)
    job = ProcrastinateJob.objects.get(scheduled_at=made.final_at)
    assert (job.task_name, job.queue_name) == ("portal.corrections.finish", "housekeeping")
