"""Speech to text on this machine: faster-whisper, with speakers told apart beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from portal.engine import EngineError, Problem
from portal.speech import audio as sound
from portal.speech import hallucinations, models, whisper
from portal.speech.engines.base import (
    Audio,
    Options,
    Transcript,
    Word,
    no_progress,
)
from portal.speech.samples import voices_of
from portal.speech.turns import build_turns

if TYPE_CHECKING:
    from portal.speech.diarization import VoiceTimeline
    from portal.speech.engines.local_stream import LocalStream


class LocalEngine:
    """``models_dir`` is where ``portal.speech.prepare`` put the models; ``model`` as for
    ``models.resolve_whisper``. The model is loaded at the first transcription, once per process."""

    name = "local"
    supports_diarization = True
    supports_streaming = True

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
        from portal.speech.diarization import listen
        from portal.speech.missed import fill_in
        from portal.speech.noise import without_noise
        from portal.speech.pieces import pieces
        from portal.speech.vad import packed

        rising = _rising(progress, max(1.0, sound.stated_duration(path)))
        recogniser = whisper.load(folder, self._threads)
        voices = self._voices() if options.speakers > 1 else None
        stereo = options.speakers == 2 and sound.channel_count(path) == 2
        balance = ChannelBalance() if stereo else None
        words: list[Word] = []
        language, heard = options.language, 0.0
        voice: list[bytes] = []
        beside: list[Future[None]] = []
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="speakers") as executor:
            for piece in pieces(sound.decode(path, stereo=stereo)):
                heard = piece.offset + len(piece.samples) / sound.SAMPLE_RATE
                beside = [work for work in beside if not _finished(work)]
                beside.append(executor.submit(listen, piece, voices, balance))
                voice.append(packed(piece.probability))
                quieter = replace(piece, samples=without_noise(piece.samples, piece.probability))
                segments, language = whisper.recognise(
                    recogniser, quieter, language, options.vocabulary
                )
                said: list[Word] = []
                for segment in segments:
                    said.extend(segment)
                    rising(segment[-1].end if segment else piece.offset)
                hear = whisper.again(recogniser, language, options.vocabulary)
                words.extend(fill_in(quieter, said, hear))
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
        labels = [f"S{number + 1}" for number in speakers]
        if voices and options.voices:
            labels = voices.labels_of(words, speakers, voices_of(options.voices, voices.encoder))
        progress(1.0)
        return Transcript(
            turns=build_turns(words, labels),
            language=language or "es",
            duration=round(heard, 3),
            engine=self.name,
            model=_model_name(folder),
            voice=b"".join(voice),
        )

    def _voices(self) -> VoiceTimeline:
        from portal.speech.diarization import VoiceTimeline
        from portal.speech.embeddings import FilterbankEncoder, encoder_at

        path = models.speaker_model(self._models_dir)
        return VoiceTimeline(encoder_at(path) if path else FilterbankEncoder())

    def stream(
        self,
        *,
        options: Options,
        start: float = 0.0,
        turns: int = 0,
        voices: Mapping[str, Sequence[float]] | None = None,
        room: Callable[[], bool] = lambda: False,
    ) -> LocalStream:
        """Without the model of voices everybody is "S1" until the final pass."""
        from portal.speech.engines.local_stream import LocalStream
        from portal.speech.voices import live_voices

        folder = self._folder()
        return LocalStream(
            # Pieces of a few seconds gain little from a second thread, and many recordings much
            # from a decoding each.
            whisper.load(folder, 1, at_once=self._threads),
            model=_model_name(folder),
            options=options,
            start=start,
            voices=live_voices(self._models_dir, options, turns=turns, known=voices),
            room=room,
        )


def _model_name(folder: Path) -> str:
    return folder.name.removesuffix("-packaged")


def _finished(work: Future[None]) -> bool:
    """Raises what the work raised."""
    if work.done():
        work.result()
    return work.done()


def _rising(progress: Callable[[float], None], seconds: float) -> Callable[[float], None]:
    """From a time in the audio to a share that never falls nor reaches 1 before the end."""
    highest = 0.0

    def report(time: float) -> None:
        nonlocal highest
        highest = max(highest, min(0.99, time / seconds))
        progress(highest)

    return report
