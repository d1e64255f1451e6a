"""Speech that the recogniser passed over, heard a second time.

Whisper listens to half a minute at once. In noise, or where two talk at once, it may leave out a
whole short turn without a trace. The detector of speech knows that somebody spoke there: such
stretches are decoded again by themselves, which costs nothing where none was left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from portal.speech.audio import SAMPLE_RATE
from portal.speech.engines.base import Word
from portal.speech.pieces import Piece
from portal.speech.turns import ends_sentence
from portal.speech.vad import STEP, voiced

LEAST = 0.7
"""Seconds of speech without a word that are worth a second look."""

MARGIN = 0.5
"""Seconds heard on each side of them: who begins within a word makes nonsense of the next."""

NEAR = 0.12
"""Seconds around a word that belong to it, since its times are not exact."""

SURE = 0.35
"""Mean probability below which words are a guess."""

NEIGHBOURS = 6
"""Words on each side that may not be heard again."""

STEPS = SAMPLE_RATE / STEP
"""Of the detector, in a second."""

Hear = Callable[[Piece], list[Word]]
"""Decodes a few seconds."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Seconds of the recording in which somebody speaks, before word number ``before``."""

    start: float
    end: float
    before: int


def fill_in(piece: Piece, words: Sequence[Word], hear: Hear) -> list[Word]:
    """``words`` of ``piece`` in order, and between them those that had been passed over."""
    filled: list[Word] = []
    done = 0
    for gap in gaps(piece, words):
        heard = [word for word in hear(_cut(piece, gap)) if _inside(word, gap)]
        near = words[max(0, gap.before - NEIGHBOURS) : gap.before + NEIGHBOURS]
        if not _believable(heard, near):
            continue
        filled += [*words[done : gap.before], *heard]
        done = gap.before
    return _in_time([*filled, *words[done:]]) if filled else list(words)


def gaps(piece: Piece, words: Sequence[Word]) -> list[Gap]:
    """Where somebody speaks for at least ``LEAST`` seconds and no word is."""
    spoken = voiced(piece.probability).copy()
    taken = np.array([_taken(words, i) for i in range(len(words))]).reshape(-1, 2)
    for start, end in taken - piece.offset:
        spoken[max(0, int((start - NEAR) * STEPS)) : max(0, int((end + NEAR) * STEPS) + 1)] = False
    edges = np.flatnonzero(np.diff(np.concatenate(([False], spoken, [False])).astype(np.int8)))
    times = piece.offset + edges.reshape(-1, 2) / STEPS
    middles = taken.mean(axis=1) if len(taken) else np.empty(0)
    return [
        Gap(float(start), float(end), int(np.searchsorted(middles, start)))
        for start, end in times
        if end - start >= LEAST
    ]


def _taken(words: Sequence[Word], i: int) -> tuple[float, float]:
    """When a word can have been said. Whisper stretches a word over what it leaves out: one that
    opens a sentence was said at the end of that time, another at its beginning."""
    word = words[i]
    if any(mark.isdigit() for mark in word.text):  # «2026» is short only in writing
        return word.start, word.end
    longest = 0.35 + 0.075 * len(word.text)
    if i and ends_sentence(words[i - 1]):
        return max(word.start, word.end - longest), word.end
    return word.start, min(word.end, word.start + longest)


def _cut(piece: Piece, gap: Gap) -> Piece:
    first = max(0, int((gap.start - MARGIN - piece.offset) * STEPS))
    last = int((gap.end + MARGIN - piece.offset) * STEPS) + 1
    return Piece(
        offset=piece.offset + first / STEPS,
        samples=piece.samples[first * STEP : last * STEP],
        probability=piece.probability[first:last],
        channels=None,
    )


def _inside(word: Word, gap: Gap) -> bool:
    return gap.start - NEAR <= (word.start + word.end) / 2 <= gap.end + NEAR


def _believable(heard: Sequence[Word], near: Sequence[Word]) -> bool:
    """Neither a guess nor an echo of what is there already."""
    if not heard or sum(word.probability for word in heard) < SURE * len(heard):
        return False
    said = {_key(word) for word in near}
    return 2 * sum(_key(word) in said for word in heard) < len(heard)


def _key(word: Word) -> str:
    return re.sub(r"\W", "", word.text).casefold()


def _in_time(words: Sequence[Word]) -> list[Word]:
    """Words that had been stretched give way to what was found beside them."""
    ordered: list[Word] = []
    for i, word in enumerate(words):
        start = max(word.start, ordered[-1].end if ordered else 0.0)
        end = word.end
        if i + 1 < len(words) and words[i + 1].start < end:
            end = max(start, words[i + 1].start)
        ordered.append(replace(word, start=start, end=max(start, end)))
    return ordered
