"""Whether what somebody says answers a question, declines it, or does neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from portal.analysis.cues import CueIndex, Match, parse_cue
from portal.analysis.encoder import Encoder
from portal.analysis.engines.base import Question
from portal.analysis.heads import BY_WORDS_ALONE, stating_heads
from portal.analysis.language import word_set
from portal.analysis.spoken import TALK, Spoken, parse, says_nothing
from portal.analysis.text import Sentence, small_number
from portal.analysis.wording import answer_type, window, word_answer

Verdict = Literal["answered", "declined", "nothing"]

# What a cue adds to what the head says (0 to 1), and from where on a statement counts.
_STATED, _TOPIC, _MISS = 0.3, 0.1, -0.3
_VOLUNTEERED = 0.36
_RELATED, _UNRELATED, _LONG_REPLY = 0.25, 0.08, 10
# Embedding is the slow part: over a very long interview only the likeliest stretches get it.
_MAX_ENCODED = 300

_FIRST_PERSON = word_set("first_person")
_PREPOSITIONS = word_set("prepositions")
_FAMILY = parse_cue("@fam").elements[0]
_THIRD_PERSON = parse_cue("@fam|@tercero|ella|ellos|ellas").elements[0]


@dataclass(frozen=True, slots=True)
class Judgement:
    """``quote`` is the part of the turn that answers or declines, ``answer`` what it says.

    ``corrects``: the person took something back; ``bare``: little more than yes or no.
    """

    verdict: Verdict
    quote: str = ""
    answer: str = ""
    confidence: float = 0.0
    corrects: bool = False
    bare: bool = False


class AnswerJudge:
    """Judges turns against the questions of one questionnaire."""

    def __init__(self, questions: Sequence[Question], encoder: Encoder | None) -> None:
        self._questions = questions
        self._index = CueIndex({str(i): q.cues for i, q in enumerate(questions)})
        self._types = [answer_type(q) for q in questions]
        self._heads = stating_heads(questions, encoder)
        self._needed = _VOLUNTEERED if encoder else _VOLUNTEERED - BY_WORDS_ALONE

    def parse_all(self, texts: Sequence[str]) -> list[Spoken]:
        """Takes turns apart and scores what they say, all at once."""
        parsed = [parse(text, self._index) for text in texts]
        pieces = [
            (number, piece, spoken.words.slice(piece.start, piece.end))
            for number, spoken in enumerate(parsed)
            for piece in spoken.stretches
            if spoken.spanish
        ]
        if not pieces:
            return [replace(spoken, stretches=()) for spoken in parsed]
        spoken_texts = [text for _, _, text in pieces]
        scores = np.zeros((len(pieces), len(self._questions)), dtype=np.float32)
        if self._heads is not None:
            scores = self._heads.by_words(spoken_texts) * np.float32(0.5)
            places = np.argsort(-scores.max(axis=1), kind="stable")[:_MAX_ENCODED]
            scores[places] = self._heads.score([spoken_texts[place] for place in places])
        rows: list[list[tuple[float, ...]]] = [[] for _ in parsed]
        for (number, piece, _), row in zip(pieces, scores.tolist(), strict=True):
            rows[number].append(tuple(self._with_cues(parsed[number], piece, row)))
        return [
            replace(spoken, scores=tuple(row)) if row else replace(spoken, stretches=())
            for spoken, row in zip(parsed, rows, strict=True)
        ]

    def _with_cues(self, spoken: Spoken, piece: Sentence, row: list[float]) -> list[float]:
        kinds: dict[int, set[str]] = {}
        for match in spoken.matches:
            inside = match.start < piece.end and match.end > piece.start
            if inside and (match.kind != "state" or self._counts(spoken, match, False)):
                kinds.setdefault(int(match.key), set()).add(match.kind)
        for question, kind in kinds.items():
            row[question] += _STATED * ("state" in kind) + _MISS * ("miss" in kind)
            row[question] += _TOPIC * ("topic" in kind)
        return row

    # --- a reply to a question that was asked ---

    def reply(self, spoken: Spoken, question: int, *, wants_fact: bool) -> Judgement:
        """Judges a turn that follows the question; ``wants_fact``: no yes or no would answer it."""
        folded = spoken.words.folded
        if not folded or not spoken.spanish:
            return Judgement("nothing")
        stated = [m for m in spoken.about(question, "state") if self._counts(spoken, m, True)]
        score, stretch = spoken.best(question)
        if spoken.declines and not stated:
            quote = window(spoken, spoken.declines[0])
            return Judgement("declined", quote, confidence=0.9)
        if spoken.only_asks or says_nothing(spoken):
            return Judgement("nothing")
        kind = self._types[question]
        related = bool(stated) or score >= _RELATED or bool(spoken.about(question, "topic"))
        if kind == "number" and not related and not self._has_number(folded):
            return Judgement("nothing")
        if kind == "yes_no" and not (related or wants_fact or spoken.polarity):
            # Talks past the question, of another one of the form or of something else.
            other = max((v for row in spoken.scores for v in row), default=0.0)
            if score < _UNRELATED and (other >= 0.45 or len(folded) >= _LONG_REPLY):
                return Judgement("nothing")
        confidence = 0.9 if stated or score >= 0.4 else 0.8 if spoken.polarity else 0.6
        focus = stretch if score >= _RELATED else None
        return self._answered(spoken, question, stated, focus, confidence, direct=True)

    @staticmethod
    def _has_number(folded: Sequence[str]) -> bool:
        return any(
            small_number(word) is not None or word in ("solo", "sola", "ambos", "nadie")
            for word in folded
        ) or any(_FAMILY.fits(word) for word in folded)

    # --- a statement nobody asked for ---

    def volunteered(self, spoken: Spoken, question: int) -> Judgement:
        """Judges a turn by its own statements alone."""
        if not spoken.spanish:
            return Judgement("nothing")
        stated = [m for m in spoken.about(question, "state") if self._counts(spoken, m, False)]
        score, stretch = spoken.best(question)
        if self._heads is None:
            score = 0.5 if stated and not spoken.about(question, "miss") else 0.0
        if score < self._needed or (stretch is not None and stretch.interrogative):
            return Judgement("nothing")
        if stretch is not None and not stated:
            talk = TALK.find(spoken.words.folded, stretch.start, stretch.end)
            if not {"elsewhere", "hypothetical"}.isdisjoint(m.key for m in talk):
                return Judgement("nothing")
        confidence = min(0.75, 0.3 + score / 2)
        return self._answered(spoken, question, stated, stretch, confidence, direct=False)

    def declined_topic(self, spoken: Spoken, question: int) -> Judgement:
        """A person who brings a topic up only to say that they won't speak of it."""
        if spoken.declines and spoken.about(question, "topic"):
            return Judgement("declined", window(spoken, spoken.declines[0]), confidence=0.6)
        return Judgement("nothing")

    def _counts(self, spoken: Spoken, match: Match, asked: bool) -> bool:
        """Not somebody else's case, a wish, a question, or (unasked) another time and place."""
        folded = spoken.words.folded
        sentence = next(s for s in spoken.sentences if s.start <= match.start < s.end)
        if sentence.interrogative or match.end > sentence.end:
            return False
        begin = max(sentence.start, match.start - 10)
        before = folded[begin : match.start]
        talk = {m.key for m in TALK.find(folded, begin, match.start)}
        if "hypothetical" in talk or ("elsewhere" in talk and not asked):
            return False
        first = set(folded[match.start : match.end]) & _FIRST_PERSON
        if first or asked:
            return True
        for place in range(len(before) - 1, -1, -1):
            if before[place] in _FIRST_PERSON and before[place] not in ("mi", "mis"):
                return True
            if _THIRD_PERSON.fits(before[place]):
                owner = before[place - 2] if place >= 2 else ""
                return owner in _PREPOSITIONS or before[place - 1 : place] == ("de",)
        return True

    def _answered(
        self,
        spoken: Spoken,
        question: int,
        stated: Sequence[Match],
        focus: Sentence | None,
        confidence: float,
        *,
        direct: bool,
    ) -> Judgement:
        kind = self._types[question]
        worded = word_answer(spoken, question, stated, focus, kind=kind, direct=direct)
        corrects = "correct" in spoken.talk
        return Judgement("answered", worded.quote, worded.answer, confidence, corrects, worded.bare)
