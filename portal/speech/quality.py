"""The moments of a transcript that a person should listen to: few, and the worst first to stay.

Found in the words themselves, in how sure the recogniser was of them, and by holding them against
where a voice is heard (``vad``). Pure: values in, values out. What a recogniser surely invented has
been left out before (``hallucinations``); here is what may be right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from portal.speech.audio import SAMPLE_RATE
from portal.speech.doubts import EDGES, doubts
from portal.speech.engines.base import Turn, Word
from portal.speech.hallucinations import longest_loop
from portal.speech.languages import COMMON, language_of, script_of
from portal.speech.turns import LONG_PAUSE
from portal.speech.vad import STEP, voiced

Kind = Literal["missed", "silence", "loop", "number", "name", "language", "overlap", "gap"]
Mask = NDArray[np.bool_]

MOST = 12
"""Moments of one conversation: what somebody listens to in two or three minutes."""

MOST_OF_A_KIND = 5
"""An interview through an interpreter is in two languages all along: that is said a few times."""

WEIGHT: dict[Kind, float] = {
    "missed": 3.0,
    "silence": 2.5,
    "loop": 2.5,
    "number": 2.0,
    "language": 2.0,
    "name": 1.5,
    "overlap": 1.0,
    "gap": 0.5,
}
"""What goes first when there are more than MOST; how bad each one is adds up to 1."""

STEPS_PER_SECOND = SAMPLE_RATE / STEP

MISSED = 1.5
"""Seconds of voice without a word from which something may have been left out."""

WORD_SLACK = 0.4
"""Seconds by which a recogniser may be wrong about where a word begins or ends."""

BREATH = 0.8
"""Seconds between two stretches that are listened to as one."""

LONG_SILENCE = 20.0
"""Seconds in which nobody speaks: longer than it takes to write an answer down."""

SILENT_WORDS = 3
"""Words in a row over silence that are doubted; the times of single words are not that exact."""

UNVOICED = 0.2
"""Probability of speech that a moment of silence stays below."""

REPEATS = {1: 4, 2: 2, 3: 2}
REPEATS_LONGER = 1
"""How often a phrase of so many words may follow itself before somebody should listen to it."""

OVERLAP = 0.5
NEAR = 2.0
"""Seconds between moments that are heard together."""

LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds ``start`` to ``end`` of the audio. ``turn``: index of the turn it is in, if it is in
    one; ``quote``: the words in question, verbatim in that turn. ``severity`` only orders them."""

    kind: Kind
    start: float
    end: float
    turn: int | None = None
    quote: str = ""
    severity: float = 0.0


def moments(
    turns: Sequence[Turn],
    voice: NDArray[np.float32],
    *,
    language: str,
    pauses: Sequence[float] = (),
) -> list[Moment]:
    """At most ``MOST``, in the order of the audio.

    ``voice``: probability of speech for every 512 samples at 16 kHz (``vad.activity``).
    ``language``: of the transcript, ISO 639-1. ``pauses``: seconds at which the recording was
    stopped for a while, where a silence is nothing to wonder about.
    """
    found = [
        *_missed(turns, voice),
        *_silences(turns, voice, pauses),
        *_over_silence(turns, voice),
        *_loops(turns),
        *_doubtful(turns, language),
        *_foreign(turns, language),
        *_overlaps(turns),
    ]
    chosen: list[Moment] = []
    of_a_kind: Counter[Kind] = Counter()
    for moment in sorted(_together(found, turns), key=lambda moment: -moment.severity):
        of_a_kind[moment.kind] += 1
        if len(chosen) < MOST and of_a_kind[moment.kind] <= MOST_OF_A_KIND:
            chosen.append(moment)
    return sorted(chosen, key=lambda moment: (moment.start, moment.end))


# Held against the voice


def _missed(turns: Sequence[Turn], voice: NDArray[np.float32]) -> Iterator[Moment]:
    """Somebody speaks, and nothing is written."""
    unwritten = voiced(voice) & ~_written(turns, len(voice), WORD_SLACK)
    for start, end in _runs(unwritten, BREATH):
        seconds = unwritten[start:end].sum() / STEPS_PER_SECOND
        if seconds >= MISSED:
            yield _stretch("missed", start, end, min(1.0, seconds / 10))


def _silences(
    turns: Sequence[Turn], voice: NDArray[np.float32], pauses: Sequence[float]
) -> Iterator[Moment]:
    """Nobody speaks for long, though somebody did before and does after."""
    speaking = voiced(voice) | _written(turns, len(voice), 0.0)
    spoken = np.flatnonzero(speaking)
    for start, end in _runs(~speaking, 0.0):
        if not len(spoken) or start < spoken[0] or end > spoken[-1]:
            continue
        moment = _stretch("gap", start, end, min(1.0, (end - start) / STEPS_PER_SECOND / 120))
        paused = any(moment.start - NEAR <= at <= moment.end + NEAR for at in pauses)
        if moment.end - moment.start >= LONG_SILENCE and not paused:
            yield moment


def _over_silence(turns: Sequence[Turn], voice: NDArray[np.float32]) -> Iterator[Moment]:
    """Something is written, and nobody speaks."""
    for number, turn in enumerate(turns):
        if not turn.words and _legible(turn.text) and _silent(turn.start, turn.end, voice):
            yield _of_turn("silence", number, turn, severity=1.0)
        silent = [_legible(w.text) and _silent(w.start, w.end, voice) for w in turn.words]
        for first, last in _stretches(silent):
            if last - first + 1 >= min(SILENT_WORDS, len(turn.words)):
                share = (last - first + 1) / len(turn.words)
                yield _of_words("silence", number, turn, first, last, share)


def _silent(start: float, end: float, voice: NDArray[np.float32]) -> bool:
    low, high = _steps(start - WORD_SLACK / 2, end + WORD_SLACK / 2, len(voice))
    return bool(low < high and (voice[low:high] < UNVOICED).all())


def _written(turns: Sequence[Turn], steps: int, slack: float) -> Mask:
    """Where there is text: the words, and the short pauses between two of one turn."""
    edges = np.zeros(steps + 1, np.int32)
    for turn in turns:
        for start, end in _phrases(turn):
            low, high = _steps(start - slack, end + slack, steps)
            edges[low] += 1
            edges[max(low, high)] -= 1
    written: Mask = np.cumsum(edges[:steps]) > 0
    return written


def _phrases(turn: Turn) -> Iterator[tuple[float, float]]:
    if not turn.words:
        yield turn.start, turn.end
        return
    start, end = turn.words[0].start, turn.words[0].end
    for word in turn.words[1:]:
        if word.start - end > BREATH:
            yield start, end
            start = word.start
        end = max(end, word.end)
    yield start, end


def _steps(start: float, end: float, most: int) -> tuple[int, int]:
    low = min(most, max(0, int(start * STEPS_PER_SECOND)))
    return low, min(most, max(0, int(np.ceil(end * STEPS_PER_SECOND))))


def _runs(mask: Mask, bridge: float) -> list[tuple[int, int]]:
    """[start, end) of the steps that are True, those closer than ``bridge`` seconds as one."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for start, end in edges.reshape(-1, 2):
        if runs and start - runs[-1][1] <= bridge * STEPS_PER_SECOND:
            runs[-1] = runs[-1][0], int(end)
        else:
            runs.append((int(start), int(end)))
    return runs


def _stretch(kind: Kind, start: int, end: int, severity: float) -> Moment:
    return Moment(
        kind,
        round(start / STEPS_PER_SECOND, 3),
        round(end / STEPS_PER_SECOND, 3),
        severity=WEIGHT[kind] + severity,
    )


# In the words


def _loops(turns: Sequence[Turn]) -> Iterator[Moment]:
    """A phrase that follows itself at once in the mouth of one speaker; others do say again what
    they were told."""
    for places in _unbroken(turns):
        keys = [re.sub(r"\W", "", turns[n].words[at].text).casefold() for n, at in places]
        i = 0
        while i < len(keys):
            size, repeats = longest_loop(keys, i, REPEATS, REPEATS_LONGER)
            if repeats and any(keys[i : i + size]):
                yield _loop(turns, places[i], places[i + size * repeats - 1], size * repeats)
            i += max(1, size * repeats)


def _loop(
    turns: Sequence[Turn], begin: tuple[int, int], end: tuple[int, int], words: int
) -> Moment:
    number, first = begin
    turn = turns[number]
    last = end[1] if end[0] == number else len(turn.words) - 1
    moment = _of_words("loop", number, turn, first, last, min(1.0, words / 20))
    return replace(moment, end=max(moment.end, turns[end[0]].words[end[1]].end))


def _unbroken(turns: Sequence[Turn]) -> Iterator[list[tuple[int, int]]]:
    """(turn, word) of the words that one speaker says without a long pause."""
    run: list[tuple[int, int]] = []
    for number, turn in enumerate(turns):
        for at, word in enumerate(turn.words):
            before = turns[run[-1][0]] if run else turn
            if before.speaker != turn.speaker or (
                run and word.start - before.words[run[-1][1]].end > LONG_PAUSE
            ):
                yield run
                run = []
            run.append((number, at))
    yield run


def _doubtful(turns: Sequence[Turn], language: str) -> list[Moment]:
    """Of a name or number that is doubted more than once, the time it was heard worst."""
    found: dict[tuple[str, str], Moment] = {}
    for number, turn in enumerate(turns):
        for doubt in doubts(turn, language):
            moment = _of_words(
                doubt.kind, number, turn, doubt.first, doubt.last, 1 - doubt.probability
            )
            same = (doubt.kind, moment.quote.casefold())
            if same not in found or found[same].severity < moment.severity:
                found[same] = moment
    return list(found.values())


def _foreign(turns: Sequence[Turn], language: str) -> Iterator[Moment]:
    """A turn in another language, or in other letters, than the conversation."""
    scripts = [script_of(turn.text) for turn in turns]
    known = Counter(script for script in scripts if script)
    usual = known.most_common(1)[0][0] if known else None
    for number, (turn, script) in enumerate(zip(turns, scripts, strict=True)):
        spoken = language_of(turn.text) if language in COMMON else None
        if (script and script != usual) or (spoken and spoken != language):
            yield _of_turn("language", number, turn, severity=0.5)


def _overlaps(turns: Sequence[Turn]) -> Iterator[Moment]:
    """Two speak at once, by the times the engine gave."""
    for number, (turn, after) in enumerate(pairwise(turns), start=1):
        end = min(turn.end, after.end)
        if turn.speaker != after.speaker and end - after.start >= OVERLAP:
            severity = WEIGHT["overlap"] + min(1.0, (end - after.start) / 5)
            yield Moment("overlap", after.start, end, number, severity=severity)


def _stretches(marks: Iterable[bool]) -> list[tuple[int, int]]:
    """First and last index of each run of True."""
    return [(start, end - 1) for start, end in _runs(np.array(list(marks), bool), 0.0)]


def _legible(text: str) -> bool:
    """Not only marks, as what was struck out is."""
    return any(character.isalnum() for character in text)


def _of_turn(kind: Kind, number: int, turn: Turn, severity: float) -> Moment:
    return Moment(
        kind,
        turn.start,
        turn.end,
        number,
        turn.text[:LONGEST_QUOTE].strip(EDGES),
        WEIGHT[kind] + severity,
    )


def _of_words(
    kind: Kind, number: int, turn: Turn, first: int, last: int, severity: float
) -> Moment:
    said = turn.words[first : last + 1]
    return Moment(
        kind,
        said[0].start,
        max(word.end for word in said),
        number,
        _quote(turn, said),
        WEIGHT[kind] + severity,
    )


def _quote(turn: Turn, words: Sequence[Word]) -> str:
    """The words as they stand in the turn, if they stand there together."""
    quote = " ".join(word.text.strip() for word in words)
    if quote not in turn.text:
        quote = words[0].text.strip()
    quote = quote[:LONGEST_QUOTE].strip(EDGES)
    return quote if quote in turn.text else ""


def _together(found: Iterable[Moment], turns: Sequence[Turn]) -> list[Moment]:
    """Those of one turn, or of none, that are heard in one go are one moment, of the worst kind."""
    kept: list[Moment] = []
    for moment in sorted(found, key=lambda moment: -moment.severity):
        near = next((i for i, other in enumerate(kept) if _heard_with(moment, other)), None)
        if near is None:
            kept.append(moment)
        else:
            worse = kept[near]
            kept[near] = replace(
                worse,
                start=min(worse.start, moment.start),
                end=max(worse.end, moment.end),
                quote=_joined(worse, moment, turns),
            )
    return kept


def _heard_with(moment: Moment, other: Moment) -> bool:
    if moment.turn != other.turn or (moment.turn is None and moment.kind != other.kind):
        return False
    return max(moment.start, other.start) - min(moment.end, other.end) <= NEAR


def _joined(worse: Moment, moment: Moment, turns: Sequence[Turn]) -> str:
    """From the first word of the one to the last of the other."""
    if worse.turn is None or not (worse.quote and moment.quote):
        return worse.quote or moment.quote
    text = turns[worse.turn].text
    places = [
        (at, at + len(quote))
        for quote in (worse.quote, moment.quote)
        if (at := text.find(quote)) >= 0
    ]
    quote = text[min(start for start, _ in places) : max(end for _, end in places)]
    return quote if len(quote) <= LONGEST_QUOTE else worse.quote
