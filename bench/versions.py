"""Harder versions of a spoken conversation: in noise, by telephone, with people talking at once.

Each is made from a recording, its reference and a seed, and comes out the same every time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from scipy import signal

from portal.speech.audio import SAMPLE_RATE, decode

Sound = NDArray[np.float32]

SNR_DB = 10.0
"""Speech above noise, both as mean power, speech while somebody speaks."""

BABBLERS = 4
TELEPHONE_RATE = 8_000
TELEPHONE_BAND = (300.0, 3_400.0)
OVERLAP = (0.5, 1.0)
"""Seconds by which somebody begins before the other has ended."""

EDGE = SAMPLE_RATE // 100
"""Samples over which a turn that was cut out fades in and out."""

CROSSTALK_DB = -14.0
QUIETER_DB = -9.0
"""In stereo: what each microphone hears of the other person, and how much weaker one of them is."""


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of a reference; times in seconds."""

    speaker: str
    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """``sound``: (channels, samples) at ``rate``. ``turns`` in order of ``start``."""

    name: str
    sound: Sound
    turns: tuple[Said, ...]
    rate: int = SAMPLE_RATE
    codec: str = "pcm_s16le"

    @property
    def duration(self) -> float:
        return self.sound.shape[1] / self.rate


def read(path: Path) -> Spoken:
    """An audio file and the reference beside it."""
    sound = np.concatenate(list(decode(path)), axis=1)
    reference = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return Spoken(path.stem, sound, tuple(Said(**turn) for turn in reference["turns"]))


def write(spoken: Spoken, folder: Path) -> Path:
    """A WAV file."""
    path = folder / f"{spoken.name}.wav"
    whole = np.clip(np.round(spoken.sound * 32767), -32768, 32767).astype(np.int16)
    layout = "mono" if len(whole) == 1 else "stereo"
    with av.open(str(path), "w") as out:
        stream = out.add_stream(spoken.codec, rate=spoken.rate, layout=layout)
        packed = np.ascontiguousarray(whole.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
        frame.sample_rate = spoken.rate
        out.mux(list(stream.encode(frame)))
        out.mux(list(stream.encode(None)))
    return path


def clean(spoken: Spoken, others: Sequence[Spoken]) -> Spoken:
    return spoken


def noisy(spoken: Spoken, others: Sequence[Spoken]) -> Spoken:
    """A waiting room: the hum of its air, and other people's conversations, equally loud."""
    rng = _rng(spoken)
    length = spoken.sound.shape[1]
    babble = np.zeros(length, np.float32)
    for i in range(BABBLERS):
        voice = others[i % len(others)].sound[0]
        babble += np.roll(np.resize(voice, length), int(rng.integers(length))) / _level(voice)
    noise = hum(length, rng)
    noise = noise / _level(noise) + babble / _level(babble)
    speech = _level(np.concatenate([_cut(spoken, turn) for turn in spoken.turns]))
    noise *= speech / _level(noise) * 10 ** (-SNR_DB / 20)
    mixed = spoken.sound[0] + noise
    return replace(spoken, sound=(mixed / max(1.0, float(np.abs(mixed).max())))[None])


def telephone(spoken: Spoken, others: Sequence[Spoken]) -> Spoken:
    """What a telephone line leaves: 300-3400 Hz, 8,000 samples a second, 8 bits (µ-law)."""
    band = signal.butter(4, TELEPHONE_BAND, "bandpass", fs=SAMPLE_RATE, output="sos")
    narrow = signal.sosfilt(band, spoken.sound[0])
    narrow = signal.resample_poly(narrow, TELEPHONE_RATE, SAMPLE_RATE).astype(np.float32)
    return replace(spoken, sound=narrow[None], rate=TELEPHONE_RATE, codec="pcm_mulaw")


def overlap(spoken: Spoken, others: Sequence[Spoken]) -> Spoken:
    """Whoever answers begins before the other has ended, by ``OVERLAP`` seconds, or half of the
    shorter of the two turns if that is less."""
    rng = _rng(spoken)
    first, last = spoken.turns[0], spoken.turns[-1]
    sound = np.zeros(spoken.sound.shape[1] + SAMPLE_RATE, np.float32)
    lead = spoken.sound[0, : int(first.start * SAMPLE_RATE)]
    sound[: len(lead)] = lead
    moved: list[Said] = []
    for before, turn in zip((None, *spoken.turns), spoken.turns, strict=False):
        if before is None:
            start = turn.start
        elif before.speaker == turn.speaker:
            start = moved[-1].end + turn.start - before.end
        else:
            shorter = min(before.end - before.start, turn.end - turn.start)
            start = moved[-1].end - min(float(rng.uniform(*OVERLAP)), shorter / 2)
        cut = _faded(_cut(spoken, turn))
        at = round(start * SAMPLE_RATE)
        sound[at : at + len(cut)] += cut
        moved.append(replace(turn, start=start, end=start + turn.end - turn.start))
    tail = spoken.sound[0, int(last.end * SAMPLE_RATE) :]
    end = round(moved[-1].end * SAMPLE_RATE)
    sound[end : end + len(tail)] += tail
    return replace(spoken, sound=sound[None, : end + len(tail)], turns=tuple(moved))


def stereo(spoken: Spoken, others: Sequence[Spoken]) -> Spoken:
    """A microphone each, one of them weaker, and both hear the other person too."""
    speakers = list(dict.fromkeys(turn.speaker for turn in spoken.turns))
    alone = np.zeros((len(speakers), spoken.sound.shape[1]), np.float32)
    for turn in spoken.turns:
        at = int(turn.start * SAMPLE_RATE)
        cut = _cut(spoken, turn)
        alone[speakers.index(turn.speaker), at : at + len(cut)] = cut
    across = 10 ** (CROSSTALK_DB / 20)
    left = alone[0] + across * alone[1]
    right = (alone[1] + across * alone[0]) * 10 ** (QUIETER_DB / 20)
    return replace(spoken, sound=np.stack((left, right)).astype(np.float32))


VERSIONS: dict[str, Callable[[Spoken, Sequence[Spoken]], Spoken]] = {
    "": clean,
    "_noisy": noisy,
    "_telephone": telephone,
    "_overlap": overlap,
    "_stereo": stereo,
}
"""Ending of a figure's name to what makes the version; the second argument is other recordings, for
what is heard in the background."""


def hum(length: int, rng: np.random.Generator) -> Sound:
    """Noise whose power falls with frequency, as that of fans and traffic does."""
    spectrum = np.fft.rfft(rng.normal(size=length))
    hertz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    falling = 1 / np.sqrt(np.maximum(hertz, 50.0))
    return np.fft.irfft(spectrum * falling, length).astype(np.float32)


def _rng(spoken: Spoken) -> np.random.Generator:
    return np.random.default_rng(list(spoken.name.encode()))


def _cut(spoken: Spoken, turn: Said) -> Sound:
    return spoken.sound[0, int(turn.start * SAMPLE_RATE) : int(turn.end * SAMPLE_RATE)]


def _faded(cut: Sound) -> Sound:
    ramp = np.linspace(0, 1, EDGE, dtype=np.float32)
    faded = cut.copy()
    faded[:EDGE] *= ramp
    faded[-EDGE:] *= ramp[::-1]
    return faded


def _level(sound: Sound) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))
