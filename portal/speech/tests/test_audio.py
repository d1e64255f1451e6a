from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from portal.speech import audio
from portal.speech.audio import BadAudio, decode, probe, probe_isolated
from portal.speech.tests.conftest import CODECS, tone

MakeAudio = Callable[..., Path]


def code_of(path: Path) -> str:
    with pytest.raises(BadAudio) as caught:
        probe(path)
    assert caught.value.public_message == audio.MESSAGES[caught.value.code]
    return caught.value.code


@pytest.mark.parametrize("suffix", list(CODECS))
def test_reads_every_format(suffix: str, audio_file: MakeAudio) -> None:
    info = probe(audio_file(f"speech{suffix}", seconds=3.0))
    assert info.duration == pytest.approx(3.0, abs=0.15)
    assert (info.sample_rate, info.channels, info.complete) == (48_000, 1, True)
    assert info.codec and info.container


def test_decodes_to_mono_at_16_khz(audio_file: MakeAudio) -> None:
    path = audio_file("stereo.wav", seconds=25.0, channels=2, rate=44_100)
    blocks = list(decode(path))
    assert len(blocks) > 1
    assert all(block.shape[0] == 1 and block.dtype == np.float32 for block in blocks)
    assert sum(block.shape[1] for block in blocks) == pytest.approx(25 * 16_000, abs=50)
    assert max(float(np.abs(block).max()) for block in blocks) == pytest.approx(0.3, abs=0.05)


def test_decodes_two_channels_apart(audio_file: MakeAudio) -> None:
    signal = np.concatenate((tone(3.0, rate=48_000), np.zeros((1, 144_000), np.float32)))
    (block,) = decode(audio_file("left.wav", signal=signal), stereo=True)
    assert block.shape[0] == 2
    assert np.abs(block[0]).max() > 0.2 > 0.01 > np.abs(block[1]).max()


def test_a_length_missing_from_the_header_is_measured(
    audio_file: MakeAudio, tmp_path: Path
) -> None:
    # A browser's recorder streams WebM and cannot go back to write its length.
    streamed = tmp_path / "streamed.webm"
    with av.open(str(audio_file("whole.webm", seconds=4.0))) as source, streamed.open("wb") as file:
        out = av.open(OnlyForwards(file), "w", format="webm", options={"live": "1"})
        stream = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
        out.close()
    with av.open(str(streamed)) as container:
        assert not container.duration
    assert probe(streamed).duration == pytest.approx(4.0, abs=0.1)
    assert audio.stated_duration(streamed) == pytest.approx(4.0, abs=0.1)


class OnlyForwards:
    def __init__(self, file: object) -> None:
        self.write = file.write  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"hola, esto es una nota escrita\n" * 500, "not_audio"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 100, "not_audio"),
        (b"RIFF\x24\x00\x00\x00WAVE", "truncated"),
        (b"\x00\x00\x00\x20ftypM4A " + b"\x00" * 400, "truncated"),
        (b"fLaC" + b"\x00" * 60, "truncated"),
    ],
)
def test_refuses_what_is_not_audio(content: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "upload.bin"
    path.write_bytes(content)
    assert code_of(path) == code


def test_refuses_noise_bytes(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp3"
    path.write_bytes(np.random.default_rng(1).bytes(200_000))
    assert code_of(path) in {"not_audio", "truncated"}


def test_refuses_a_video_without_sound(tmp_path: Path) -> None:
    path = tmp_path / "mute.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        blank = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        for _ in range(20):
            out.mux(stream.encode(blank))
        out.mux(stream.encode(None))
    assert code_of(path) == "no_audio_track"


def test_refuses_one_second(audio_file: MakeAudio) -> None:
    assert code_of(audio_file("short.wav", seconds=1.0)) == "too_short"


def test_refuses_silence(audio_file: MakeAudio) -> None:
    signal = np.zeros((1, 5 * 48_000), np.float32)
    assert code_of(audio_file("silence.flac", signal=signal)) == "silent"


def test_refuses_more_than_four_hours(tmp_path: Path) -> None:
    # Five hours by its header, and a hole on disk instead of sound.
    path = tmp_path / "long.wav"
    size = 5 * 3600 * 8000
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)
    with path.open("wb") as file:
        file.write(struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form)
        file.write(struct.pack("<4sI", b"data", size))
        file.truncate(44 + size)
    assert code_of(path) == "too_long"


def test_what_can_be_heard_of_a_broken_file_is_kept(audio_file: MakeAudio) -> None:
    path = audio_file("broken.mp3", seconds=10.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    info = probe(path)
    assert 3 < info.duration < 7
    assert not info.complete


def test_a_file_broken_beyond_use_is_refused(audio_file: MakeAudio) -> None:
    path = audio_file("broken.wav", seconds=10.0)
    path.write_bytes(path.read_bytes()[:20_000])
    assert code_of(path) == "truncated"


@pytest.mark.parametrize(
    ("name", "playlist"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{path}\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile {path}\n"),
    ],
)
def test_never_follows_a_path_that_a_file_names(
    name: str, playlist: str, audio_file: MakeAudio, tmp_path: Path
) -> None:
    secret = audio_file("secret.wav")
    path = tmp_path / name
    path.write_text(playlist.format(path=secret))
    assert code_of(path) == "not_audio"


class TestIsolated:
    def test_gives_the_same_answer(self, audio_file: MakeAudio) -> None:
        path = audio_file("speech.ogg")
        assert probe_isolated(path) == probe(path)

    def test_gives_the_same_refusal(self, tmp_path: Path) -> None:
        path = tmp_path / "empty.wav"
        path.touch()
        with pytest.raises(BadAudio, match="empty"):
            probe_isolated(path)

    def test_works_from_any_folder(
        self, audio_file: MakeAudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = audio_file("speech.ogg")
        monkeypatch.chdir(tmp_path)
        assert probe_isolated(path).channels == 1

    def test_a_child_out_of_memory_is_a_file_that_cannot_be_read(
        self, audio_file: MakeAudio
    ) -> None:
        with pytest.raises(BadAudio, match="truncated"):
            probe_isolated(audio_file("speech.wav"), memory_bytes=40 * 2**20)

    def test_a_child_that_takes_too_long_is_stopped(self, audio_file: MakeAudio) -> None:
        # No interpreter starts in a millisecond, so this child is always too slow.
        with pytest.raises(BadAudio, match="truncated"):
            probe_isolated(audio_file("speech.wav"), timeout=0.001)
