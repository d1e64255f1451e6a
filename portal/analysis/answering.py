"""Whether what somebody says answers a question, declines it, or does neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from portal.analysis.asking import AskingTurn
from portal.analysis.cues import CueIndex, parse_cue
from portal.analysis.encoder import Vectors
from portal.analysis.engines.base import Question
from portal.analysis.heads import Heads, Scores
from portal.analysis.language import word_set
from portal.analysis.logistic import Logistic, Matrix
from portal.analysis.spoken import TALK, Spoken, parse, says_nothing
from portal.analysis.text import small_number
from portal.analysis.wording import answer_type

# Embedding is the slow part: over a very long interview only the likeliest stretches get it.
_MAX_ENCODED = 300
_FADES = 0.7

_FIRST_PERSON = word_set("first_person")
_FAMILY = parse_cue("@fam").elements[0]
_THIRD_PERSON = parse_cue("@fam|@tercero|ella|ellos|ellas").elements[0]
_COUNTS = frozenset(("solo", "sola", "ambos", "nadie"))
_TALK_FEATURES = ("decline", "clarify", "interrupt", "unknown", "correct")

_TURN = (
    *("declines", "evades", *_TALK_FEATURES, "asks back", "yes", "no"),
    *("length", "short", "otro", "touches"),
)
_PAIR = (
    *("now", "before", "ever", "rival", "states", "lead", "other", "stated", "topic", "miss"),
    *("third", "elsewhere", "hypothetical", "count", "wants fact"),
)
# What counts differently once the question has been asked.
_WHEN_ASKED = (
    *("declines", "evades", "decline", "clarify", "interrupt", "unknown", "asks back"),
    *("yes", "no", "length", "short", "states", "lead", "other", "stated", "topic", "count"),
    *("third", "elsewhere", "wants fact"),
)
_BEFORE_TOO = ("yes", "no", "short", "states", "stated", "count")
FEATURES = (
    *_TURN,
    *_PAIR,
    *(f"{name} now" for name in _WHEN_ASKED),
    *(f"{name} before" for name in _BEFORE_TOO),
    *("yes-no now", "number now", "list now", "third otro", "states twice"),
)
_AT = {name: place for place, name in enumerate(FEATURES)}


class Asked:
    """How far each question is in the air: asked just now, before that, or ever."""

    def __init__(self, count: int) -> None:
        self.now = np.zeros(count)
        self.before = np.zeros(count)
        self.ever = np.zeros(count)
        self.wants_fact = np.zeros(count)
        self._answered = True

    def by_employee(self, turn: AskingTurn) -> None:
        if self._answered and turn.moves_on:
            self.ever = np.maximum(self.ever * _FADES, self.before)
            self.before, self.now = self.now, np.zeros_like(self.now)
            self.wants_fact = np.zeros_like(self.wants_fact)
        self._answered = False
        if turn.defers:
            # What is put off is raised, but nobody is to answer it now.
            self.now = np.zeros_like(self.now)
            return
        raised = turn.asks > self.now
        self.wants_fact[raised] = np.array(turn.wants_fact)[raised]
        self.now = np.maximum(self.now, turn.asks)

    def by_other(self) -> None:
        self._answered = True


@dataclass(frozen=True, slots=True)
class Heard:
    """A turn that is not the interviewer's, with what the heads say of its stretches."""

    spoken: Spoken
    otro: bool
    states: Vectors  # (stretches, questions)
    declines: float
    evades: float


def counts(heard: Heard) -> bool:
    """Whether a turn may say anything at all: not thanks, an interruption, or another language."""
    spoken = heard.spoken
    return spoken.spanish and (bool(spoken.declines) or not says_nothing(spoken))


class AnswerJudge:
    """Judges turns against the questions of one questionnaire."""

    def __init__(self, questions: Sequence[Question], heads: Heads, judge: Logistic) -> None:
        self._count = len(questions)
        self._index = CueIndex({str(i): q.cues for i, q in enumerate(questions)})
        self._types = np.array([answer_type(q) for q in questions])
        self._heads = heads
        self._judge = judge

    def hear(self, turns: Sequence[tuple[str, bool]]) -> list[Heard]:
        """Takes turns ``(text, otro)`` apart and scores what they say, all at once."""
        parsed = [parse(text, self._index) for text, _ in turns]
        parsed = [p if p.spanish else replace(p, stretches=()) for p in parsed]
        texts = [p.words.slice(s.start, s.end) for p in parsed for s in p.stretches]
        scores = self._scores(texts)
        result, at = [], 0
        for spoken, (_, otro) in zip(parsed, turns, strict=True):
            rows = slice(at, at + len(spoken.stretches))
            at = rows.stop
            result.append(
                Heard(
                    spoken,
                    otro,
                    scores.states[rows],
                    float(scores.declines[rows].max(initial=0.0)),
                    float(scores.evades[rows].max(initial=0.0)),
                )
            )
        return result

    def _scores(self, texts: Sequence[str]) -> Scores:
        scores = self._heads.by_words(texts)
        strongest = scores.states.max(axis=1, initial=0.0)
        places = np.argsort(-strongest, kind="stable")[:_MAX_ENCODED]
        best = self._heads.score([texts[place] for place in places])
        scores.states[places] = best.states
        scores.declines[places] = best.declines
        scores.evades[places] = best.evades
        return scores

    def judge(self, heard: Heard, asked: Asked) -> Matrix:
        """How likely the turn does nothing, answers or declines: shape (questions, 3)."""
        if not counts(heard):
            return np.tile([1.0, 0.0, 0.0], (self._count, 1))
        return self._judge.probabilities(self.features(heard, asked))

    def features(self, heard: Heard, asked: Asked) -> Vectors:
        """Shape (questions, features)."""
        table = np.zeros((self._count, len(FEATURES)), dtype=np.float32)

        def put(name: str, value: float | NDArray[np.generic]) -> None:
            table[:, _AT[name]] = value

        spoken = heard.spoken
        folded = spoken.words.folded
        put("declines", heard.declines)
        put("evades", heard.evades)
        for name in _TALK_FEATURES:
            put(name, name in spoken.talk)
        put("asks back", spoken.only_asks)
        put("yes", spoken.polarity == "Sí")
        put("no", spoken.polarity == "No")
        put("length", np.log1p(len(folded)) / 3)
        put("short", len(folded) <= 4)
        put("otro", heard.otro)
        states = heard.states.max(axis=0, initial=0.0)
        put("touches", states.max(initial=0.0))
        put("now", asked.now)
        put("before", asked.before)
        put("ever", asked.ever)
        put("rival", _best_other(asked.now))
        put("states", states)
        put("other", _best_other(states))
        put("lead", states - table[:, _AT["other"]])
        put("states twice", np.square(np.clip(states, 0.0, 1.0)))
        put("wants fact", asked.wants_fact)
        kinds = {"state": "stated", "topic": "topic", "miss": "miss"}
        for match in spoken.matches:
            if match.kind in kinds:
                table[int(match.key), _AT[kinds[match.kind]]] = 1.0
        self._put_cases(table, heard)
        counted = any(
            small_number(w) is not None or w in _COUNTS or _FAMILY.fits(w) for w in folded
        )
        put("count", (self._types == "number") * counted)
        for name in _WHEN_ASKED:
            put(f"{name} now", table[:, _AT[name]] * asked.now)
        for name in _BEFORE_TOO:
            put(f"{name} before", table[:, _AT[name]] * asked.before)
        for kind in ("yes_no", "number", "list"):
            put(f"{kind.replace('_', '-')} now", (self._types == kind) * asked.now)
        put("third otro", table[:, _AT["third"]] * heard.otro)
        return table

    def _put_cases(self, table: Vectors, heard: Heard) -> None:
        """Of whom, of when: somebody else's case, another time or place, a wish."""
        spoken = heard.spoken
        cases = []
        for piece in spoken.stretches:
            said = spoken.words.folded[piece.start : piece.end]
            talk = {m.key for m in TALK.find(spoken.words.folded, piece.start, piece.end)}
            third = any(map(_THIRD_PERSON.fits, said)) and _FIRST_PERSON.isdisjoint(said)
            cases.append((third, "elsewhere" in talk, "hypothetical" in talk))
        if cases:
            best = np.array(cases, dtype=np.float32)[heard.states.argmax(axis=0)]
            for place, name in enumerate(("third", "elsewhere", "hypothetical")):
                table[:, _AT[name]] = best[:, place]


def _best_other(values: Matrix | Vectors) -> Matrix:
    """For each place, the greatest of the others; 0 without others."""
    if len(values) < 2:
        return np.zeros(len(values))
    first, second = np.argsort(-values, kind="stable")[:2]
    best = np.full(len(values), values[first], dtype=np.float64)
    best[first] = values[second]
    return best
