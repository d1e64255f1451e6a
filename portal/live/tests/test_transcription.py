"""What the screen says of the transcription, second by second."""

from __future__ import annotations

from portal.live.transcription import PAUSE_SECONDS, SILENT_SECONDS, TranscriptionWatch


def looked_at(watch: TranscriptionWatch, first: int, beyond: int) -> list[tuple[int, str]]:
    """Audio comes all the time. -> (second, new status) when it changes"""
    changes = []
    for now in range(first, beyond):
        watch.audio(now)
        status = watch.look(now)
        if status is not None:
            changes.append((now, status))
    return changes


def test_without_a_recogniser_it_is_said_once_that_it_comes_later() -> None:
    watch = TranscriptionWatch()
    assert watch.status == "starting"
    assert looked_at(watch, 100, 200) == [(100 + int(SILENT_SECONDS) + 1, "later")]


def test_only_changes_are_told() -> None:
    watch = TranscriptionWatch()
    assert watch.heard("live", 1) == "live"
    assert watch.heard("live", 6) is None
    assert watch.heard("nonsense", 7) is None
    assert watch.heard("off", 8) == "off"


def test_a_recogniser_that_speaks_up_again_is_believed() -> None:
    watch = TranscriptionWatch()
    watch.heard("live", 0)
    assert looked_at(watch, 0, 30) == [(int(SILENT_SECONDS) + 1, "later")]
    assert watch.heard("live", 30) == "live"
    assert looked_at(watch, 30, 30 + int(SILENT_SECONDS)) == []


def test_nothing_is_expected_in_a_pause_nor_at_once_after_it() -> None:
    watch = TranscriptionWatch()
    watch.heard("live", 0)
    watch.audio(0)
    assert watch.look(PAUSE_SECONDS + 1) is None
    assert watch.look(500) is None
    assert looked_at(watch, 600, 600 + int(SILENT_SECONDS)) == []
