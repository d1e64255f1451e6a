"""Files that cannot be transcribed: each gets its sentence, and none is thrown away."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from portal.conversations.models import Conversation, Recording
from portal.pipeline import run
from portal.pipeline.tests.conftest import Receive

RATE = 16_000


def sound(seconds: float, *, level: float = 0.3, container: str = "wav") -> bytes:
    codec = {"wav": "pcm_s16le", "mp3": "libmp3lame", "mp4": "aac", "ogg": "libopus"}[container]
    length = int(seconds * RATE)
    wave = level * np.sin(np.arange(length) * 2 * np.pi * 220 / RATE)
    samples = (wave * 32767).astype(np.int16)[np.newaxis]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=RATE if container != "ogg" else 48_000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(
            format=stream.format, layout="mono", rate=stream.rate, frame_size=stream.frame_size
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def picture() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="image2pipe") as output:
        stream = output.add_stream("png", rate=1)
        stream.width = stream.height = 16
        stream.pix_fmt = "rgb24"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def silent_film() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(15):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def promise_of_an_hour() -> bytes:
    """A WAV whose header promises an hour and which ends at once."""
    whole = bytearray(sound(3.0))
    at = whole.index(b"data") + 4
    whole[at : at + 4] = (RATE * 2 * 3600).to_bytes(4, "little")
    return bytes(whole[: at + 4 + 2000])


@pytest.mark.parametrize(
    ("make", "name", "says"),
    [
        (lambda: "Querido diario, hoy…".encode() * 50, "a.wav", "no es un audio"),
        (picture, "a.mp3", "no"),
        (silent_film, "a.mp4", "no lleva sonido"),
        (lambda: sound(3.0, container="mp4")[:600], "a.m4a", "dañado o incompleto"),
        (promise_of_an_hour, "a.wav", "dañado o incompleto"),
        (lambda: sound(5.0, level=0.0), "a.wav", "solo hay silencio"),
        (lambda: sound(1.0), "a.wav", "menos de 2 segundos"),
        (lambda: b"#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd\n" * 9, "a.mp3", "no es un audio"),
    ],
    ids=["text", "picture", "film", "truncated", "promise", "silence", "short", "playlist"],
)
def test_each_has_its_sentence(
    receive: Receive, make: Callable[[], bytes], name: str, says: str
) -> None:
    body = make()
    conversation = receive(body, name)
    run.process(conversation.pk)
    conversation = Conversation.objects.get()
    probe = conversation.steps.get(name="probe")
    assert (conversation.status, probe.state, probe.attempts) == ("failed", "failed", 1)
    assert says in probe.reason
    assert probe.reason.endswith(".")
    assert Path(Recording.objects.get().file.path).read_bytes() == body


@pytest.mark.parametrize("container", ["wav", "mp3", "mp4", "ogg"])
def test_sound_passes(receive: Receive, container: str) -> None:
    from portal.pipeline.steps import probe

    conversation = receive(sound(2.5, container=container), f"a.{container}")
    probe(conversation, lambda share: None)
    conversation.refresh_from_db()
    assert conversation.duration == pytest.approx(2.5, abs=0.15)
