"""Which questions of the form an interviewer's turn asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from portal.analysis.cues import CueIndex, discourse_index
from portal.analysis.encoder import Vectors
from portal.analysis.engines.base import Question
from portal.analysis.heads import Heads, Scores
from portal.analysis.language import word_set
from portal.analysis.logistic import Logistic, Matrix
from portal.analysis.text import Sentence, Words, content_stems, sentences, stretches, words

# Embedding is the slow part: over a very long interview only the likeliest stretches get it, and
# never one that by its words has nothing to do with any question.
_MAX_ENCODED, _NEVER = 300, 0.04

_TALK = discourse_index("defer", "directive", "confirm", "interrogative", "inform", "reason")
_FACT_WORDS = word_set("fact_words")
_TALK_FEATURES = ("interrogative", "directive", "confirm", "inform", "defer", "reason")

FEATURES = (
    *(
        "head",
        "lead",
        "rival",
        "chats",
        "over chat",
        "phrase",
        "word",
        "topic",
        "miss",
        "named",
        "marked",
    ),
    *_TALK_FEATURES,
    *("length", "short", "head marked", "head asking", "head inform", "named marked"),
)


@dataclass(frozen=True, slots=True)
class AskingTurn:
    """``asks[q]``: how likely the turn asks question number q, by ``pieces[q]`` of it.

    ``wants_fact[q]``: that stretch was put with a question word (who, where, how many), so that
    no yes or no answers it. ``moves_on``: it asks something, of the form or not; ``defers``: it
    puts something off.
    """

    parsed: Words
    asks: Matrix
    pieces: tuple[Sentence | None, ...]
    wants_fact: tuple[bool, ...]
    moves_on: bool
    defers: bool

    def quote(self, question: int) -> str:
        piece = self.pieces[question]
        return self.parsed.slice(piece.start, piece.end) if piece else ""


@dataclass(frozen=True, slots=True)
class Stretch:
    turn: int
    piece: Sentence
    folded: tuple[str, ...]
    text: str
    talk: frozenset[str]

    @property
    def asking(self) -> bool:
        return self.piece.interrogative or bool(
            self.talk & {"directive", "reason"} or ("interrogative" in self.talk - {"inform"})
        )


class AskDetector:
    """Finds what a list of interviewer turns asks; made once for a questionnaire."""

    def __init__(self, questions: Sequence[Question], heads: Heads, judge: Logistic) -> None:
        self._index = CueIndex({str(i): q.cues for i, q in enumerate(questions)})
        self._stems = [set(content_stems(words(q.text).folded)) for q in questions]
        self._heads = heads
        self._judge = judge

    def detect(self, turns: Sequence[Words]) -> list[AskingTurn]:
        """One AskingTurn per interviewer turn. A recogniser leaves out question marks as it likes,
        so every stretch may ask."""
        cut = self.cut(turns)
        likely = self._judge.probabilities(self.features(cut).reshape(-1, len(FEATURES)))[:, 1]
        chances = likely.reshape(len(cut), len(self._stems))
        found = []
        for number, parsed in enumerate(turns):
            rows = [row for row, stretch in enumerate(cut) if stretch.turn == number]
            found.append(self._turn(parsed, [cut[row] for row in rows], chances[rows]))
        return found

    def _turn(self, parsed: Words, cut: Sequence[Stretch], chances: Matrix) -> AskingTurn:
        count = len(self._stems)
        if not cut:
            empty = (None,) * count
            return AskingTurn(parsed, np.zeros(count), empty, (False,) * count, False, False)
        best = [cut[row] for row in chances.argmax(axis=0)]
        return AskingTurn(
            parsed,
            chances.max(axis=0),
            tuple(stretch.piece for stretch in best),
            tuple(not _FACT_WORDS.isdisjoint(stretch.folded[:4]) for stretch in best),
            any(stretch.asking for stretch in cut),
            any("defer" in stretch.talk for stretch in cut),
        )

    @staticmethod
    def cut(turns: Sequence[Words]) -> list[Stretch]:
        return [
            Stretch(
                number,
                piece,
                folded := turn.folded[piece.start : piece.end],
                turn.slice(piece.start, piece.end),
                frozenset(m.key for m in _TALK.find(folded)),
            )
            for number, turn in enumerate(turns)
            for piece in stretches(turn, sentences(turn))
        ]

    def _scores(self, cut: Sequence[Stretch]) -> Scores:
        texts = [stretch.text for stretch in cut]
        scores = self._heads.by_words(texts)
        strongest = scores.asks.max(axis=1)
        places = np.argsort(-strongest, kind="stable")[:_MAX_ENCODED]
        places = places[strongest[places] > _NEVER]
        best = self._heads.score([texts[place] for place in places])
        scores.asks[places] = best.asks
        scores.chats[places] = best.chats
        return scores

    def features(self, cut: Sequence[Stretch]) -> Vectors:
        """Shape (stretches, questions, features)."""
        count = len(self._stems)
        table = np.zeros((len(cut), count, len(FEATURES)), dtype=np.float32)
        if not cut:
            return table
        at = {name: place for place, name in enumerate(FEATURES)}
        heads = self._scores(cut)
        scores = heads.asks
        top = np.sort(scores, axis=1)[:, ::-1]
        rival = np.where(scores == top[:, :1], top[:, 1:2] if count > 1 else 0.0, top[:, :1])
        table[:, :, at["head"]] = scores
        table[:, :, at["lead"]] = scores - rival
        table[:, :, at["rival"]] = rival
        table[:, :, at["chats"]] = heads.chats[:, None]
        table[:, :, at["over chat"]] = np.maximum(scores - heads.chats[:, None], 0.0)
        for row, stretch in enumerate(cut):
            for match in self._index.find(stretch.folded):
                name = {"ask": "word", "topic": "topic", "miss": "miss"}.get(match.kind)
                if match.kind == "ask" and len(match.cue.elements) > 1:
                    name = "phrase"
                if name:
                    table[row, int(match.key), at[name]] = 1.0
            stems = set(content_stems(stretch.folded))
            for question, known in enumerate(self._stems):
                named = max(0.0, len(known & stems) / max(3, len(known)) - 0.3)
                table[row, question, at["named"]] = named
            for name in _TALK_FEATURES:
                table[row, :, at[name]] = name in stretch.talk
            table[row, :, at["marked"]] = stretch.piece.interrogative
            table[row, :, at["length"]] = np.log1p(len(stretch.folded)) / 3
            table[row, :, at["short"]] = len(stretch.folded) <= 3
            asking = float(stretch.asking)
            table[row, :, at["head asking"]] = scores[row] * asking
        table[:, :, at["head marked"]] = scores * table[:, :, at["marked"]]
        table[:, :, at["head inform"]] = scores * table[:, :, at["inform"]]
        table[:, :, at["named marked"]] = table[:, :, at["named"]] * table[:, :, at["marked"]]
        return table
