"""Speech to text on this machine: faster-whisper, with speakers told apart beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from portal.engine import EngineError, Problem
from portal.speech import audio as sound
from portal.speech import hallucinations, models
from portal.speech.engines.base import (
    Audio,
    Options,
    Transcript,
    Word,
    no_progress,
)
from portal.speech.turns import build_turns

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment

    from portal.speech.channels import ChannelBalance
    from portal.speech.diarization import VoiceTimeline
    from portal.speech.pieces import Piece

DECODING = {
    "beam_size": 5,
    "word_timestamps": True,
    # Text before is no prompt: it makes loops, and mistakes would travel through a whole interview.
    "condition_on_previous_text": False,
    "vad_filter": False,  # done here, once, for the recogniser and for the speakers
}

WHISPER_PAUSES = {"min_silence": 2.0, "pad": 0.4}
"""faster-whisper's own: what it hears has short pauses left in."""

SPEAKER_PAUSES = {"min_silence": 0.25, "pad": 0.05}

VOICED = 0.3
"""Probability of speech below which a moment is silent, however sure the recogniser is."""


class LocalEngine:
    """``models_dir`` is where ``portal.speech.prepare`` put the models; ``model`` as for
    ``models.resolve_whisper``. The model is loaded at the first transcription, once per process."""

    name = "local"
    supports_diarization = True
    supports_streaming = False

    def __init__(
        self, *, models_dir: Path | None = None, model: str = models.AUTO, cpu_threads: int = 2
    ) -> None:
        self._models_dir = models_dir or models.default_models_dir()
        self._model = model
        self._threads = cpu_threads

    def check(self) -> list[Problem]:
        problem = models.whisper_problem(self._model, models_dir=self._models_dir)
        return [problem] if problem else []

    def limits(self) -> list[Problem]:
        """What works less well than it could, for ``portal doctor``; no reason not to start."""
        if models.speaker_model(self._models_dir):
            return []
        return [
            Problem(
                "Falta el modelo que distingue a quienes hablan: se usa un método más sencillo, "
                "que se equivoca más.",
                "Con conexión a internet, ejecute «make setup».",
            )
        ]

    def transcribe(
        self, audio: Audio, *, options: Options, progress: Callable[[float], None] = no_progress
    ) -> Transcript:
        folder = self._folder()
        try:
            return self._transcribe(audio.path, folder, options, progress)
        except sound.BadAudio as error:
            raise EngineError(error.public_message) from error
        except FileNotFoundError as error:
            raise EngineError("No se encuentra el archivo de audio.") from error
        except MemoryError as error:
            raise EngineError(
                "Este equipo se ha quedado sin memoria al transcribir. La grabación está a salvo: "
                "se puede volver a intentar.",
                retryable=True,
            ) from error

    def _folder(self) -> Path:
        try:
            return models.resolve_whisper(self._model, models_dir=self._models_dir)
        except models.ModelUnavailable as error:
            raise EngineError(str(error)) from error

    def _transcribe(
        self, path: Path, folder: Path, options: Options, progress: Callable[[float], None]
    ) -> Transcript:
        from portal.speech.channels import ChannelBalance
        from portal.speech.pieces import pieces

        rising = _rising(progress, max(1.0, sound.stated_duration(path)))
        whisper = _loaded(folder, self._threads)
        voices = self._voices() if options.speakers > 1 else None
        stereo = options.speakers == 2 and sound.channel_count(path) == 2
        balance = ChannelBalance() if stereo else None
        words: list[Word] = []
        language, heard = options.language, 0.0
        beside: list[Future[None]] = []
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="speakers") as executor:
            for piece in pieces(sound.decode(path, stereo=stereo)):
                heard = piece.offset + len(piece.samples) / sound.SAMPLE_RATE
                beside = [work for work in beside if not _finished(work)]
                beside.append(executor.submit(_listen, piece, voices, balance))
                segments, language = _recognise(whisper, piece, language, options.vocabulary)
                for segment in segments:
                    words.extend(segment)
                    rising(segment[-1].end if segment else piece.offset)
            for work in beside:
                work.result()
        if heard < sound.MIN_SECONDS:
            raise sound.BadAudio("too_short")
        words = hallucinations.without_loops(words)
        if not words:
            raise EngineError(
                "No se ha reconocido ninguna palabra. La grabación está guardada: escúchela para "
                "comprobar que se oye la conversación."
            )
        speakers = balance.speakers_of(words) if balance else None
        if speakers is None:
            count = options.speakers
            speakers = voices.speakers_of(words, speakers=count) if voices else [0] * len(words)
        progress(1.0)
        return Transcript(
            turns=build_turns(words, [f"S{number + 1}" for number in speakers]),
            language=language or "es",
            duration=round(heard, 3),
            engine=self.name,
            model=folder.name.removesuffix("-packaged"),
        )

    def _voices(self) -> VoiceTimeline:
        from portal.speech.diarization import VoiceTimeline
        from portal.speech.embeddings import FilterbankEncoder, SpeakerEncoder

        path = models.speaker_model(self._models_dir)
        return VoiceTimeline(SpeakerEncoder(path) if path else FilterbankEncoder())


_loading = threading.Lock()


def _loaded(folder: Path, threads: int) -> WhisperModel:
    with _loading:  # two first jobs at once must not load it twice
        return _load(folder, threads)


@lru_cache(maxsize=1)
def _load(folder: Path, threads: int) -> WhisperModel:
    from faster_whisper import WhisperModel

    try:
        return WhisperModel(str(folder), compute_type="int8", cpu_threads=threads)
    except (RuntimeError, ValueError, OSError) as error:
        raise EngineError(
            "El modelo de transcripción no se puede cargar. Ejecute «portal doctor»."
        ) from error


def _finished(work: Future[None]) -> bool:
    """Raises what the work raised."""
    if work.done():
        work.result()
    return work.done()


def _listen(piece: Piece, voices: VoiceTimeline | None, balance: ChannelBalance | None) -> None:
    from portal.speech.vad import speech_stretches

    if balance and piece.channels is not None:
        balance.add(piece.channels, offset=piece.offset)
    if voices:
        stretches = speech_stretches(piece.probability, length=len(piece.samples), **SPEAKER_PAUSES)
        voices.add(piece.samples, stretches, offset=piece.offset)


def _recognise(
    whisper: WhisperModel, piece: Piece, language: str | None, vocabulary: Iterable[str]
) -> tuple[Iterator[list[Word]], str | None]:
    """Words of each segment of a piece, as they come, and the language once it is known."""
    from faster_whisper.transcribe import restore_speech_timestamps

    from portal.speech.vad import speech_stretches

    stretches = speech_stretches(piece.probability, length=len(piece.samples), **WHISPER_PAUSES)
    if not stretches:
        return iter(()), language
    speech = np.concatenate([piece.samples[s.start : s.end] for s in stretches])
    segments, info = whisper.transcribe(
        speech, language=language, hotwords=" ".join(vocabulary) or None, **DECODING
    )
    placed = restore_speech_timestamps(
        segments, [{"start": s.start, "end": s.end} for s in stretches], sound.SAMPLE_RATE
    )
    return (_believable(segment, piece) for segment in placed), info.language


def _believable(segment: Segment, piece: Piece) -> list[Word]:
    """The segment's words, in the time of the recording; none when nobody can have said them."""
    if hallucinations.is_credit(segment.text):
        return []
    words = hallucinations.without_loops(_words(segment.words or (), piece.offset))
    text = " ".join(word.text for word in words)
    if not words or hallucinations.compression(text) > hallucinations.MOST_COMPRESSION:
        return []
    if hallucinations.is_too_fast(words) or not any(_voiced(word, piece) for word in words):
        return []
    return words


def _voiced(word: Word, piece: Piece) -> bool:
    from portal.speech.vad import STEP

    rate = sound.SAMPLE_RATE / STEP
    low = max(0, int((word.start - piece.offset - 0.1) * rate))
    high = max(low + 1, int((word.end - piece.offset + 0.1) * rate))
    return bool((piece.probability[low:high] >= VOICED).any())


def _words(raw: Iterable[Any], offset: float) -> list[Word]:
    """Whisper's words, with what follows without a space («,5», «%») joined to the word before."""
    words: list[Word] = []
    for item in raw:
        text = item.word.strip()
        if not text:
            continue
        start = max(offset + float(item.start), words[-1].end if words else 0.0)
        end = max(start, offset + float(item.end))
        if words and not item.word.startswith(" ") and not text[0].isalnum():
            last = words.pop()
            probability = min(last.probability, float(item.probability))
            words.append(Word(last.text + text, last.start, round(end, 3), round(probability, 3)))
        else:
            words.append(Word(text, round(start, 3), round(end, 3), round(item.probability, 3)))
    return words


def _rising(progress: Callable[[float], None], seconds: float) -> Callable[[float], None]:
    """From a time in the audio to a share that never falls nor reaches 1 before the end."""
    highest = 0.0

    def report(time: float) -> None:
        nonlocal highest
        highest = max(highest, min(0.99, time / seconds))
        progress(highest)

    return report
