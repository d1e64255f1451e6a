from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.speech import audio, playback
from portal.speech.audio import SAMPLE_RATE, BadAudio
from portal.speech.playback import MOST_PEAKS, STRETCH, Sound, _Waveform, make
from portal.speech.tests.conftest import AUDIO, tone, write_audio

CUES, CLUSTER = b"\x1c\x53\xbb\x6b", b"\x1f\x43\xb6\x75"


def whole(path: Path) -> np.ndarray:
    return np.concatenate([block[0] for block in audio.decode(path)])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sound]:
    target = tmp_path_factory.mktemp("playback") / "sound.webm"
    return target, make(AUDIO / "dialogue.ogg", target, seconds=30)


def test_the_same_sound_at_the_same_times(made: tuple[Path, Sound]) -> None:
    target, sound = made
    first, second = whole(AUDIO / "dialogue.ogg"), whole(target)
    assert sound.duration == pytest.approx(len(first) / SAMPLE_RATE, abs=0.001)
    assert len(second) / SAMPLE_RATE == pytest.approx(sound.duration, abs=0.05)
    # Loud where it was loud: the best of all shifts up to half a second is none.
    length = min(len(first), len(second)) // 80 * 80
    envelopes = [np.abs(one[:length]).reshape(-1, 80).mean(axis=1) for one in (first, second)]
    fit = [np.corrcoef(envelopes[0][100:-100], np.roll(envelopes[1], at)[100:-100])[0, 1]
           for at in range(-100, 101)]  # fmt: skip
    assert abs(int(np.argmax(fit)) - 100) <= 1
    assert max(fit) > 0.97


def test_small_mono_opus_with_its_index_in_front(made: tuple[Path, Sound]) -> None:
    target, sound = made
    with av.open(str(target)) as container:
        stream = container.streams.audio[0]
        assert (container.format.name, stream.codec_context.name) == ("matroska,webm", "opus")
        assert stream.codec_context.channels == 1
        assert container.duration / 1e6 == pytest.approx(sound.duration, abs=0.1)
    content = target.read_bytes()
    assert 0 < content.index(CUES) < content.index(CLUSTER)
    assert len(content) < sound.duration * 4000


def test_an_index_that_needs_more_room_than_told(tmp_path: Path) -> None:
    source = write_audio(tmp_path / "long.wav", tone(400), rate=SAMPLE_RATE)
    make(source, tmp_path / "sound.webm", seconds=1)
    content = (tmp_path / "sound.webm").read_bytes()
    assert content.index(CUES) < content.index(CLUSTER)


def test_again_is_the_same_file(made: tuple[Path, Sound], tmp_path: Path) -> None:
    again = tmp_path / "again.webm"
    assert make(AUDIO / "dialogue.ogg", again, seconds=30) == made[1]
    assert again.read_bytes() == made[0].read_bytes()


def test_the_waveform_is_low_where_it_is_quiet(tmp_path: Path) -> None:
    quiet = np.zeros((1, 5 * SAMPLE_RATE), np.float32)
    source = write_audio(tmp_path / "a.wav", np.hstack([tone(5), quiet]), rate=SAMPLE_RATE)
    shares: list[float] = []
    sound = make(source, tmp_path / "a.webm", seconds=10, progress=shares.append)
    assert len(sound.peaks) == 100
    assert min(sound.peaks[:49]) > 90
    assert max(sound.peaks[51:]) == 0
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_what_is_no_audio(tmp_path: Path) -> None:
    (tmp_path / "a.ogg").write_bytes(b"OggS" + bytes(5000))
    with pytest.raises(BadAudio):
        make(tmp_path / "a.ogg", tmp_path / "a.webm")


@given(
    lengths=st.lists(st.integers(0, 3 * STRETCH), max_size=12),
    scale=st.floats(0.001, 1.0),
)
def test_blocks_make_no_difference(lengths: list[int], scale: float) -> None:
    noise = np.random.default_rng(5).normal(0, scale, sum(lengths)).astype(np.float32)
    samples = np.clip(noise, -1, 1)
    parts, once = _Waveform(), _Waveform()
    for block in np.split(samples, np.cumsum(lengths)[:-1]) if lengths else []:
        parts.add(block)
    once.add(samples)
    assert parts.peaks() == once.peaks()
    assert len(once.peaks()) == -(-len(samples) // STRETCH)
    assert all(0 <= peak <= 100 for peak in once.peaks())


def test_a_long_one_has_no_more_peaks_than_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    wave = _Waveform()
    for _ in range(4 * 360):
        wave.add(np.full(10 * SAMPLE_RATE, 0.5, np.float32))
    assert MOST_PEAKS / 2 < len(wave.peaks()) <= MOST_PEAKS
    assert set(wave.peaks()[:-1]) == {100}
    assert playback.STRETCH * 10 == SAMPLE_RATE
