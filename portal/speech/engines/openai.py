"""Speech to text by OpenAI, or by any server that takes ``POST /audio/transcriptions`` as it does.

Long recordings go in parts, cut where nobody speaks. The service's words are put to voices here:
most such servers tell none apart, and those that do begin anew with every part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portal.engine import Problem, Usage, used
from portal.speech import hallucinations, models
from portal.speech.engines import service
from portal.speech.engines.base import Audio, Options, Transcript, Word, no_progress
from portal.speech.outgoing import Part, outgoing

if TYPE_CHECKING:
    from openai import OpenAI

    from portal.speech.diarization import VoiceTimeline

SERVICE = "OpenAI"

PART_SECONDS = 600.0
"""As FLAC at most 19 MB: 25 MB is the most that OpenAI takes."""

LANGUAGES = {
    "spanish": "es", "castilian": "es", "catalan": "ca", "valencian": "ca", "galician": "gl",
    "basque": "eu", "english": "en", "french": "fr", "arabic": "ar", "ukrainian": "uk",
    "russian": "ru", "romanian": "ro", "moldavian": "ro", "portuguese": "pt", "german": "de",
    "italian": "it", "bulgarian": "bg", "polish": "pl", "chinese": "zh", "mandarin": "zh",
    "hindi": "hi", "bengali": "bn", "urdu": "ur", "persian": "fa", "albanian": "sq",
    "georgian": "ka",
}  # fmt: skip
"""Whisper's servers say the language in English."""


@dataclass(frozen=True, slots=True)
class _Said:
    words: list[Word]
    voices: list[str | None]
    language: str | None


class OpenAIEngine(service.FilesOnly):
    """``base_url``: of another server, which may want no key. A ``model`` with "diarize" in its
    name is asked for voices. ``models_dir``: where the model of voices is."""

    name = "openai"
    supports_diarization = True

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        model: str = "whisper-1",
        models_dir: Path | None = None,
        timeout: float = 600.0,
        retries: int = 2,
        part_seconds: float = PART_SECONDS,
    ) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._models_dir = models_dir or models.default_models_dir()
        self._timeout = timeout
        self._retries = retries
        self._part_seconds = part_seconds

    def check(self) -> list[Problem]:
        if not self._api_key and not self._base_url:
            return [
                Problem(
                    "Falta la clave de OpenAI.",
                    "Póngala en PORTAL_OPENAI_API_KEY; o, si es un servidor de la organización, "
                    "su dirección en PORTAL_OPENAI_BASE_URL.",
                )
            ]
        return service.lacks(SERVICE, "openai")

    def transcribe(
        self, audio: Audio, *, options: Options, progress: Callable[[float], None] = no_progress
    ) -> Transcript:
        service.first_of(self.check())
        timeline = self._timeline() if options.speakers > 1 else None
        with outgoing(
            audio.path,
            speakers=options.speakers,
            part_seconds=self._part_seconds,
            voices=timeline,
        ) as sound:
            words: list[Word] = []
            voices: list[str | None] = []
            language = options.language
            client = self._client()
            for part in sound.parts:
                said = self._ask(client, part, options, language)
                language = language or said.language
                words += said.words
                voices += said.voices
                progress(min(0.99, (part.offset + part.seconds) / sound.duration))
            if timeline is None or (len(sound.parts) == 1 and None not in voices):
                spoken, speakers = words, list[object](voices)
            else:
                spoken = hallucinations.without_loops(words)
                speakers = list(timeline.speakers_of(spoken, speakers=options.speakers))
            transcript = sound.transcript(
                spoken, speakers, language=language or "es", engine=self.name, model=self._model
            )
        progress(1.0)
        return transcript

    def _client(self) -> OpenAI:
        from openai import OpenAI

        return OpenAI(
            base_url=self._base_url or "https://api.openai.com/v1",
            api_key=self._api_key or "none",  # it insists on one
            timeout=self._timeout,
            max_retries=self._retries,
        )

    def _timeline(self) -> VoiceTimeline:
        from portal.speech.diarization import VoiceTimeline
        from portal.speech.embeddings import FilterbankEncoder, encoder_at

        path = models.speaker_model(self._models_dir)
        return VoiceTimeline(encoder_at(path) if path else FilterbankEncoder())

    def _ask(self, client: OpenAI, part: Part, options: Options, language: str | None) -> _Said:
        import openai

        wanted: dict[str, Any] = {"model": self._model, "temperature": 0.0}
        if "diarize" in self._model:
            wanted |= {"response_format": "diarized_json", "chunking_strategy": "auto"}
            del wanted["temperature"]
        else:
            wanted["response_format"] = "verbose_json"
            wanted["timestamp_granularities"] = ["word", "segment"]
            if options.vocabulary:
                wanted["prompt"] = ", ".join(options.vocabulary)
        if language:
            wanted["language"] = language
        used(Usage(self.name, self._model, seconds=part.seconds, requests=1))
        try:
            with part.path.open("rb") as file:
                answer = client.audio.transcriptions.with_raw_response.create(
                    file=("audio.flac", file, "audio/flac"), **wanted
                )
            return _read(answer.http_response.json(), part)
        except openai.APIStatusError as error:
            raise service.refused(SERVICE, error.status_code) from error
        except openai.APIConnectionError as error:
            raise service.unreachable(SERVICE) from error
        except (JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise service.unreadable(SERVICE) from error


def _read(answer: Mapping[str, Any], part: Part) -> _Said:
    """From verbose or diarized JSON. Raises KeyError, TypeError, ValueError, AttributeError."""
    timed = [
        Word(str(word["word"]).strip(), float(word["start"]), float(word["end"]), 1.0)
        for word in answer.get("words") or ()
    ]
    words: list[Word] = []
    voices: list[str | None] = []
    for segment in answer["segments"] or ():
        start, end = float(segment["start"]), float(segment["end"])
        tokens = str(segment["text"]).split()
        probability = math.exp(min(0.0, float(segment.get("avg_logprob") or 0.0)))
        inside = [word for word in timed if start <= (word.start + word.end) / 2 < end]
        words += _placed(tokens, inside, start=start, end=end, probability=probability)
        voices += [segment.get("speaker")] * len(tokens)
    moved = [
        Word(word.text, word.start + part.offset, word.end + part.offset, word.probability)
        for word in words
    ]
    said = str(answer.get("language") or "").lower()
    language = LANGUAGES.get(said, said if len(said) == 2 else None)
    return _Said(moved, voices, language)


def _placed(
    tokens: Sequence[str],
    timed: Sequence[Word],
    *,
    start: float,
    end: float,
    probability: float,
) -> list[Word]:
    """``tokens`` have the punctuation and ``timed`` the times, of the same words as a rule."""
    if len(tokens) == len(timed):
        return [
            Word(token, word.start, word.end, probability)
            for token, word in zip(tokens, timed, strict=True)
        ]
    if timed:
        start, end = timed[0].start, timed[-1].end
    return service.spread(tokens, start=start, end=end, probability=probability)
