"""A recording made ready for a service outside, and what can be told of it without any.

Services get 16 kHz FLAC made of the samples that every time in the portal counts from, in whatever
format the recording came. Its name, its tags and its pictures stay here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from portal.engine import EngineError
from portal.speech import audio
from portal.speech.audio import SAMPLE_RATE, Samples
from portal.speech.channels import ChannelBalance
from portal.speech.diarization import listen
from portal.speech.engines.base import Transcript, Word
from portal.speech.pieces import PIECE_SECONDS, Piece, pieces
from portal.speech.turns import build_turns
from portal.speech.vad import packed, speech_stretches

if TYPE_CHECKING:
    from portal.speech.diarization import VoiceTimeline

SPOKEN = 0.5
"""Seconds of speech that count like a word where there are no words yet."""


@dataclass(frozen=True, slots=True)
class Part:
    """A FLAC file that begins ``offset`` seconds into the recording; ``seconds`` long."""

    path: Path
    offset: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Outgoing:
    """``voice``: as a Transcript's. ``balance``: of a recording with two channels. ``apart``: each
    of them has a person to itself, and the parts have both."""

    parts: tuple[Part, ...]
    duration: float
    voice: bytes
    balance: ChannelBalance | None
    apart: bool

    def transcript(
        self,
        words: Sequence[Word],
        speakers: Sequence[object],
        *,
        language: str,
        engine: str,
        model: str,
    ) -> Transcript:
        """What a service heard. ``speakers``: one for each word, by whatever the service calls
        them. Raises EngineError where there are no words."""
        if not words:
            raise EngineError(
                "No se ha reconocido ninguna palabra. La grabación está guardada: escúchela para "
                "comprobar que se oye la conversación."
            )
        together = sorted(zip(words, speakers, strict=True), key=lambda pair: pair[0].start)
        within = [self._within(word) for word, _ in together]
        numbers = self.balance.speakers_of(within) if self.balance and not self.apart else None
        names = _in_order([speaker for _, speaker in together] if numbers is None else numbers)
        return Transcript(
            turns=build_turns(within, names),
            language=language,
            duration=self.duration,
            engine=engine,
            model=model,
            voice=self.voice,
        )

    def _within(self, word: Word) -> Word:
        start = min(max(word.start, 0.0), self.duration)
        end = min(max(word.end, start), self.duration)
        probability = min(max(word.probability, 0.0), 1.0)
        return Word(word.text, round(start, 3), round(end, 3), round(probability, 3))


@contextmanager
def outgoing(
    path: Path,
    *,
    speakers: int,
    part_seconds: float | None = None,
    channels: bool = False,
    voices: VoiceTimeline | None = None,
) -> Iterator[Outgoing]:
    """The recording as files that are gone at the end of the block, in the folder for temporary
    files of the process, which sees to it that they do not outlive it either.

    ``part_seconds``: about how long each may be, cut where nobody speaks; None for one file.
    ``channels``: keep two, where each has one person. ``voices`` hears what is sent.
    Raises EngineError for what cannot be heard.
    """
    with TemporaryDirectory(prefix="portal-") as folder:
        try:
            yield _made(Path(folder), path, speakers, part_seconds, channels, voices)
        except audio.BadAudio as error:
            raise EngineError(error.public_message) from error
        except FileNotFoundError as error:
            raise EngineError("No se encuentra el archivo de audio.") from error


def _made(
    folder: Path,
    path: Path,
    speakers: int,
    part_seconds: float | None,
    channels: bool,
    voices: VoiceTimeline | None,
) -> Outgoing:
    stereo = speakers == 2 and audio.channel_count(path) == 2
    balance = ChannelBalance() if stereo else None
    parts: list[Part] = []
    voice: list[bytes] = []
    spoken: list[Word] = []
    heard = 0.0
    with _Flac(folder / "whole.flac", channels=1) as whole:
        for piece in pieces(
            audio.decode(path, stereo=stereo), seconds=part_seconds or PIECE_SECONDS
        ):
            seconds = len(piece.samples) / SAMPLE_RATE
            heard = piece.offset + seconds
            voice.append(packed(piece.probability))
            spoken += _spoken(piece)
            listen(piece, voices, balance)
            if part_seconds is None:
                whole.write(piece.samples[np.newaxis])
            else:
                part = Part(folder / f"{len(parts)}.flac", piece.offset, seconds)
                with _Flac(part.path, channels=1) as file:
                    file.write(piece.samples[np.newaxis])
                parts.append(part)
    if heard < audio.MIN_SECONDS:
        raise audio.BadAudio("too_short")
    apart = channels and balance is not None and balance.speakers_of(spoken) is not None
    if apart:
        with _Flac(folder / "whole.flac", channels=2) as whole:
            for block in audio.decode(path, stereo=True):
                whole.write(block)
    return Outgoing(
        parts=tuple(parts) or (Part(folder / "whole.flac", 0.0, heard),),
        duration=round(heard, 3),
        voice=b"".join(voice),
        balance=balance,
        apart=apart,
    )


def _spoken(piece: Piece) -> list[Word]:
    """Short stretches in which somebody speaks, as if they were words."""
    found = []
    stretches = speech_stretches(
        piece.probability, length=len(piece.samples), min_silence=0.2, pad=0.0
    )
    for stretch in stretches:
        start, end = (piece.offset + place / SAMPLE_RATE for place in (stretch.start, stretch.end))
        count = max(1, round((end - start) / SPOKEN))
        edges = np.linspace(start, end, count + 1)
        found += [Word("", float(a), float(b), 1.0) for a, b in pairwise(edges)]
    return found


def _in_order(speakers: Sequence[object]) -> list[str]:
    """ "S1", "S2" ... as they first speak."""
    labels: dict[object, str] = {}
    return [labels.setdefault(speaker, f"S{len(labels) + 1}") for speaker in speakers]


class _Flac:
    """Writes blocks of (channels, samples) at 16 kHz."""

    def __init__(self, path: Path, *, channels: int) -> None:
        import av

        self._container = av.open(str(path), "w", format="flac")
        self._stream = self._container.add_stream("flac", rate=SAMPLE_RATE)
        self._layout = "stereo" if channels == 2 else "mono"
        self._stream.codec_context.layout = self._layout
        self._stream.codec_context.format = "s16"
        self._written = 0

    def write(self, block: Samples) -> None:
        import av

        if not block.shape[1]:
            return
        # Of what `audio.decode` gives this is the very same number again.
        whole = np.clip(np.rint(block * 32768), -32768, 32767).astype(np.int16)
        interleaved = np.ascontiguousarray(whole.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout=self._layout)
        frame.sample_rate, frame.pts = SAMPLE_RATE, self._written
        self._written += block.shape[1]
        self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> _Flac:
        return self

    def __exit__(self, *_: object) -> None:
        if self._written:
            self._container.mux(self._stream.encode(None))
        self._container.close()
