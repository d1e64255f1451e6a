"""In which of their own words a turn answers a question: the quote, and the short answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from portal.analysis.cues import Match
from portal.analysis.encoder import Vectors
from portal.analysis.engines.base import Question
from portal.analysis.language import word_set
from portal.analysis.spoken import Spoken
from portal.analysis.text import fold, is_joint, small_number, words

AnswerType = Literal["yes_no", "number", "list", "open"]

ANSWER_MAX_WORDS = 28
# What adds to what a stretch tells, and the share of the best one's worth that others need.
_CUED, _FIRST, _ASKED, _BESIDE, _SHARE = 0.15, 0.2, 0.3, 0.2, 0.35
_WINDOW_BEFORE, _WINDOW_AFTER = 6, 14
_COMMON = word_set("sentence_openers")


@dataclass(frozen=True, slots=True)
class Worded:
    """``quotes`` stand in the turn; ``bare``: it is little more than yes or no."""

    quotes: tuple[str, ...]
    answer: str
    bare: bool


def answer_type(question: Question) -> AnswerType:
    """What kind of answer the question's own text asks for."""
    opening = words(question.text).folded[:6]
    if any(word.startswith("cuant") for word in opening[:3]):
        return "number"
    if opening[:1] in (("que",), ("cuales",), ("cual",)):
        return "list"
    if opening[:1] in (("como",), ("donde",), ("quien",), ("quienes",), ("por",), ("cuando",)):
        return "open"
    return "yes_no"


def word_answer(
    spoken: Spoken, scores: Vectors, question: int, kind: AnswerType, direct: bool
) -> Worded:
    """Words the answer to question number ``question`` that a turn gives.

    ``scores`` say how much each stretch of the turn sounds like an answer; ``direct``: the turn
    follows the question, so that a short one is taken whole and the first words of a long one
    count for more.
    """
    runs = _telling(spoken, scores, question, direct=direct)
    quotes = tuple(spoken.words.slice(start, end) for start, end in runs)
    answer = " … ".join(quotes)
    rest = len(spoken.words) - spoken.opening
    bare = direct and rest <= 3 and bool(spoken.polarity)
    if kind == "number":
        answer = _number_first(spoken, question, *runs[0], answer)
    elif (
        kind == "yes_no"
        and direct
        and spoken.polarity
        and not fold(answer).startswith(fold(spoken.polarity))
    ):
        answer = f"{spoken.polarity}, {_lower_first(answer)}"
    return Worded(quotes, _upper_first(answer), bare)


def _telling(
    spoken: Spoken, scores: Vectors, question: int, *, direct: bool
) -> list[tuple[int, int]]:
    """The stretches that tell most, as runs of words in their order, ANSWER_MAX_WORDS at most."""
    count = len(spoken.words)
    if count - spoken.opening <= ANSWER_MAX_WORDS and (direct or not len(scores)):
        return [(min(spoken.opening, count - 1), count)]
    if not len(scores):
        return [_first_words(spoken)]
    worth = scores.astype(np.float64).copy()
    cued = spoken.about(question, "state", "topic")
    for place, piece in enumerate(spoken.stretches):
        worth[place] += _CUED * any(piece.start <= m.start < piece.end for m in cued)
        worth[place] += _FIRST * (direct and place == 0) - _ASKED * piece.interrogative
        # What stands beside a telling stretch often completes it.
        beside = [scores[p] for p in (place - 1, place + 1) if 0 <= p < len(scores)]
        worth[place] += _BESIDE * max(beside, default=0.0)
    taken: list[int] = []
    room = ANSWER_MAX_WORDS
    for place in np.argsort(-worth, kind="stable").tolist():
        piece = spoken.stretches[place]
        if taken and (piece.end - piece.start > room or worth[place] < _SHARE * worth[taken[0]]):
            continue
        taken.append(place)
        room -= piece.end - piece.start
    runs: list[tuple[int, int]] = []
    for place in sorted(taken):
        piece = spoken.stretches[place]
        if runs and runs[-1][1] == piece.start:
            runs[-1] = (runs[-1][0], piece.end)
        else:
            runs.append((max(piece.start, spoken.opening), piece.end))
    return runs


def _bounds(spoken: Spoken, matches: Sequence[Match]) -> tuple[int, int]:
    """Words around the match, to the ends of its sentence or to where speech joins."""
    chosen = matches[-1] if "correct" in spoken.talk else matches[0]
    sentence = next(s for s in spoken.sentences if s.start <= chosen.start < s.end)
    start, end = sentence.start, sentence.end
    if end - start > ANSWER_MAX_WORDS:
        low = max(start, chosen.start - _WINDOW_BEFORE)
        high = min(end, chosen.end + _WINDOW_AFTER)
        joints = [p for p in range(low, chosen.start + 1) if is_joint(spoken.words, p)]
        start = joints[0] if joints else low
        stops = [p for p in range(chosen.end, high) if is_joint(spoken.words, p)]
        end = stops[-1] if stops and high < end else high
    return start, end


def _first_words(spoken: Spoken) -> tuple[int, int]:
    """From where hesitation ends, whole sentences as far as they fit."""
    start = end = spoken.opening
    for sentence in spoken.sentences:
        if sentence.end - start <= ANSWER_MAX_WORDS:
            end = max(end, sentence.end)
    return start, end if end > start else min(len(spoken.words), start + ANSWER_MAX_WORDS)


def refusal(spoken: Spoken) -> str:
    """The words of declining; the first ones when none of the known phrases is among them."""
    start, end = _bounds(spoken, spoken.declines) if spoken.declines else _first_words(spoken)
    return spoken.words.slice(start, end)


def _number_first(spoken: Spoken, question: int, start: int, end: int, answer: str) -> str:
    """The last number said, when it counts what the question counts."""
    folded = spoken.words.folded
    topics = {p for m in spoken.about(question, "topic") for p in range(m.start, m.end)}
    counted = [p for p in range(start, end) if small_number(folded[p]) is not None]
    named = [p for p in counted if p + 1 in topics or p + 2 in topics]
    if not named and end - start <= 12:
        named = [p for p in counted if folded[p] not in ("un", "una")]
        if "correct" not in spoken.talk and len(named) > 1:
            named = named[:1]
    if not named:
        return answer
    value = small_number(folded[named[-1]])
    return answer if value is None or len(folded) <= 2 else f"{value}: {_lower_first(answer)}"


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    first = text.split(" ", 1)[0]
    # Names and acronyms keep their capital: only a word of the language loses it.
    common = fold(first.rstrip(",.")) in _COMMON
    return text[:1].lower() + text[1:] if common else text
