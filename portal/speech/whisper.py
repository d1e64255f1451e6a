"""Whisper: the model loaded once per process, and words from a piece of audio.

Nothing here is kept between calls, so many threads may use one model at a time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from portal.engine import EngineError
from portal.speech import audio as sound
from portal.speech import hallucinations
from portal.speech.engines.base import Word
from portal.speech.pieces import spanning
from portal.speech.vad import STEP, speech_stretches

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment

    from portal.speech.pieces import Piece

DECODING = {
    "beam_size": 5,
    "word_timestamps": True,
    # Text before is no prompt: it makes loops, and mistakes would travel through a whole interview.
    "condition_on_previous_text": False,
    "vad_filter": False,  # done here, once, for the recogniser and for the speakers
}

LIVE = DECODING | {
    # Hotter attempts cost as much again each, and did not hear better.
    "temperature": 0.0,
}

PREVIEW = LIVE | {"beam_size": 1, "word_timestamps": False}

PAUSES = {"min_silence": 2.0, "pad": 0.4}
"""faster-whisper's own: what it hears has short pauses left in."""

MOST_TOKENS_PER_SECOND = 12

VOICED = 0.3
"""Probability of speech below which a moment is silent, however sure the recogniser is."""

_loading = threading.Lock()


def load(folder: Path, threads: int, *, at_once: int = 1) -> WhisperModel:
    """The model of ``folder``, the same one for everybody: decodes ``at_once`` pieces side by side,
    each with ``threads``. Raises EngineError."""
    with _loading:  # two first jobs at once must not load it twice
        return _load(folder, threads, at_once)


@lru_cache(maxsize=2)
def _load(folder: Path, threads: int, at_once: int) -> WhisperModel:
    from portal.speech.short_windows import ShortWindowWhisper

    logging.getLogger("faster_whisper").setLevel(logging.WARNING)  # it tells of every segment
    try:
        return ShortWindowWhisper(
            str(folder), compute_type="int8", cpu_threads=threads, num_workers=at_once
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise EngineError(
            "El modelo de transcripción no se puede cargar. Ejecute «portal doctor»."
        ) from error


def recognise(
    whisper: WhisperModel, piece: Piece, language: str | None, vocabulary: Iterable[str]
) -> tuple[Iterator[list[Word]], str | None]:
    """Words of each segment of a long piece, as they come, and the language once it is known."""
    from faster_whisper.transcribe import restore_speech_timestamps

    stretches = speech_stretches(piece.probability, length=len(piece.samples), **PAUSES)
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


def recognise_short(
    whisper: WhisperModel,
    piece: Piece,
    language: str,
    vocabulary: Iterable[str],
    before: Sequence[Piece] = (),
) -> list[Word]:
    """Words of a piece of a few seconds, which is decoded as it is, with its pauses.

    ``before``: pieces up to it that are listened to once more with it. Whisper understands a short
    question better when it hears what the talk is about; their words are not given again.
    """
    window = spanning([*before, piece]) if before else piece
    segments, _ = whisper.transcribe(
        window.samples, language=language, hotwords=" ".join(vocabulary) or None, **LIVE
    )
    words = [word for segment in segments for word in _believable(segment, window)]
    if not before:
        return words
    words = [word for word in words if (word.start + word.end) / 2 >= piece.offset]
    return words or recognise_short(whisper, piece, language, vocabulary)


def again(
    whisper: WhisperModel, language: str | None, vocabulary: Iterable[str]
) -> Callable[[Piece], list[Word]]:
    """What decodes one or two seconds out of a longer piece, as ``recognise_short`` does: they are
    often hard to hear, and must not end in a loop."""

    def hear(piece: Piece) -> list[Word]:
        seconds = len(piece.samples) / sound.SAMPLE_RATE
        segments, _ = whisper.transcribe(
            piece.samples,
            language=language,
            hotwords=" ".join(vocabulary) or None,
            max_new_tokens=round(MOST_TOKENS_PER_SECOND * seconds) + 8,
            **LIVE,
        )
        return [word for segment in segments for word in _believable(segment, piece)]

    return hear


def preview(whisper: WhisperModel, piece: Piece, language: str, vocabulary: Iterable[str]) -> str:
    """What a piece seems to say: quicker than ``recognise_short``, and not to be kept."""
    segments, _ = whisper.transcribe(
        piece.samples, language=language, hotwords=" ".join(vocabulary) or None, **PREVIEW
    )
    text = " ".join(
        segment.text.strip() for segment in segments if not hallucinations.is_credit(segment.text)
    )
    return "" if hallucinations.compression(text) > hallucinations.MOST_COMPRESSION else text


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
