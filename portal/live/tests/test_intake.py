"""What the server makes of every message, in every order; and that nothing is lost by it."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.live.intake import Begin, Change, Intake, Keep, Mode, Phase, Repeat, Stop
from portal.live.journal import Journal, read
from portal.live.protocol import (
    MOST_AUDIO_BYTES,
    SAMPLE_RATE,
    Audio,
    CloseCode,
    Entry,
    Gap,
    GapKind,
    pack_entry,
)

SECOND = bytes(2 * SAMPLE_RATE // 4)  # a quarter of one, as browsers send
ENOUGH = 10_000.0
PART = UUID(int=7)
many = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def hello(part: object = None, mode: object = "record", **more: object) -> str:
    return json.dumps({"type": "hello", "part": str(part or PART), "mode": mode, **more})


def state(name: str) -> str:
    return json.dumps({"type": "state", "state": name})


def opened(
    *, next_seq: int = 0, samples: int = 0, mode: str = "record", most: int = 3600
) -> Intake:
    intake = Intake(most_seconds=most)
    assert isinstance(intake.text(hello(mode=mode)), Begin)
    intake.opened(next_seq=next_seq, samples=samples)
    return intake


def test_hello_says_what_is_wanted() -> None:
    part = UUID("8e1c7a9e-8a6d-4cc4-8c23-5f8f0a3d9d0e")
    assert Intake(most_seconds=1).text(hello(part, "drain")) == Begin(part, Mode.DRAIN, False)
    assert Intake(most_seconds=1).text(hello(part, takeover=True)) == Begin(part, Mode.RECORD, True)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "no es JSON",
        "[" * 5000,
        "[]",
        "null",
        '"hello"',
        "{}",
        '{"type": "hello"}',
        '{"type": "hello", "part": 7, "mode": "record"}',
        '{"type": "hello", "part": null, "mode": "record"}',
        hello("x"),
        hello(mode="listen"),
        hello(mode=["record"]),
        hello(takeover="yes"),
        state("recording"),
        '{"type": ["hello"]}',
        '{"type": "ack"}',
    ],
)
def test_what_is_no_hello_is_malformed(message: str) -> None:
    intake = Intake(most_seconds=1)
    assert intake.text(message) == Stop(CloseCode.MALFORMED)
    assert intake.phase is Phase.CLOSED


def test_audio_before_hello_is_malformed() -> None:
    intake = Intake(most_seconds=1)
    assert intake.binary(pack_entry(Audio(0, SECOND)), elapsed=1) == Stop(CloseCode.MALFORMED)


@pytest.mark.parametrize(
    "message", [hello(), state("stored"), state("opening"), '{"type": "state"}', "{", "7"]
)
def test_what_is_no_state_is_malformed(message: str) -> None:
    assert opened().text(message) == Stop(CloseCode.MALFORMED)


def test_who_only_sends_what_is_left_has_no_state_to_tell() -> None:
    assert opened(mode="drain").text(state("paused")) == Stop(CloseCode.MALFORMED)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"", CloseCode.MALFORMED),
        (b"\0\0\0\0\0", CloseCode.MALFORMED),
        (b"\0\0\0\0\x00" + b"abc", CloseCode.FRAME_SIZE),
        (pack_entry(Audio(0, bytes(MOST_AUDIO_BYTES + 2))), CloseCode.FRAME_SIZE),
        (b"\0\0\0\0\x04" + bytes(4), CloseCode.MALFORMED),
        (b"\0\0\0\0\x01" + bytes(3), CloseCode.MALFORMED),
        (pack_entry(Audio(8, SECOND)), CloseCode.SEQUENCE),
        (pack_entry(Gap(9, GapKind.PAUSED, 100)), CloseCode.SEQUENCE),
    ],
)
def test_what_is_no_entry_or_not_the_next(message: bytes, code: CloseCode) -> None:
    assert opened(next_seq=7).binary(message, elapsed=ENOUGH) == Stop(code)


@pytest.mark.parametrize("pause", ["paused", "private"])
def test_no_audio_in_a_pause_but_its_gap_and_repeats(pause: str) -> None:
    intake = opened()
    audio, gap = Audio(0, SECOND), Gap(1, GapKind.PRIVATE, 5000)
    assert intake.binary(pack_entry(audio), elapsed=ENOUGH) == Keep(audio)
    assert intake.text(state(pause)) == Change(Phase(pause))
    assert intake.binary(pack_entry(audio), elapsed=ENOUGH) == Repeat()
    assert intake.binary(pack_entry(gap), elapsed=ENOUGH) == Keep(gap)
    assert intake.text(state("recording")) == Change(Phase.RECORDING)
    assert intake.binary(pack_entry(Audio(2, SECOND)), elapsed=ENOUGH) == Keep(Audio(2, SECOND))
    intake.text(state(pause))
    late = intake.binary(pack_entry(Audio(3, SECOND)), elapsed=ENOUGH)
    assert late == Stop(CloseCode.WRONG_STATE)


def test_a_recording_has_a_longest_length_over_all_its_parts() -> None:
    intake = opened(samples=9 * SAMPLE_RATE, most=10)
    for seq in range(4):
        kept = intake.binary(pack_entry(Audio(seq, SECOND)), elapsed=ENOUGH)
        assert isinstance(kept, Keep)
    assert isinstance(
        intake.binary(pack_entry(Gap(4, GapKind.PAUSED, 2**32 - 1)), elapsed=ENOUGH), Keep
    )
    one_more = intake.binary(pack_entry(Audio(5, b"\0\0")), elapsed=ENOUGH)
    assert one_more == Stop(CloseCode.TOO_LONG)


def test_nobody_speaks_faster_than_time_passes() -> None:
    elapsed = 1000.0
    allowed = int((elapsed * 1.01 + 30) * SAMPLE_RATE)
    intake = opened(samples=allowed - 1)
    assert isinstance(intake.binary(pack_entry(Audio(0, b"\0\0")), elapsed=elapsed), Keep)
    too_much = intake.binary(pack_entry(Audio(1, b"\0\0")), elapsed=elapsed)
    assert too_much == Stop(CloseCode.TOO_FAST)


def test_once_closed_nothing_counts() -> None:
    intake = opened()
    intake.close()
    assert intake.binary(pack_entry(Audio(0, SECOND)), elapsed=ENOUGH) is None
    assert intake.text(hello()) is None


messages = st.one_of(
    st.tuples(st.just("hello"), st.sampled_from(["record", "drain"])),
    st.tuples(st.just("state"), st.sampled_from(["recording", "paused", "private", "stored"])),
    st.tuples(st.just("audio"), st.integers(-2, 2)),
    st.tuples(st.just("gap"), st.integers(-1, 1)),
    st.tuples(st.just("bytes"), st.binary(max_size=12)),
    st.tuples(st.just("text"), st.text(max_size=12)),
)


@many
@given(sequence=st.lists(messages, max_size=30))
def test_whatever_comes_it_keeps_only_the_next_and_never_audio_of_a_pause(
    sequence: list[tuple[str, object]],
) -> None:
    intake = Intake(most_seconds=3600)
    kept: list[Entry] = []
    last_state = "recording"
    for kind, detail in sequence:
        before = intake.phase
        match kind, detail:
            case "hello", str(mode):
                step = intake.text(hello(mode=mode))
            case "state", str(name):
                step = intake.text(state(name))
            case "text", str(text):
                step = intake.text(text)
            case "audio", int(off):
                entry = Audio(max(0, len(kept) + off), SECOND)
                step = intake.binary(pack_entry(entry), elapsed=ENOUGH)
            case "gap", int(off):
                gap = Gap(max(0, len(kept) + off), GapKind.PAUSED, 10)
                step = intake.binary(pack_entry(gap), elapsed=ENOUGH)
            case _, content:
                assert isinstance(content, bytes)
                step = intake.binary(content, elapsed=ENOUGH)
        if before is Phase.CLOSED:
            assert step is None
            assert intake.phase is Phase.CLOSED
            continue
        match step:
            case Begin():
                assert before is Phase.WAITING
                intake.opened(next_seq=0, samples=0)
            case Keep(entry):
                assert entry.seq == len(kept)
                assert last_state == "recording" or isinstance(entry, Gap)
                kept.append(entry)
            case Repeat():
                assert kept
            case Change(phase):
                last_state = str(phase)
                assert intake.phase is phase
            case Stop():
                assert intake.phase is Phase.CLOSED
            case _:
                raise AssertionError(step)


@many
@given(data=st.data())
def test_repeated_reordered_and_cut_sending_stores_what_was_recorded(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A browser that sends in any order, again and again, over connections that break, to a
    server that crashes: all it has to do is to go on where the welcome says."""
    path: Path = tmp_path_factory.mktemp("live") / "001.journal"
    recorded: list[Entry] = [
        Gap(seq, GapKind.PAUSED, seq) if seq % 7 == 6 else Audio(seq, bytes([seq, 1]) * (seq + 1))
        for seq in range(data.draw(st.integers(1, 40)))
    ]
    acknowledged = 0
    for _connection in range(data.draw(st.integers(1, 6))):
        with Journal.open(path) as journal:
            assert journal.next_seq >= acknowledged
            intake = opened(next_seq=journal.next_seq)
            order = data.draw(st.lists(st.integers(0, len(recorded) - 1), max_size=20))
            for seq in order:
                step = intake.binary(pack_entry(recorded[seq]), elapsed=ENOUGH)
                if isinstance(step, Keep):
                    journal.append([step.entry])
                    acknowledged = journal.next_seq
                elif isinstance(step, Stop):
                    assert step.code is CloseCode.SEQUENCE
                    break
        if data.draw(st.booleans()):  # it died while it wrote the next
            with path.open("ab") as file:
                file.write(data.draw(st.binary(max_size=30)))
    with Journal.open(path) as journal:
        intake = opened(next_seq=journal.next_seq)
        for entry in recorded[journal.next_seq :]:
            step = intake.binary(pack_entry(entry), elapsed=ENOUGH)
            assert step == Keep(entry)
            journal.append([entry])
    assert [entry for entry, _ in read(path)] == recorded
