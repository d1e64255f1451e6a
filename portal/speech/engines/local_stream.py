"""Speech to text on this machine while the conversation goes on.

Audio is cut into segments where people pause (``portal.speech.segments``), and each is decoded
once, when it ends. Its words never change; who said them may, as the voices become known. Where
the machine has room, a segment is heard together with the seconds before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from portal.speech import whisper
from portal.speech.audio import SAMPLE_RATE, Samples
from portal.speech.engines.base import (
    Committed,
    Options,
    Partial,
    Relabelled,
    StreamEvent,
    Turn,
    Word,
)
from portal.speech.segments import Segmenter
from portal.speech.turns import build_turns

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

    from portal.speech.pieces import Piece
    from portal.speech.voices import LiveVoices

PREVIEW_EVERY = 2.0
"""Seconds of audio between two previews, and before the first one of a segment."""

CONTEXT = 12.0
"""Seconds up to a segment that are heard once more with it."""

LANGUAGE_AFTER = 8.0
"""Seconds of speech after which the language is no longer asked for."""

DEFAULT_LANGUAGE = "es"


class LocalStream:
    """A ``TranscriptStream``. ``voices`` is None when nobody can be told apart."""

    def __init__(
        self,
        whisper_model: WhisperModel,
        *,
        model: str,
        options: Options,
        start: float,
        voices: LiveVoices | None,
        room: Callable[[], bool],
    ) -> None:
        self.committed_until = start
        self.model = model
        self._whisper = whisper_model
        self._options = options
        self._voices = voices
        self._room = room
        self._segments = Segmenter(start=start)
        self._before: list[Piece] = []  # segments of the last CONTEXT seconds
        self._language = _Language(options.language)
        self._previewed = 0.0  # seconds of the open segment that the last preview heard
        self._preview = ""

    @property
    def voices(self) -> Mapping[str, Sequence[float]]:
        return self._voices.known if self._voices else {}

    def feed(self, samples: Samples) -> list[StreamEvent]:
        return self._with_preview(self._commit(self._segments.feed(samples)))

    def cut(self) -> list[StreamEvent]:
        events = self._commit(self._segments.flush())
        self._before.clear()
        return events

    def close(self) -> list[StreamEvent]:
        return self.cut()

    def _commit(self, segments: Sequence[Piece]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for segment in segments:
            turns, changed = self._turns(segment)
            if changed:
                events.append(Relabelled(changed))
            if turns:
                events.append(Committed(turns))
            self._previewed = 0.0
        if segments and self._preview:
            self._preview = ""
            events.append(Partial(""))
        self.committed_until = self._segments.done
        return events

    def _turns(self, segment: Piece) -> tuple[tuple[Turn, ...], dict[int, str]]:
        language = self._language.of(segment, self._whisper)
        since = segment.offset - CONTEXT
        self._before = [piece for piece in self._before if piece.offset >= since]
        words = _within(
            whisper.recognise_short(
                self._whisper,
                segment,
                language,
                self._options.vocabulary,
                self._before if self._room() else (),
            ),
            segment,
        )
        self._before.append(segment)
        if self._voices and words:
            return self._voices.hear(segment, words)
        return build_turns(words, ["S1"] * len(words)), {}

    def _with_preview(self, events: list[StreamEvent]) -> list[StreamEvent]:
        piece = self._segments.speaking
        if piece is None:
            return events
        seconds = len(piece.samples) / SAMPLE_RATE
        if seconds - self._previewed < PREVIEW_EVERY or not self._room():
            return events
        self._previewed = seconds
        language = self._language.so_far
        text = whisper.preview(self._whisper, piece, language, self._options.vocabulary)
        if text == self._preview:
            return events
        self._preview = text
        return [*events, Partial(text)]


class _Language:
    """The one given, or the one that most of the first seconds of speech sound like."""

    def __init__(self, given: str | None) -> None:
        self._heard = 0.0
        self._scores: Counter[str] = Counter()
        self._settled = given

    @property
    def so_far(self) -> str:
        if self._settled:
            return self._settled
        return max(self._scores, key=self._scores.__getitem__, default=DEFAULT_LANGUAGE)

    def of(self, segment: Piece, model: WhisperModel) -> str:
        if self._settled is None:
            seconds = len(segment.samples) / SAMPLE_RATE
            _, _, probabilities = model.detect_language(segment.samples)
            for language, probability in probabilities:
                self._scores[language] += probability * seconds
            self._heard += seconds
            if self._heard >= LANGUAGE_AFTER:
                self._settled = self.so_far
        return self.so_far


def _within(words: Sequence[Word], segment: Piece) -> list[Word]:
    """The words with no time outside the segment, so that those of two never overlap."""
    end = segment.offset + len(segment.samples) / SAMPLE_RATE
    return [
        Word(
            word.text,
            min(max(word.start, segment.offset), end),
            min(max(word.end, segment.offset), end),
            word.probability,
        )
        for word in words
    ]
