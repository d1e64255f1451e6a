"""The socket of a live recording, on the real server: what was acknowledged is on disk, whatever
happens to connections, tabs, devices and the server."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from conftest import Cast
from portal.conversations.errors import Refused
from portal.live import consumers, services
from portal.live.events import publish
from portal.live.models import SILENT_FOR, LiveRecording
from portal.live.protocol import (
    Audio,
    CloseCode,
    Entry,
    Gap,
    GapKind,
)
from portal.live.tests.server import (
    FRAME_BYTES,
    PortalWeb,
    Tab,
    frame,
    frames,
    sentence,
    session_of,
    stored,
)
from portal.participants.models import Consent

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_acknowledged_is_on_disk(tab: Tab, recording: LiveRecording) -> None:
    part = uuid4()
    welcome = tab.hello(part)
    assert welcome["next"] == 0
    assert welcome["saved_ms"] == 0
    assert welcome["state"] == "recording"
    assert welcome["transcription"] == "starting"
    assert welcome["turns"] == welcome["ticks"] == []
    sent: list[Entry] = [*frames(0, 5), Gap(5, GapKind.PAUSED, 3000), *frames(6, 10)]
    tab.send(*sent)
    assert tab.acknowledged(9)["saved_ms"] == 9 * 250
    assert stored(recording, part) == sent

    tab.send(frame(3), frame(9))
    assert tab.hear("ack") == {"type": "ack", "seq": 9, "saved_ms": 2250}
    assert stored(recording, part) == sent


def test_a_browser_that_comes_back_goes_on_where_it_was(
    tab: Tab, server: str, recording: LiveRecording, session: str
) -> None:
    part = uuid4()
    tab.hello(part)
    tab.send(*frames(0, 4))
    tab.acknowledged(3)
    tab.close()
    again = Tab(server, recording.pk, session)
    welcome = again.hello(part)
    assert (welcome["next"], welcome["saved_ms"]) == (4, 1000)
    again.send(*frames(2, 8))
    again.acknowledged(7)
    assert stored(recording, part) == frames(0, 8)
    again.close()


def test_a_cut_connection_that_the_server_takes_for_alive_makes_room(
    tab: Tab, server: str, recording: LiveRecording, session: str
) -> None:
    part = uuid4()
    tab.hello(part)
    tab.send(*frames(0, 4))
    tab.acknowledged(3)
    again = Tab(server, recording.pk, session)
    assert again.hello(part)["next"] == 4
    # The first one is dead: nobody is there to be told anything.
    assert tab.refused() == (CloseCode.TAKEN_OVER, "")
    again.send(*frames(4, 6))
    again.acknowledged(5)
    assert stored(recording, part) == frames(0, 6)
    again.close()


def test_a_second_tab_is_refused_and_the_first_goes_on(
    tab: Tab, server: str, recording: LiveRecording, session: str
) -> None:
    part = uuid4()
    tab.hello(part)
    second = Tab(server, recording.pk, session)
    second.tell(type="hello", part=str(uuid4()), mode="record", takeover=False)
    assert second.refused() == (CloseCode.BUSY, sentence(CloseCode.BUSY))
    tab.send(frame(0))
    tab.acknowledged(0)


def test_another_device_takes_over_and_counts_on(
    tab: Tab, server: str, recording: LiveRecording, cast: Cast
) -> None:
    first, second = uuid4(), uuid4()
    tab.hello(first)
    tab.send(*frames(0, 4))
    tab.acknowledged(3)
    other = Tab(server, recording.pk, session_of(cast.teammate))
    welcome = other.hello(second, takeover=True)
    assert (welcome["next"], welcome["saved_ms"]) == (0, 1000)
    assert tab.refused() == (CloseCode.TAKEN_OVER, sentence(CloseCode.TAKEN_OVER))
    other.send(frame(0))
    assert other.acknowledged(0)["saved_ms"] == 1250
    assert [stored(recording, part) for part in (first, second)] == [frames(0, 4), frames(0, 1)]

    # What the first could not send any more still finds its place, beside.
    left = Tab(server, recording.pk, session_of(cast.owner))
    assert left.hello(first, mode="drain")["next"] == 4
    left.send(frame(4))
    left.acknowledged(4)
    assert stored(recording, first) == frames(0, 5)
    other.send(frame(1))
    other.acknowledged(1)
    for one in (left, other):
        one.close()


def test_what_is_left_never_takes_the_place_of_who_records(
    tab: Tab, server: str, recording: LiveRecording, session: str
) -> None:
    part = uuid4()
    tab.hello(part)
    beside = Tab(server, recording.pk, session)
    beside.tell(type="hello", part=str(part), mode="drain", takeover=True)
    assert beside.refused() == (CloseCode.BUSY, sentence(CloseCode.BUSY))
    tab.send(frame(0))
    tab.acknowledged(0)


def test_catching_up_after_a_while_offline_is_fine(
    server: str, recording: LiveRecording, session: str
) -> None:
    LiveRecording.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    tab = Tab(server, recording.pk, session)
    part = uuid4()
    tab.hello(part)
    tab.send(*frames(0, 4 * 60))
    tab.acknowledged(4 * 60 - 1)
    assert stored(recording, part) == frames(0, 4 * 60)
    tab.close()


def test_the_end_is_told_and_nothing_of_it_is_lost(
    tab: Tab, server: str, recording: LiveRecording, session: str
) -> None:
    tab.hello()
    tab.send(*frames(0, 12))
    tab.acknowledged(11)
    conversation = services.finish(recording=recording)
    code, said = tab.end()
    assert code == CloseCode.ENDED
    assert said[-1]["type"] == "ended"
    assert str(conversation.pk) in said[-1]["url"]
    assert conversation.recording.file.size == 44 + 12 * FRAME_BYTES
    assert Tab(server, recording.pk, session).refused()[0] == CloseCode.ENDED


def test_a_discarded_recording_leaves_nothing(tab: Tab, recording: LiveRecording) -> None:
    tab.hello()
    tab.send(*frames(0, 12))
    tab.acknowledged(11)
    services.discard(recording=recording)
    code, said = tab.end()
    assert (code, said[-1]) == (CloseCode.ENDED, {"type": "ended", "url": None})
    assert not recording.folder.exists()


def test_an_ending_that_fails_lets_the_browser_go_on(
    tab: Tab,
    recording: LiveRecording,
    monkeypatch: pytest.MonkeyPatch,
    server: str,
    session: str,
) -> None:
    monkeypatch.setattr(consumers, "ENDING_SECONDS", 0.2)
    part = uuid4()
    tab.hello(part)
    tab.send(frame(0))
    tab.acknowledged(0)
    with pytest.raises(Refused):
        services.finish(recording=recording)  # too short
    assert tab.refused() == (consumers.TRY_AGAIN_LATER, "")
    again = Tab(server, recording.pk, session)
    assert again.hello(part)["next"] == 1
    again.close()


def test_news_reach_who_has_the_recording_on_screen_and_nobody_else(
    tab: Tab, server: str, cast: Cast, consent: Consent, recording: LiveRecording
) -> None:
    beside = LiveRecording.objects.create(
        participant=consent.participant, consent=consent, created_by=cast.owner, engine="local"
    )
    other = Tab(server, beside.pk, session_of(cast.teammate))
    other.hello()
    tab.hello()
    publish(recording.pk, {"type": "partial", "text": "buenos días"})
    assert tab.hear("partial")["text"] == "buenos días"
    publish(beside.pk, {"type": "partial", "text": "hasta luego"})
    assert other.hear("partial")["text"] == "hasta luego"  # and not what came before
    other.close()


def test_the_state_is_noted_and_told(tab: Tab, recording: LiveRecording) -> None:
    tab.hello()
    for state in ("private", "recording", "paused"):
        tab.tell(type="state", state=state)
        assert tab.hear("state")["state"] == state
        recording.refresh_from_db()
        assert recording.state == state


def test_how_far_it_is_saved_is_noted_at_the_end(tab: Tab, recording: LiveRecording) -> None:
    LiveRecording.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    tab.hello()
    tab.send(*frames(0, 4), Audio(5, b"\0\0"))
    tab.refused()
    for _ in range(200):
        recording.refresh_from_db()
        if recording.saved_ms:
            break
    assert recording.saved_ms == 1000
    assert timezone.now() - recording.seen_at < SILENT_FOR


def test_a_recogniser_that_is_silent_is_no_longer_expected(
    tab: Tab, recording: LiveRecording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.live.transcription.SILENT_SECONDS", 0.5)
    tab.hello()
    publish(recording.pk, {"type": "transcription", "status": "live"})
    assert tab.hear("transcription")["status"] == "live"
    tab.send(frame(0))
    assert tab.hear("transcription")["status"] == "later"
    publish(recording.pk, {"type": "transcription", "status": "live"})
    assert tab.hear("transcription")["status"] == "live"


def test_a_server_killed_in_the_middle_loses_nothing(
    portal_web: PortalWeb, recording: LiveRecording, session: str
) -> None:
    part, everything = uuid4(), frames(0, 80)
    acknowledged = -1
    for _ in range(3):
        tab = Tab(portal_web.address, recording.pk, session)
        welcome = tab.hello(part)
        assert welcome["next"] > acknowledged
        for entry in everything[welcome["next"] : welcome["next"] + 25]:
            tab.send(entry)
        acknowledged = tab.hear("ack")["seq"]
        portal_web.kill()
        code, said = tab.end()
        assert code == 1006
        acks = [message["seq"] for message in said if message["type"] == "ack"]
        acknowledged = max([acknowledged, *acks])
        assert stored(recording, part)[: acknowledged + 1] == everything[: acknowledged + 1]
        portal_web.start()
    tab = Tab(portal_web.address, recording.pk, session)
    tab.send(*everything[tab.hello(part)["next"] :])
    tab.acknowledged(79)
    assert stored(recording, part) == everything
    tab.close()
