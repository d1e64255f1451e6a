"""The recorder: from a microphone that plays a known sound to the journal on the server's disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Playwright, expect

from conftest import Cast
from portal.assessments.models import Answer
from portal.conversations.models import Conversation
from portal.live import ending
from portal.live.models import LiveRecording, LiveTick
from portal.live.protocol import SAMPLE_RATE, GapKind
from tests.browser import microphone
from tests.browser.conftest import sign_in
from tests.browser.microphone import Pcm
from tests.browser.recording_tab import Tab, Tabs, audio, entries, gaps
from tests.browser.serving import AsgiServer


@pytest.fixture(scope="session")
def rising(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tone whose pitch says when it sounds: 300 Hz, and 100 more each second."""
    t = np.arange(30 * SAMPLE_RATE) / SAMPLE_RATE
    tone = 12_000 * np.sin(2 * np.pi * (300 * t + 50 * t**2))
    return microphone.as_wav(
        tone.astype(np.int16), tmp_path_factory.mktemp("rising") / "rising.wav"
    )


def test_a_removed_microphone_is_told_and_the_rest_kept(tab: Tab, recording: LiveRecording) -> None:
    tab.load(recording)
    tab.begin()
    tab.record(1)
    tab.run("live.capture.track.dispatchEvent(new Event('ended'))")
    assert tab.problems() == ["microphone-lost"]
    assert tab.run("live.recorder.state") == "interrupted"
    tab.wait("live.recorder.pendingSeconds === 0")
    assert tab.begin()
    tab.record(0.5)
    tab.stop()
    assert audio(recording) == tab.given()
    assert [gap.kind for gap in gaps(recording)] == [GapKind.INTERRUPTED]


def test_a_voice_sample_is_kept_by_nobody_else(tab: Tab, recording: LiveRecording) -> None:
    tab.load(recording)
    length = tab.run(
        """(async () => {
          live.capture = await live.Capture.open({});
          const samples = await live.capture.sample(1);
          await live.recorder.begin(live.capture);
          return samples.length;
        })()"""
    )
    assert length == SAMPLE_RATE
    tab.record(0.5)
    tab.stop()
    assert audio(recording) == tab.given()


def test_a_full_disk_in_the_browser_is_told_and_recording_goes_on(
    tab: Tab, recording: LiveRecording
) -> None:
    tab.load(recording)
    tab.begin()
    tab.record(0.5)
    tab.run(
        """() => {
          IDBObjectStore.prototype.put = () => {
            throw new DOMException("", "QuotaExceededError");
          };
        }"""
    )
    tab.page.context.set_offline(True)
    tab.record(1.5)
    assert tab.problems() == ["storage-full"]
    tab.page.context.set_offline(False)
    tab.stop()
    assert audio(recording) == tab.given()
    assert gaps(recording) == []


# From the microphone to the server's disk


def test_the_journal_holds_every_frame_in_order(
    tab: Tab, recording: LiveRecording, spoken: tuple[Path, Pcm]
) -> None:
    tab.load(recording)
    assert tab.begin()
    tab.record(5)
    tab.stop()
    kept = audio(recording)
    assert kept == tab.given()
    assert [entry.seq for entry in entries(recording)] == list(range(len(entries(recording))))
    assert microphone.likeness(np.frombuffer(kept, np.int16), spoken[1]) > 0.98
    assert tab.run("live.recorder.savedSeconds") == pytest.approx(len(kept) / 32_000, abs=0.002)
    tab.run("live.recorder.resume()")
    tab.record(0.5)
    tab.stop()
    [gap] = gaps(recording)
    assert gap.kind == GapKind.PAUSED
    assert audio(recording) == tab.given()
    states = tab.run("live.told.filter(({name}) => name === 'state').map(({state}) => state)")
    assert states == ["recording", "paused", "recording", "paused"]
    assert tab.problems() == []


def test_a_cut_connection_loses_nothing(tab: Tab, recording: LiveRecording) -> None:
    tab.load(recording)
    tab.begin()
    tab.record(1)
    tab.page.context.set_offline(True)
    tab.wait("live.told.some(({name, online}) => name === 'connection' && !online)")
    tab.record(3)
    assert tab.run("live.recorder.pendingSeconds") >= 2.5
    tab.run("live.recorder.pause()")
    tab.run("live.recorder.resume()")
    tab.record(1)
    tab.page.context.set_offline(False)
    tab.record(1)
    tab.stop()
    assert audio(recording) == tab.given()
    assert [gap.kind for gap in gaps(recording)] == [GapKind.PAUSED]
    assert recording.parts.count() == 1


def test_a_killed_server_loses_nothing(
    tab: Tab, recording: LiveRecording, asgi_server: AsgiServer
) -> None:
    tab.load(recording)
    tab.begin()
    tab.record(1)
    asgi_server.kill()
    tab.record(1.5)
    asgi_server.start()
    tab.record(0.5)
    tab.stop()
    assert audio(recording) == tab.given()
    assert recording.parts.count() == 1


def test_a_silent_connection_is_given_up(tab: Tab, recording: LiveRecording) -> None:
    """Nothing closes it, but nothing comes any more: the machine at the other end is gone."""
    connections: list[Any] = []

    def pass_on(socket: Any) -> None:
        server = socket.connect_to_server()
        first = not connections
        connections.append(socket)
        acks = 0

        def down(message: str | bytes) -> None:
            nonlocal acks
            if first and json.loads(message)["type"] == "ack":
                acks += 1
                if acks > 2:
                    return
            socket.send(message)

        server.on_message(down)

    tab.page.route_web_socket("**/socket/", pass_on)
    tab.load(recording)
    tab.begin()
    tab.wait("live.told.some(({name, online}) => name === 'connection' && !online)")
    tab.record(1)
    tab.stop()
    assert len(connections) > 1
    assert audio(recording) == tab.given()


def test_a_reloaded_page_goes_on_with_its_part(tab: Tab, recording: LiveRecording) -> None:
    tab.page.on("dialog", lambda dialog: dialog.accept())
    tab.load(recording)
    tab.begin()
    tab.record(1)
    tab.page.context.set_offline(True)
    tab.record(1)
    before = tab.given()
    tab.page.context.set_offline(False)
    tab.load(recording)
    assert tab.begin()
    tab.record(1)
    tab.stop()
    kept = audio(recording)
    after = tab.given()
    # What was given while `before` was read and the page left came too.
    assert kept.startswith(before)
    assert kept.endswith(after)
    [gap] = gaps(recording)
    assert gap.kind == GapKind.INTERRUPTED
    assert gap.ms < 60_000
    assert recording.parts.count() == 1


def test_a_killed_browser_goes_on_with_its_part(
    asgi_server: AsgiServer,
    playwright: Playwright,
    spoken: tuple[Path, Pcm],
    cast: Cast,
    recording: LiveRecording,
    tmp_path: Path,
) -> None:
    address = str(asgi_server)
    with microphone.listening_profile(playwright, spoken[0], tmp_path, address) as context:
        sign_in(context, cast.owner, address)
        tab = Tabs(context).open()
        tab.load(recording)
        tab.begin()
        tab.record(1)
        context.set_offline(True)
        tab.record(1)
        before = tab.given()
        microphone.kill(tmp_path)
    assert not audio(recording).startswith(before)
    with microphone.listening_profile(playwright, spoken[0], tmp_path, address) as context:
        sign_in(context, cast.owner, address)
        tab = Tabs(context).open()
        tab.load(recording)
        left = tab.run("live.Outbox.leftovers().then(([{pendingSeconds}]) => pendingSeconds)")
        assert left >= 0.5
        assert tab.begin()
        tab.record(1)
        tab.stop()
        after = tab.given()
    kept = audio(recording)
    assert kept.startswith(before)
    assert kept.endswith(after)
    assert [gap.kind for gap in gaps(recording)] == [GapKind.INTERRUPTED]
    assert recording.parts.count() == 1


def pitch_times(pcm: bytes) -> list[float]:
    """When in the rising tone each tenth of a second sounded."""
    size = SAMPLE_RATE // 10
    samples = np.frombuffer(pcm, np.int16)
    found = []
    for start in range(0, len(samples) - size, size):
        piece = samples[start : start + size] * np.hanning(size)
        if np.abs(piece).max() < 1000:
            continue
        frequency = np.abs(np.fft.rfft(piece, 1 << 15)).argmax() * SAMPLE_RATE / (1 << 15)
        found.append((frequency - 300) / 100)
    return found


STORED = """(async () => {
  const database = await new Promise((done) => {
    const request = indexedDB.open("portal-live");
    request.onsuccess = () => done(request.result);
  });
  const rows = await new Promise((done) => {
    const request = database.transaction("entries").objectStore("entries").getAll();
    request.onsuccess = () => done(request.result);
  });
  database.close();
  return rows.filter(({ message }) => message[4] === 0).flatMap((row) => [...row.message.slice(5)]);
})()"""


def test_nothing_of_a_private_pause_is_anywhere(
    asgi_server: AsgiServer,
    playwright: Playwright,
    rising: Path,
    cast: Cast,
    recording: LiveRecording,
) -> None:
    with microphone.listening(playwright, rising) as browser:
        context = browser.new_context(base_url=str(asgi_server))
        sign_in(context, cast.owner, str(asgi_server))
        tab = Tabs(context).open()
        tab.load(recording)
        tab.begin()
        tab.record(1)
        context.set_offline(True)  # so that all of it stays in the browser's store
        tab.record(1)
        private = tab.run(
            """new Promise((done) => {
              live.recorder.pausePrivately();
              live.muted = !live.capture.track.enabled;
              const begun = performance.now();
              setTimeout(() => {
                live.recorder.resume();
                done((performance.now() - begun) / 1000);
              }, 2130);
            })"""
        )
        assert tab.run("live.muted")
        tab.record(1.5)
        stored = bytes(tab.run(STORED))
        context.set_offline(False)
        tab.stop()
    kept = audio(recording)
    assert kept == tab_given(stored, kept)
    times = pitch_times(kept)
    jumps = np.diff(times)
    # The sound goes on while nobody listens: what is kept leaps over all of it, once.
    assert np.sum(jumps > 0.5) == 1
    assert jumps.max() >= private
    [gap] = gaps(recording)
    assert gap.kind == GapKind.PRIVATE
    assert gap.ms == pytest.approx(private * 1000, abs=50)


def tab_given(stored: bytes, kept: bytes) -> bytes:
    """``kept``, if what the browser had stored is a stretch of it; else what was stored."""
    return kept if stored and stored in kept else stored


# Who records

STEAL = "live.recorder.begin(live.capture, { takeover: true })"


def test_two_tabs_of_a_browser(tabs: Tabs, recording: LiveRecording) -> None:
    first, second = tabs.open(), tabs.open()
    first.load(recording)
    first.begin()
    first.record(1)
    second.load(recording)
    assert not second.begin()
    assert second.problems() == ["busy"]
    assert first.run("live.recorder.state") == "recording"
    assert second.begin(takeover=True)
    first.wait("live.recorder.state === 'interrupted'")
    assert first.problems() == ["taken-over"]
    second.record(1)
    second.stop()
    assert audio(recording, 1) == first.given()
    assert audio(recording, 2) == second.given()


def test_another_device_takes_over_and_gives_back(
    tabs: Tabs,
    playwright: Playwright,
    asgi_server: AsgiServer,
    cast: Cast,
    recording: LiveRecording,
) -> None:
    here = tabs.open()
    assert tabs.context.browser is not None
    other_context = tabs.context.browser.new_context(base_url=str(asgi_server))
    sign_in(other_context, cast.teammate, str(asgi_server))
    there = Tabs(other_context).open()
    here.load(recording)
    here.begin()
    here.record(1)
    there.load(recording)
    assert not there.begin()
    assert there.problems() == ["busy"]
    assert there.begin(takeover=True)
    here.wait("live.recorder.state === 'interrupted'")
    assert here.problems() == ["taken-over"]
    there.record(1)
    there.stop()
    # Its old part ended when the other began: what follows must not stand before that.
    assert here.begin(takeover=True)
    here.record(0.5)
    here.stop()
    numbers = recording.parts.values_list("number", flat=True)
    first, other, second = (heard for number in numbers if (heard := audio(recording, number)))
    assert first + second == here.given()
    assert other == there.given()


def test_what_is_left_of_a_closed_page_is_sent_from_any_other(
    tabs: Tabs, recording: LiveRecording
) -> None:
    first = tabs.open()
    first.load(recording)
    first.begin()
    first.record(1)
    first.page.context.set_offline(True)
    first.record(1)
    given = first.given()
    first.page.close(run_before_unload=False)
    tabs.context.set_offline(False)
    second = tabs.open()
    second.load(recording)
    # The page sends it by itself.
    expect(second.page.get_by_text("ya está guardado en el portal")).to_be_visible()
    assert second.run("live.Outbox.leftovers().then(({ length }) => length)") == 0
    assert audio(recording).startswith(given)


def test_it_pauses_itself_at_its_longest(tab: Tab, recording: LiveRecording) -> None:
    tab.load(recording, max_seconds=1)
    tab.begin()
    tab.wait("live.recorder.state === 'paused'")
    tab.wait("live.recorder.pendingSeconds === 0")
    assert tab.problems() == ["too-long"]
    tab.run("live.recorder.resume()")
    assert tab.run("live.recorder.state") == "paused"
    assert audio(recording) == tab.given()


def test_a_session_that_ends_meanwhile(
    tab: Tab, recording: LiveRecording, cast: Cast, asgi_server: AsgiServer
) -> None:
    """Signing in again, in another tab, heals it."""
    tab.load(recording)
    tab.begin()
    tab.record(0.5)
    tab.page.context.clear_cookies()
    tab.page.context.set_offline(True)
    tab.wait("live.told.some(({name, online}) => name === 'connection' && !online)")
    tab.page.context.set_offline(False)
    tab.wait("live.told.some(({code}) => code === 'unauthenticated')")
    [problem] = tab.run("live.told.filter(({name}) => name === 'problem').slice(0, 1)")
    assert "vuelva a entrar" in problem["message"]
    assert not problem["final"]
    sign_in(tab.page.context, cast.owner, str(asgi_server))
    tab.stop()
    assert audio(recording) == tab.given()


# How it ends


def test_ending_waits_until_everything_is_there(tab: Tab, recording: LiveRecording) -> None:
    tab.load(recording)
    tab.begin()
    tab.record(1)
    tab.page.context.set_offline(True)
    tab.record(1.5)
    tab.run("() => { live.url = live.recorder.finish(); }")
    tab.wait("live.told.some(({code}) => code === 'offline')")
    assert tab.run("live.recorder.state") == "stopping"
    tab.page.context.set_offline(False)
    url = tab.run("live.url")
    made = Conversation.objects.get(pk=recording.pk)
    assert str(made.pk) in url
    with made.recording.file.open("rb") as file:
        assert file.read().endswith(tab.given())
    assert tab.run("live.recorder.state") == "stored"
    assert tab.run("live.told.filter(({name}) => name === 'ended').map(({url}) => url)") == [url]
    assert tab.run(f"live.Outbox.parts('{recording.pk}').then(({{length}}) => length)") == 0
    assert tab.run("live.capture.track.readyState") == "ended"


def test_ending_that_fails_can_be_asked_for_again(tab: Tab, recording: LiveRecording) -> None:
    tab.load(recording)
    tab.begin()
    tab.record(2)
    tab.page.route("**/terminar/", lambda route: route.fulfill(status=502, body="<html>"))
    failed = tab.run("live.recorder.finish().catch(({code, passing}) => [code, passing])")
    assert failed == ["failed", True]
    assert tab.run("live.recorder.state") == "stopping"
    tab.page.unroute("**/terminar/")
    assert str(recording.pk) in tab.run("live.recorder.finish()")


def test_a_recording_left_behind_is_ended_without_a_microphone(
    tabs: Tabs, recording: LiveRecording
) -> None:
    first = tabs.open()
    first.load(recording)
    first.begin()
    first.record(1)
    tabs.context.set_offline(True)
    first.record(1.5)
    first.wait("live.given.length > 2.25 * 32000")
    given = first.given()
    first.page.close(run_before_unload=False)
    tabs.context.set_offline(False)
    second = tabs.open()
    second.load(recording)
    assert str(recording.pk) in second.run("live.recorder.finish()")
    with Conversation.objects.get(pk=recording.pk).recording.file.open("rb") as file:
        assert given in file.read()


def test_discarding_leaves_nothing_anywhere(tab: Tab, recording: LiveRecording) -> None:
    tab.load(recording)
    tab.begin()
    tab.record(1)
    assert recording.folder.exists()
    url = tab.run("live.recorder.discard()")
    assert str(recording.participant_id) in url
    assert not LiveRecording.objects.filter(pk=recording.pk).exists()
    assert not list(recording.folder.glob("*.journal"))
    assert tab.run(STORED) == []
    assert tab.run(f"live.Outbox.parts('{recording.pk}').then(({{length}}) => length)") == 0
    assert tab.run("live.told.filter(({name}) => name === 'ended').map(({url}) => url)") == [None]


def test_another_device_ends_it(tab: Tab, recording: LiveRecording) -> None:
    tab.load(recording)
    tab.begin()
    tab.record(2)
    tab.wait("live.recorder.savedSeconds >= 2")
    made = ending.finish(recording=recording)
    tab.wait("live.told.some(({name}) => name === 'ended')")
    [url] = tab.run("live.told.filter(({name}) => name === 'ended').map(({url}) => url)")
    assert str(made.pk) in url
    assert tab.run("live.recorder.state") == "stored"


def test_a_tick_survives_a_cut_and_the_last_one_counts(tab: Tab, recording: LiveRecording) -> None:
    tab.load(recording)
    tab.page.context.set_offline(True)
    tab.run("() => { live.recorder.tick('ingresos', 'asked'); }")
    tab.run("() => { live.ticked = live.recorder.tick('ingresos', 'answered'); }")
    tab.page.context.set_offline(False)
    assert tab.run("live.ticked")["state"] == "answered"
    tick = LiveTick.objects.get(recording=recording)
    assert (tick.state, tick.origin) == (Answer.State.ANSWERED, Answer.Origin.PERSON)
    assert tab.run("live.recorder.tick('no_es_pregunta', 'asked')") is None
    assert len(tab.problems()) == 1
