"""Which questions of the form an interviewer's turn asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from portal.analysis.cues import CueIndex, discourse_index
from portal.analysis.encoder import Encoder, Vectors
from portal.analysis.engines.base import Question
from portal.analysis.heads import BY_WORDS_ALONE, asking_heads
from portal.analysis.language import word_set
from portal.analysis.text import Sentence, Words, content_stems, sentences, stretches, words

# What a cue adds to what the head says (0 to 1), and from where on a question counts as asked.
_PHRASE, _WORD, _TOPIC, _MISS = 0.3, 0.2, 0.15, -0.3
_ACCEPTED = 0.33
_SHARE_OF_TOP, _UNASKED = 0.7, 0.15
_MOST = 3
# Embedding is the slow part: over a very long interview only the likeliest sentences get it.
_MAX_ENCODED = 300

_TALK = discourse_index("defer", "directive", "confirm", "interrogative", "inform", "reason")


@dataclass(frozen=True, slots=True)
class Ask:
    """Question number ``question`` is raised by words ``start`` to before ``end`` of the turn.

    ``wants_fact``: it was put with a question word (who, where, how many), so that no yes or no
    answers it.
    """

    question: int
    start: int
    end: int
    strength: float
    deferred: bool
    wants_fact: bool


@dataclass(frozen=True, slots=True)
class AskingTurn:
    """``moves_on``: it asks something, of the form or not; ``defers``: it puts something off."""

    asks: tuple[Ask, ...]
    moves_on: bool
    defers: bool


@dataclass(frozen=True, slots=True)
class _Candidate:
    turn: int
    sentence: Sentence
    text: str
    cues: tuple[float, ...]
    asking: bool
    deferred: bool
    confirms: bool
    wants_fact: bool


_FACT_WORDS = word_set("fact_words")


class AskDetector:
    """Finds what a list of interviewer turns asks; made once for a questionnaire."""

    def __init__(self, questions: Sequence[Question], encoder: Encoder | None) -> None:
        self._questions = questions
        self._index = CueIndex({str(i): q.cues for i, q in enumerate(questions)})
        self._stems = [set(content_stems(words(q.text).folded)) for q in questions]
        self._heads = asking_heads(questions, encoder)
        self._needed = _ACCEPTED if encoder else _ACCEPTED - BY_WORDS_ALONE

    def detect(self, turns: Sequence[Words]) -> list[AskingTurn]:
        """One AskingTurn per interviewer turn. A recogniser leaves out question marks as it likes,
        so a sentence may ask by its words too."""
        candidates = [
            self._candidate(number, turn, piece)
            for number, turn in enumerate(turns)
            for piece in stretches(turn, sentences(turn))
        ]
        heads = self._score(candidates)
        asks: list[list[Ask]] = [[] for _ in turns]
        moves = [False] * len(turns)
        defers = [False] * len(turns)
        for candidate, row in zip(candidates, heads, strict=True):
            moves[candidate.turn] |= candidate.asking
            defers[candidate.turn] |= candidate.deferred
            asks[candidate.turn] += self._accepted(candidate, row)
        return [AskingTurn(tuple(a), m, d) for a, m, d in zip(asks, moves, defers, strict=True)]

    def _candidate(self, number: int, turn: Words, sentence: Sentence) -> _Candidate:
        spoken = turn.folded[sentence.start : sentence.end]
        talk = {m.key for m in _TALK.find(spoken)}
        asking = sentence.interrogative or "directive" in talk or "reason" in talk
        if "inform" not in talk:
            asking = asking or "interrogative" in talk
        cues = [0.0] * len(self._questions)
        topics = [0] * len(self._questions)
        for match in self._index.find(spoken):
            question = int(match.key)
            if match.kind == "ask":
                weight = _PHRASE if len(match.cue.elements) > 1 else _WORD
                cues[question] = max(cues[question], weight)
            elif match.kind == "topic":
                topics[question] += 1
        for match in self._index.find(spoken):
            if match.kind == "miss":
                cues[int(match.key)] += _MISS
        stems = set(content_stems(spoken))
        for question, known in enumerate(self._stems):
            if topics[question]:
                cues[question] += _TOPIC
            cues[question] += 0.5 * max(0.0, len(known & stems) / max(3, len(known)) - 0.3)
        return _Candidate(
            number,
            sentence,
            turn.slice(sentence.start, sentence.end),
            tuple(cues),
            asking,
            "defer" in talk,
            "confirm" in talk,
            not _FACT_WORDS.isdisjoint(spoken[:4]),
        )

    def _score(self, candidates: Sequence[_Candidate]) -> Vectors:
        scores = np.zeros((len(candidates), len(self._questions)), dtype=np.float32)
        places = [p for p, c in enumerate(candidates) if c.asking or c.deferred or c.confirms]
        if len(places) > _MAX_ENCODED:
            quick = self._heads.by_words([candidates[p].text for p in places]).max(axis=1)
            strongest = [max(candidates[p].cues) for p in places] + quick
            places = [places[i] for i in np.argsort(-strongest, kind="stable")[:_MAX_ENCODED]]
        if places:
            scores[places] = self._heads.score([candidates[p].text for p in places])
        return scores

    def _accepted(self, candidate: _Candidate, heads: Vectors) -> list[Ask]:
        if not (candidate.asking or candidate.deferred or candidate.confirms):
            return []
        scores = [cue + float(head) for cue, head in zip(candidate.cues, heads, strict=True)]
        # Somebody who only sums up, or puts off, has to be plain about it.
        needed = self._needed + (0.0 if candidate.asking or candidate.deferred else _UNASKED)
        needed = max(needed, _SHARE_OF_TOP * max(scores))
        asks = [
            Ask(
                question,
                candidate.sentence.start,
                candidate.sentence.end,
                score,
                candidate.deferred,
                candidate.wants_fact,
            )
            for question, score in enumerate(scores)
            if score >= needed
        ]
        return sorted(asks, key=lambda ask: -ask.strength)[:_MOST]
