from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.speech import audio, playback
from portal.speech.packets import silence_packets
from portal.speech.silence import silence
from portal.speech.tests.conftest import CODECS, tone, write_audio

MakeAudio = Callable[..., Path]
EDGE = 0.005
"""Seconds in which resampling lets neighbouring sound be heard."""


def heard(path: Path) -> np.ndarray:
    return np.concatenate(list(audio.decode(path)), axis=1)[0]


def rms(signal: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(signal)))) if signal.size else 0.0


def between(signal: np.ndarray, start: float, end: float) -> np.ndarray:
    return signal[round(start * audio.SAMPLE_RATE) : round(end * audio.SAMPLE_RATE)]


def check(before: np.ndarray, after: np.ndarray, start: float, end: float) -> None:
    assert after.shape == before.shape
    assert rms(between(before, start + EDGE, end - EDGE)) > 0.1
    assert rms(between(after, start + EDGE, end - EDGE)) == 0.0
    for outside in ((0.0, start - EDGE), (end + EDGE, 60.0)):
        assert between(after, *outside) == pytest.approx(between(before, *outside), abs=1e-4)


@pytest.mark.parametrize("suffix", list(CODECS))
@pytest.mark.parametrize("channels", [1, 2])
def test_a_stretch_of_any_format_is_silent_and_the_rest_is_as_it_was(
    suffix: str, channels: int, audio_file: MakeAudio, tmp_path: Path
) -> None:
    source = audio_file(f"speech{suffix}", seconds=4.0, channels=channels)
    made = silence(source, tmp_path / "made", [(1.25, 2.5)])
    check(heard(source), heard(made.path), 1.25, 2.5)
    kept = ("pcm_s16le", ".wav") if suffix == ".wav" else ("flac", ".flac")
    assert (made.codec, made.path.suffix) == kept
    assert (made.sample_rate, made.channels) == (48_000, channels)
    assert made.path.stat().st_mode & 0o777 == 0o600


def test_no_byte_of_a_wav_changes_but_those_of_the_stretch(
    audio_file: MakeAudio, tmp_path: Path
) -> None:
    source = audio_file("speech.wav", seconds=3.0)
    before = source.read_bytes()
    after = silence(source, tmp_path / "made", [(1.0, 2.0)]).path.read_bytes()
    begins = before.index(b"data") + 8
    first, last = begins + 2 * 48_000, begins + 4 * 48_000
    assert after[:first] + after[last:] == before[:first] + before[last:]
    assert after[first:last] == bytes(2 * 48_000)
    assert any(before[first:last])


CODINGS = [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (6, 8), (7, 8)]


@pytest.mark.parametrize(("coding", "bits"), CODINGS)
@pytest.mark.parametrize("extensible", [False, True])
def test_a_wav_of_any_coding_is_silent_there(
    coding: int, bits: int, extensible: bool, tmp_path: Path
) -> None:
    names = {(1, 8): "pcm_u8", (3, 32): "pcm_f32le", (6, 8): "pcm_alaw", (7, 8): "pcm_mulaw"}
    codec = names.get((coding, bits), f"pcm_s{bits}le")
    source = tmp_path / "coded.wav"
    with av.open(str(source), "w", format="wav") as out:
        stream = out.add_stream(codec, rate=8000, layout="mono")
        resampler = av.AudioResampler(
            format=stream.codec_context.codec.audio_formats[0].name, layout="mono", rate=8000
        )
        frame = av.AudioFrame.from_ndarray(tone(3.0, rate=8000), format="fltp", layout="mono")
        frame.sample_rate = 8000
        for resampled in resampler.resample(frame):
            out.mux(stream.encode(resampled))
        out.mux(stream.encode(None))
    if extensible and bits <= 16:  # FFmpeg itself writes the longer one above that
        source.write_bytes(as_extensible(source.read_bytes()))
    before = heard(source)
    made = silence(source, tmp_path / "made", [(1.0, 2.0)])
    assert (made.codec, made.path.suffix) == (codec, ".wav")
    after = heard(made.path)
    assert np.abs(between(after, 1.01, 1.99)).max() < 0.0005
    assert np.array_equal(between(before, 0.0, 0.99), between(after, 0.0, 0.99))
    assert np.array_equal(between(before, 2.01, 3.0), between(after, 2.01, 3.0))


def as_extensible(wav: bytes) -> bytes:
    """The same samples under the longer header that recorders of several channels write."""
    at = wav.index(b"fmt ")
    form = wav[at + 8 : at + 24]
    data = wav[wav.index(b"data") :]
    coding, bits = form[:2], struct.unpack("<H", form[14:16])[0]
    guid = coding + bytes.fromhex("000000001000800000aa00389b71")
    body = struct.pack("<H", 0xFFFE) + form[2:] + struct.pack("<HHI", 22, bits, 4) + guid
    chunks = b"WAVE" + b"fmt " + struct.pack("<I", len(body)) + body + data
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def test_a_wav_that_breaks_off_is_written_anew(audio_file: MakeAudio, tmp_path: Path) -> None:
    whole = audio_file("speech.wav", seconds=4.0).read_bytes()
    source = tmp_path / "broken.wav"
    source.write_bytes(whole[:-100_001])
    made = silence(source, tmp_path / "made", [(1.0, 2.0)])
    assert made.codec == "flac"
    check(heard(source), heard(made.path), 1.0, 2.0)


def test_damage_in_the_middle_moves_nothing(audio_file: MakeAudio, tmp_path: Path) -> None:
    data = bytearray(audio_file("speech.mp3", seconds=6.0).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    source = tmp_path / "damaged.mp3"
    source.write_bytes(data)
    made = silence(source, tmp_path / "made", [(4.0, 5.0)])
    check(heard(source), heard(made.path), 4.0, 5.0)


def test_what_is_no_audio_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "letter.wav"
    source.write_bytes(b"Estimada familia")
    with pytest.raises(audio.BadAudio):
        silence(source, tmp_path / "made", [(0.0, 1.0)])


times = st.floats(0.0, 3.5).map(lambda n: round(n, 3))


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stretches=st.lists(st.tuples(times, times).map(sorted), max_size=4), suffix=st.booleans())
def test_any_stretches(
    stretches: list[tuple[float, float]], suffix: bool, tmp_path: Path, audio_file: MakeAudio
) -> None:
    source = tmp_path / f"any{'.wav' if suffix else '.flac'}"
    if not source.exists():
        audio_file(source.name, seconds=3.0, rate=16_000)
    before, after = heard(source), heard(silence(source, tmp_path / "made", stretches).path)
    assert after.shape == before.shape
    silent = np.zeros(before.shape, bool)
    for start, end in stretches:
        silent[int(np.floor(start * 16_000)) : int(np.ceil(end * 16_000))] = True
    assert not after[silent].any()
    assert np.array_equal(after[~silent], before[~silent])


# What is played


@pytest.mark.parametrize("stretch", [(2.0, 4.0), (0.0, 1.0), (8.5, 20.0)])
def test_packets_of_a_stretch_are_silent_and_the_rest_is_copied(
    stretch: tuple[float, float], tmp_path: Path, dialogue: Path
) -> None:
    source, target = tmp_path / "played.webm", tmp_path / "silent.webm"
    sound = playback.make(cut(dialogue, tmp_path, seconds=10), source)
    silence_packets(source, target, [stretch])
    before, after = heard(source), heard(target)
    # A last packet that is silent lasts as long as any.
    assert 0 <= len(after) - len(before) < 0.04 * audio.SAMPLE_RATE
    start, end = stretch
    assert rms(between(before, start, end)) > 0.02
    assert np.abs(between(after, start + 0.02, end)).max() < 1e-4
    assert np.array_equal(
        between(before, 0.0, max(start - 0.1, 0.0)), between(after, 0.0, max(start - 0.1, 0.0))
    )
    left, right = between(before, end + 0.3, 10.0), between(after, end + 0.3, 10.0)
    assert rms(left - right) <= 0.2 * rms(left)
    assert audio.stated_duration(target) == pytest.approx(sound.duration, abs=0.05)
    # What a player looks for first stands first, so that it can begin anywhere at once.
    assert target.read_bytes().index(b"\x1c\x53\xbb\x6b") < 4000
    again = tmp_path / "again.webm"
    silence_packets(target, again, [(start, end)])
    assert again.read_bytes() == target.read_bytes()


def cut(path: Path, folder: Path, *, seconds: int) -> Path:
    return write_audio(
        folder / "cut.wav", heard(path)[None, : seconds * audio.SAMPLE_RATE], rate=audio.SAMPLE_RATE
    )
