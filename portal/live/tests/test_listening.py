"""A recording's sound, from journals of several parts, as the recogniser takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import Cast
from portal.live import services
from portal.live.listening import BLOCK, Journals
from portal.live.models import LiveRecording
from portal.live.protocol import SAMPLE_RATE
from portal.live.tests.spoken import Browser
from portal.participants.models import Consent


@pytest.fixture
def recording(cast: Cast, consent: Consent, tmp_path: Path, settings: Any) -> LiveRecording:
    settings.MEDIA_ROOT = str(tmp_path)
    return LiveRecording.objects.create(
        participant=consent.participant, consent=consent, created_by=cast.owner, engine="local"
    )


def counted(first: int, last: int) -> bytes:
    """Samples that are their own numbers."""
    return np.arange(first, last, dtype="<i2").tobytes()


def heard(journals: Journals) -> list[list[int] | None]:
    """First and last number of each block, None for each break."""
    return [
        None if piece is None else [round(float(piece[0]) * 32768), round(float(piece[-1]) * 32768)]
        for piece in journals.new()
    ]


def note(browser: Browser, samples: int) -> None:
    services.add_turns(
        part=browser.part, turns=[], heard_samples=samples, voices={}, engine="local", model="base"
    )


def test_in_blocks_with_its_breaks(recording: LiveRecording) -> None:
    journals = Journals(recording, skip=False)
    assert (journals.part, heard(journals), journals.behind()) == (None, [], 0.0)
    browser = Browser(recording)
    assert journals.next_part() == browser.part
    journals.go_to(browser.part)
    browser.sends(counted(0, BLOCK + 4000))
    assert journals.behind() == pytest.approx(1.25, abs=0.01)
    browser.pauses()
    browser.sends(counted(20_000, 24_000))
    assert heard(journals) == [[0, BLOCK - 1], [BLOCK, 19_999], None, [20_000, 23_999]]
    assert journals.position == 24_000
    assert journals.behind() == 0.0
    assert heard(journals) == []
    browser.sends(counted(24_000, 24_100))
    assert heard(journals) == [[24_000, 24_099]]


def test_it_goes_on_where_it_was(recording: LiveRecording) -> None:
    browser = Browser(recording)
    browser.sends(counted(0, 8000))
    browser.pauses()
    browser.sends(counted(8000, 16_000))
    note(browser, 9000)
    journals = Journals(recording, skip=False)
    assert journals.start == 9000 / SAMPLE_RATE
    assert heard(journals) == [[9000, 15_999]]
    assert journals.position == 16_000


def test_what_was_said_while_others_had_the_machine_is_left_out(recording: LiveRecording) -> None:
    browser = Browser(recording)
    browser.sends(counted(0, 16_000))
    note(browser, 4000)
    journals = Journals(recording, skip=True)
    assert journals.start == 1.0
    assert heard(journals) == []
    browser.sends(counted(16_000, 17_000))
    assert heard(journals) == [[16_000, 16_999]]


def test_part_after_part(recording: LiveRecording) -> None:
    earlier, later = Browser(recording), Browser(recording)
    earlier.sends(counted(0, 4000))
    journals = Journals(recording, skip=False)
    assert heard(journals) == [[0, 3999]]
    assert journals.next_part() is None  # nothing was recorded there yet
    later.sends(counted(10_000, 12_000))
    assert journals.next_part() == later.part
    journals.go_to(later.part)
    earlier.sends(counted(4000, 8000))  # late: the final pass will hear it
    assert heard(journals) == [[10_000, 11_999]]
    note(later, 2000)
    after_a_crash = Journals(recording, skip=False)
    assert after_a_crash.part == later.part
    assert heard(after_a_crash) == []


def test_damage_is_not_waited_for(recording: LiveRecording) -> None:
    browser = Browser(recording)
    browser.sends(counted(0, 16_000))
    browser.close()
    path = browser.part.journal
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(whole)
    journals = Journals(recording, skip=False)
    assert journals.behind() > 0.9
    [[first, last]] = [block for block in heard(journals) if block]
    assert (first, journals.behind()) == (0, 0.0)
    assert last < 12_000
    assert heard(journals) == []
