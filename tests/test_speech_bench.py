"""What `bench/speech.py` counts with: a wrong measure would be believed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench import versions
from bench.diarization_error import Segment, diarization_error
from bench.versions import Said, Spoken
from portal.speech.audio import SAMPLE_RATE, decode, probe

TWO = (Segment(0, 10, "a"), Segment(10, 20, "b"))


def test_labels_have_no_meaning() -> None:
    assert diarization_error(TWO, [Segment(0, 10, "S2"), Segment(10, 20, "S1")]).wrong == 0


def test_one_label_for_two_is_half_wrong() -> None:
    # The collar is left out at 0, 10 and 20.
    found = diarization_error(TWO, [Segment(0, 20, "S1")])
    assert found == pytest.approx((9.5, 19.0))


def test_missed_confused_and_invented_time_add_up() -> None:
    heard = [Segment(2, 10, "S1"), Segment(10, 12, "S1"), Segment(12, 23, "S2")]
    found = diarization_error(TWO, heard, collar=0)
    assert found == pytest.approx((2 + 2 + 3, 20))


def test_two_at_once_count_twice() -> None:
    both = [Segment(0, 10, "a"), Segment(8, 18, "b")]
    heard = [Segment(0, 9, "S1"), Segment(9, 18, "S2")]
    assert diarization_error(both, heard, collar=0) == pytest.approx((2, 20))


def test_what_lies_in_the_collar_is_not_scored() -> None:
    late = [Segment(0, 10.2, "S1"), Segment(10.2, 20, "S2")]
    assert diarization_error(TWO, late).wrong == 0
    assert diarization_error(TWO, late, collar=0).wrong == pytest.approx(0.2)


def test_nothing_heard_is_all_wrong() -> None:
    assert diarization_error(TWO, [], collar=0) == (20, 20)


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    """Two people, four turns a second apart, each a tone of their own, in a silent room."""
    turns = tuple(
        Said("empleado" if i % 2 == 0 else "usuario", 1 + i * 4.0, 4 + i * 4.0, f"turno {i}")
        for i in range(4)
    )
    sound = np.zeros(18 * SAMPLE_RATE, np.float32)
    for i, turn in enumerate(turns):
        time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
        at = int(turn.start * SAMPLE_RATE)
        sound[at : at + len(time)] = 0.2 * np.sin(2 * np.pi * (400, 900)[i % 2] * time)
    return Spoken("tones", sound[None], turns)


@pytest.fixture(scope="module")
def others() -> list[Spoken]:
    rng = np.random.default_rng(1)
    return [Spoken(name, rng.normal(0, 0.1, (1, 50_000)).astype(np.float32), ()) for name in "xy"]


@pytest.mark.parametrize("ending", versions.VERSIONS)
def test_versions_are_the_same_every_time(
    ending: str, spoken: Spoken, others: list[Spoken], tmp_path: Path
) -> None:
    one, other = (versions.VERSIONS[ending](spoken, others) for _ in range(2))
    assert np.array_equal(one.sound, other.sound)
    assert [turn.text for turn in one.turns] == [turn.text for turn in spoken.turns]
    info = probe(versions.write(one, tmp_path))
    assert info.duration == pytest.approx(one.duration, abs=0.05)
    assert info.channels == len(one.sound)


def test_noise_is_as_loud_as_is_said(spoken: Spoken, others: list[Spoken]) -> None:
    added = versions.noisy(spoken, others).sound - spoken.sound
    speech = spoken.sound[0, SAMPLE_RATE : 4 * SAMPLE_RATE]
    ratio = 10 * np.log10(np.mean(speech**2) / np.mean(added**2))
    assert ratio == pytest.approx(versions.SNR_DB, abs=0.1)


def test_a_telephone_has_no_bass_and_8000_samples(
    spoken: Spoken, others: list[Spoken], tmp_path: Path
) -> None:
    path = versions.write(versions.telephone(spoken, others), tmp_path)
    assert probe(path).sample_rate == 8_000
    hiss = Spoken("hiss", others[0].sound, ())
    heard = np.concatenate(list(decode(versions.write(versions.telephone(hiss, ()), tmp_path))), 1)
    power = np.abs(np.fft.rfft(heard[0])) ** 2
    hertz = np.fft.rfftfreq(heard.shape[1], 1 / SAMPLE_RATE)
    inside = power[(hertz > 500) & (hertz < 3_000)].mean()
    assert power[hertz < 150].mean() < inside / 30
    assert power[hertz > 5_000].mean() < inside / 30


def test_who_answers_begins_before_the_other_has_ended(
    spoken: Spoken, others: list[Spoken]
) -> None:
    moved = versions.overlap(spoken, others)
    for before, turn in zip(moved.turns, moved.turns[1:], strict=False):
        assert 0.5 <= before.end - turn.start <= 1.0
        assert turn.end - turn.start == pytest.approx(3.0)
        at = int(turn.start * SAMPLE_RATE)
        tones = np.abs(np.fft.rfft(moved.sound[0, at : at + SAMPLE_RATE // 2]))
        assert min(tones[200], tones[450]) > 500  # 400 and 900 Hz, both
    assert moved.duration < spoken.duration


def test_in_stereo_both_microphones_hear_both(spoken: Spoken, others: list[Spoken]) -> None:
    left, right = versions.stereo(spoken, others).sound[:, SAMPLE_RATE : 4 * SAMPLE_RATE]
    across = 10 * np.log10(np.mean(left**2) / np.mean(right**2))
    assert across == pytest.approx(-versions.CROSSTALK_DB - versions.QUIETER_DB, abs=0.1)
