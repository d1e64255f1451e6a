"""Every way in which the server refuses to go on: its code, its sentence, and what is kept."""

from __future__ import annotations

import errno
import os
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from pytest_django import Settings
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from conftest import Cast
from portal.live import consumers, journal
from portal.live.models import LiveRecording
from portal.live.protocol import (
    MOST_AUDIO_BYTES,
    Audio,
    CloseCode,
    pack_entry,
)
from portal.live.tests.server import (
    Tab,
    frame,
    frames,
    sentence,
    session_of,
    stored,
)
from portal.participants.models import Consent

pytestmark = pytest.mark.django_db(transaction=True)


MISTAKES = [
    ([b"\0"], CloseCode.MALFORMED),
    (["no es JSON"], CloseCode.MALFORMED),
    ([pack_entry(frame(2)), pack_entry(frame(4))], CloseCode.SEQUENCE),
    ([pack_entry(Audio(2, bytes(MOST_AUDIO_BYTES + 2)))], CloseCode.FRAME_SIZE),
    (['{"type": "state", "state": "private"}', pack_entry(frame(2))], CloseCode.WRONG_STATE),
]


@pytest.mark.parametrize(("messages", "code"), MISTAKES)
def test_a_mistake_ends_the_socket_and_what_came_before_is_kept(
    messages: list[bytes | str], code: CloseCode, tab: Tab, recording: LiveRecording
) -> None:
    part = uuid4()
    tab.hello(part)
    tab.send(*frames(0, 2))
    for message in messages:
        tab.socket.send(message)
    closed, said = tab.end()
    assert closed == code
    assert said[-1] == {"type": "error", "code": code, "message": sentence(code)}
    last = max(message["seq"] for message in said if message["type"] == "ack")
    expected = frames(0, 3 if code is CloseCode.SEQUENCE else 2)
    assert last == len(expected) - 1
    assert stored(recording, part) == expected


def test_a_message_beyond_all_measure_is_not_even_read(tab: Tab, recording: LiveRecording) -> None:
    part = uuid4()
    tab.hello(part)
    tab.send(frame(0))
    tab.acknowledged(0)
    tab.socket.send(bytes(70_000))
    assert tab.end()[0] == 1009
    assert stored(recording, part) == frames(0, 1)


def test_the_longest_recording_ends_by_itself(
    server: str, recording: LiveRecording, session: str, settings: Settings
) -> None:
    settings.ENV = settings.ENV.model_copy(update={"live_max_seconds": 1})
    tab = Tab(server, recording.pk, session)
    part = uuid4()
    tab.hello(part)
    tab.send(*frames(0, 5))
    assert tab.refused() == (CloseCode.TOO_LONG, sentence(CloseCode.TOO_LONG))
    assert stored(recording, part) == frames(0, 4)


def test_audio_faster_than_speech_is_no_microphone(tab: Tab, recording: LiveRecording) -> None:
    part = uuid4()
    tab.hello(part)
    tab.send(*frames(0, 4 * 60))
    assert tab.refused() == (CloseCode.TOO_FAST, sentence(CloseCode.TOO_FAST))
    kept = stored(recording, part)
    assert kept == frames(0, len(kept))
    assert len(kept) >= 4 * 30


def test_nobody_without_a_session(server: str, recording: LiveRecording, cast: Cast) -> None:
    said = (CloseCode.UNAUTHENTICATED, sentence(CloseCode.UNAUTHENTICATED))
    assert Tab(server, recording.pk, None).refused() == said
    assert Tab(server, recording.pk, "inventada").refused() == said
    session = session_of(cast.owner)
    cast.owner.is_active = False
    cast.owner.save()
    assert Tab(server, recording.pk, session).refused() == said


def test_another_team_hears_what_it_would_of_one_that_does_not_exist(
    server: str, recording: LiveRecording, cast: Cast
) -> None:
    session = session_of(cast.stranger)
    said = (CloseCode.NOT_FOUND, sentence(CloseCode.NOT_FOUND))
    assert Tab(server, recording.pk, session).refused() == said
    assert Tab(server, uuid4(), session).refused() == said


def test_nothing_without_consent(
    server: str, recording: LiveRecording, consent: Consent, session: str
) -> None:
    Consent.objects.update(withdrawn_at=timezone.now())
    said = (CloseCode.CONSENT, sentence(CloseCode.CONSENT))
    assert Tab(server, recording.pk, session).refused() == said


def test_a_recording_that_is_over(server: str, recording: LiveRecording, session: str) -> None:
    LiveRecording.objects.update(state=LiveRecording.State.STORED)
    said = (CloseCode.ENDED, sentence(CloseCode.ENDED))
    assert Tab(server, recording.pk, session).refused() == said


def test_the_sentence_is_in_the_language_of_the_employee(
    server: str, recording: LiveRecording, cast: Cast
) -> None:
    cast.stranger.language = "en"
    cast.stranger.save()
    code, said = Tab(server, recording.pk, session_of(cast.stranger)).refused()
    assert (code, said) == (CloseCode.NOT_FOUND, sentence(CloseCode.NOT_FOUND, "en"))


def test_a_page_that_says_nothing(
    monkeypatch: pytest.MonkeyPatch, server: str, recording: LiveRecording, session: str
) -> None:
    monkeypatch.setattr(consumers, "HELLO_SECONDS", 0.1)
    tab = Tab(server, recording.pk, session)
    assert tab.refused() == (CloseCode.NO_HELLO, sentence(CloseCode.NO_HELLO))


def _sign_out(cast: Cast) -> None:
    Session.objects.all().delete()


def _leave_the_team(cast: Cast) -> None:
    cast.owner.memberships.all().delete()  # type: ignore[attr-defined]


def _withdraw(cast: Cast) -> None:
    Consent.objects.update(withdrawn_at=timezone.now())


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        (_sign_out, CloseCode.UNAUTHENTICATED),
        (_leave_the_team, CloseCode.NOT_FOUND),
        (_withdraw, CloseCode.CONSENT),
    ],
)
def test_what_was_allowed_at_first_is_asked_again(
    happens: Any,
    code: CloseCode,
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
    server: str,
    recording: LiveRecording,
    session: str,
) -> None:
    monkeypatch.setattr(consumers, "CHECK_SECONDS", 0.1)
    tab = Tab(server, recording.pk, session)
    part = uuid4()
    tab.hello(part)
    tab.send(frame(0))
    tab.acknowledged(0)
    happens(cast)
    assert tab.refused() == (code, sentence(code))
    assert stored(recording, part) == frames(0, 1)


def test_a_full_disk_is_said_and_nothing_acknowledged_that_is_not_there(
    tab: Tab, recording: LiveRecording, monkeypatch: pytest.MonkeyPatch, server: str, session: str
) -> None:
    part = uuid4()
    tab.hello(part)
    tab.send(*frames(0, 2))
    tab.acknowledged(1)
    write = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(journal.os, "pwrite", full)
    tab.send(*frames(2, 6))
    code, said = tab.end()
    assert code == CloseCode.DISK_FULL
    assert said[-1]["message"] == sentence(CloseCode.DISK_FULL)
    assert not [message for message in said if message["type"] == "ack"]
    assert stored(recording, part) == frames(0, 2)
    # Who comes back before there is room hears it again.
    back = Tab(server, recording.pk, session)
    back.tell(type="hello", part=str(uuid4()), mode="record", takeover=False)
    assert back.refused() == (CloseCode.DISK_FULL, sentence(CloseCode.DISK_FULL))

    monkeypatch.setattr(journal.os, "pwrite", write)
    again = Tab(server, recording.pk, session)
    assert again.hello(part)["next"] == 2
    again.send(*frames(2, 6))
    again.acknowledged(5)
    assert stored(recording, part) == frames(0, 6)
    again.close()


def test_a_disk_that_breaks_ends_one_socket_only(
    tab: Tab,
    server: str,
    cast: Cast,
    consent: Consent,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    beside = LiveRecording.objects.create(
        participant=consent.participant, consent=consent, created_by=cast.owner, engine="local"
    )
    other = Tab(server, beside.pk, session_of(cast.teammate))
    other.hello()
    other.send(frame(0))
    other.acknowledged(0)
    tab.hello()
    sync, broken, words = os.fdatasync, [], "palabras de una persona"

    def once(descriptor: int) -> None:
        if not broken:
            broken.append(descriptor)
            raise OSError(errno.EIO, words)
        sync(descriptor)

    monkeypatch.setattr(journal.os, "fdatasync", once)
    tab.send(frame(0))
    assert tab.refused() == (1011, "")
    other.send(frame(1))
    other.acknowledged(1)
    other.close()
    assert "OSError" in caplog.text
    assert words not in caplog.text


def test_pages_of_others_may_not_open_it(
    server: str, recording: LiveRecording, session: str, settings: Settings
) -> None:
    for origin in ("https://otra.example", None):
        with pytest.raises(InvalidStatus) as refused:
            Tab(server, recording.pk, session, origin=origin)
        assert refused.value.response.status_code == 403


def test_no_socket_elsewhere(server: str, session: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://{server}/grabaciones/", origin="http://127.0.0.1")  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403
