"""How our stand-ins for speech services know what is said: they recognise the samples of the test
conversations themselves. What they are sent has to be that sound, at 16 kHz, sample by sample."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np

from portal.speech.audio import SAMPLE_RATE, decode

AUDIO = Path(__file__).parents[1] / "audio"
WINDOW = 400
"""Samples that are looked for; a fortieth of a second of speech is nowhere else."""


@dataclass(frozen=True)
class Heard:
    """A word, in seconds from where the sound given begins. ``speaker``: 0, 1 as they first
    speak in the whole conversation."""

    text: str
    start: float
    end: float
    speaker: int
    turn: int


@cache
def conversation(name: str = "dialogue") -> tuple[bytes, tuple[Heard, ...]]:
    """Its samples (s16le) and its words."""
    sound = np.concatenate([block[0] for block in decode(AUDIO / f"{name}.ogg")])
    pcm = np.clip(np.rint(sound * 32768), -32768, 32767).astype("<i2").tobytes()
    words: list[Heard] = []
    numbers: dict[str, int] = {}
    for turn, said in enumerate(json.loads((AUDIO / f"{name}.json").read_text())["turns"]):
        speaker = numbers.setdefault(said["speaker"], len(numbers))
        tokens = said["text"].split()
        edges = np.linspace(said["start"], said["end"], len(tokens) + 1)
        words += [
            Heard(token, float(a), float(b), speaker, turn)
            for token, a, b in zip(tokens, edges[:-1], edges[1:], strict=True)
        ]
    return pcm, tuple(words)


def words_in(pcm: bytes, *, name: str = "dialogue") -> list[Heard]:
    """The words that are whole in a stretch of the conversation; none in any other sound."""
    begin = place_of(pcm, name=name)
    if begin is None:
        return []
    seconds = len(pcm) / 2 / SAMPLE_RATE
    return [
        Heard(word.text, word.start - begin, word.end - begin, word.speaker, word.turn)
        for word in conversation(name)[1]
        if word.start - begin >= -0.05 and word.end - begin <= seconds + 0.05
    ]


def place_of(pcm: bytes, *, name: str = "dialogue") -> float | None:
    """Seconds into the conversation at which the stretch begins, if it is one of it."""
    whole, _ = conversation(name)
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")
    for first in range(0, max(1, len(samples) - WINDOW), WINDOW):
        window = samples[first : first + WINDOW]
        if len(window) < WINDOW or np.abs(window).max() < 500:
            continue  # silence is everywhere
        at = whole.find(window.tobytes())
        while at % 2:
            at = whole.find(window.tobytes(), at + 1)
        return None if at < 0 else (at // 2 - first) / SAMPLE_RATE
    return None


def pcm_of(file: bytes) -> tuple[bytes, int]:
    """Samples of an audio file (of its first channel) and how many channels it has. Raises
    av.error.FFmpegError for what is none."""
    with av.open(io.BytesIO(file)) as container:
        stream = container.streams.audio[0]
        if stream.rate != SAMPLE_RATE:
            raise ValueError(f"{stream.rate} Hz")
        channels = stream.channels
        blocks = [frame.to_ndarray().reshape(-1, channels) for frame in container.decode(stream)]
    samples = np.concatenate(blocks)
    return samples[:, 0].astype("<i2").tobytes(), channels
