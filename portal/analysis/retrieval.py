"""Answers to free questions over a conversation: the passage that holds it, or nothing.

A judge learned from the corpus chooses the likeliest passages by their numbers; the cross-encoder
reads each of those together with the question. All compete with one more choice: that nobody
says it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portal.analysis.cross_encoder import CrossEncoder
from portal.analysis.encoder import Encoder, Vectors
from portal.analysis.engines.base import Evidence, Reply, Turn
from portal.analysis.grounding import ground_reply
from portal.analysis.heads import Heads
from portal.analysis.logistic import Logistic, Matrix
from portal.analysis.passages import Passage, alike, coverage, cut, weights
from portal.analysis.seeking import KINDS, FreeQuestion
from portal.analysis.text import spoken_form, stem, words

ANSWER_MAX_WORDS = 40
# Embedding is the slow part: in a very long conversation only the best passages by words get it.
_MAX_ENCODED = 150
# Of those, these are read together with the question.
_MAX_READ = 12
# A second turn is quoted with the first when it is at least so likely beside it.
_SHORT, _LONG, _NEARLY = 8, 25, 0.3

PASSAGE = (
    *("own", "context", "beside", "named", "similar", "asked similar", "nearness", "topic"),
    *("fits", "misfits", "employee", "length", "similar fits", "named fits", "similar named"),
    *("employee similar", "first", "asked first", "beside similar", "turn similar", "close"),
)
NOBODY = ("known", "names", *KINDS, "nobody says it")
CHOICE = (*PASSAGE, "likely", *NOBODY)
"""What passages, and that nobody says it, are chosen among by: the others' numbers are 0."""


@dataclass(frozen=True)
class Candidates:
    """The passages that may answer, in their order. ``rows``, of shape (n + 1, CHOICE), has the
    numbers of each; the last row is for that nobody says it."""

    passages: tuple[Passage, ...]
    rows: Vectors

    def weigh(
        self, judge: Logistic, goes: NDArray[np.floating] | None = None
    ) -> tuple[Matrix, float]:
        """How likely each passage is the one that answers, if any does; and the logarithm of how
        much likelier it is that one does than that none does. ``goes``: more odds of each."""
        odds = judge.odds(self.rows)
        passages, nobody = odds[:-1], float(odds[-1])
        if goes is not None:
            passages = passages + goes
        most = float(passages.max())
        shares: Matrix = np.exp(passages - most)
        return shares / shares.sum(), most + float(np.log(shares.sum())) - nobody


@dataclass(frozen=True)
class Search:
    """A free question held against the passages of one conversation; ``rows[i]`` are the numbers
    of ``passages[i]``, ``known`` the share of the question that is named anywhere."""

    question: FreeQuestion
    passages: tuple[Passage, ...]
    rows: Vectors
    known: float

    def likeliest(self, judge: Logistic) -> Candidates:
        chances = judge.choice(self.rows)
        likely = sorted(np.argsort(-chances, kind="stable")[:_MAX_READ].tolist())
        rows = np.zeros((len(likely) + 1, len(CHOICE)), dtype=np.float32)
        rows[:-1, : len(PASSAGE)] = self.rows[likely]
        rows[:-1, len(PASSAGE)] = np.log(np.clip(chances[likely], 1e-6, 1.0))
        kinds = [float(kind == self.question.kind) for kind in KINDS]
        rows[-1, len(PASSAGE) + 1 :] = (self.known, len(self.question.names), *kinds, 1.0)
        return Candidates(tuple(self.passages[i] for i in likely), rows)


def search(
    turns: Sequence[Turn], text: str, encoder: Encoder | None, heads: Heads
) -> Search | None:
    """None when the conversation says nothing, or nothing is asked that could be looked for: a
    question without a word of its own ("¿De dónde es?") takes an encoder."""
    question = FreeQuestion(text)
    passages = cut(turns)
    if not passages or not (question.stems or (encoder and words(text))):
        return None
    weight = weights(question, passages)
    named = np.array([coverage(question, p, weight) for p in passages], dtype=np.float32)
    known = sum(
        w for s, w in weight.items() if any(p.names(s)[0] or p.names(s)[1] for p in passages)
    )
    order = _likeliest(passages, named[:, -1])
    chosen = [passages[place] for place in order]
    columns = dict(zip(("own", "context", "beside", "named"), named[order].T, strict=True))
    columns |= _similarity(question, chosen, encoder, heads)
    columns["topic"] = _topic(question, chosen, heads)
    signs = [question.signs(p.parsed, p.piece) for p in chosen]
    fits = np.array([how_far for how_far, _ in signs], dtype=np.float32)
    employee = np.array([p.employee for p in chosen], dtype=np.float32)
    columns["fits"] = fits
    columns["misfits"] = question.typed - fits
    columns["employee"] = employee
    columns["length"] = np.array([np.log1p(len(p.folded)) / 3 for p in chosen])
    columns["similar fits"] = columns["similar"] * columns["fits"]
    columns["named fits"] = columns["named"] * columns["fits"]
    columns["similar named"] = columns["similar"] * columns["named"]
    columns["employee similar"] = columns["similar"] * employee
    first = np.array([p.piece.start == 0 for p in chosen], dtype=np.float32)
    columns["first"] = first
    columns["asked first"] = columns["asked similar"] * first
    columns["beside similar"] = _beside(chosen, columns["similar"])
    columns["turn similar"] = _over_turns(
        chosen, np.maximum(columns["similar"], columns["asked similar"])
    )
    columns["close"] = _closeness(question, chosen, [places for _, places in signs])
    rows = np.stack([columns[name] for name in PASSAGE], axis=1).astype(np.float32)
    return Search(question, tuple(chosen), rows, known / max(sum(weight.values()), 1e-6))


def _likeliest(passages: Sequence[Passage], named: Vectors) -> Sequence[int]:
    """Those that get embedded, in their order; what is said again and again gets it once."""
    if len(passages) <= _MAX_ENCODED:
        return range(len(passages))
    chosen: dict[tuple[str, ...], int] = {}
    for place in np.argsort(-named, kind="stable").tolist():
        chosen.setdefault(passages[place].folded, place)
        if len(chosen) == _MAX_ENCODED:
            break
    return sorted(chosen.values())


def _similarity(
    question: FreeQuestion, passages: Sequence[Passage], encoder: Encoder | None, heads: Heads
) -> Mapping[str, Vectors]:
    """How much more a passage, and what it replies to, sound like the question than the rest do,
    in standard deviations; ``nearness`` is the cosine of the nearer of both."""
    nothing = np.zeros(len(passages), dtype=np.float32)
    if encoder is None:
        return {"similar": nothing, "asked similar": nothing, "nearness": nothing}
    texts = list(dict.fromkeys(spoken_form(t) for p in passages for t in (p.text, *p.asked)))
    vectors = heads.space.centred([spoken_form(question.text), *texts], encoder)
    near = dict(zip(texts, (vectors[1:] @ vectors[0]).tolist(), strict=True))
    own = np.array([near[spoken_form(p.text)] for p in passages], dtype=np.float32)
    asked = np.array(
        [max((near[spoken_form(t)] for t in p.asked), default=own.mean()) for p in passages],
        dtype=np.float32,
    )
    spread = max(float(np.std(list(near.values()))), 1e-3)
    middle = float(np.mean(list(near.values())))
    return {
        "similar": (own - middle) / spread,
        "asked similar": (asked - middle) / spread,
        "nearness": np.maximum(own, asked),
    }


def _beside(passages: Sequence[Passage], similar: Vectors) -> Vectors:
    """How similar the other passages of the same turn are, at best; 0 without others."""
    best = np.zeros(len(passages), dtype=np.float32)
    for place, passage in enumerate(passages):
        near = [
            similar[other]
            for other in (place - 1, place + 1)
            if 0 <= other < len(passages) and passages[other].turn == passage.turn
        ]
        best[place] = max(near, default=0.0)
    return best


def _over_turns(passages: Sequence[Passage], values: Vectors) -> Vectors:
    """The most that any passage of the same turn has."""
    most: dict[int, float] = {}
    for passage, value in zip(passages, values.tolist(), strict=True):
        most[passage.turn] = max(value, most.get(passage.turn, value))
    return np.array([most[p.turn] for p in passages], dtype=np.float32)


def _closeness(
    question: FreeQuestion, passages: Sequence[Passage], signs: Sequence[Sequence[int]]
) -> Vectors:
    """How near to a word of the question something of the kind looked for stands: 0 where there
    is none, towards 1 for side by side ("once" in "Salomé tiene once", asked how old Salomé is)."""
    close = np.zeros(len(passages), dtype=np.float32)
    for row, (passage, places) in enumerate(zip(passages, signs, strict=True)):
        if not places:
            continue
        for place in range(passage.piece.start, passage.piece.end):
            word = stem(passage.parsed.folded[place])
            if any(alike(word, wanted) for wanted in question.stems):
                apart = min((abs(place - p) for p in places if p != place), default=0)
                close[row] = max(close[row], 3 / (3 + apart) if apart else 0.0)
    return close


def _topic(question: FreeQuestion, passages: Sequence[Passage], heads: Heads) -> Vectors:
    """How far a passage states what the question asks, where that is of the form."""
    asks = np.clip(heads.score([question.text]).asks[0], 0.0, 1.0)
    states = np.clip(heads.score([p.text for p in passages]).states, 0.0, 1.0)
    topic: Vectors = states @ asks
    return topic


def answer_question(
    turns: Sequence[Turn],
    text: str,
    encoder: Encoder | None,
    heads: Heads,
    judges: Mapping[str, Logistic],
    reader: CrossEncoder | None,
) -> Reply:
    """The words that answer, or ``found=False`` when the conversation does not say."""
    found = search(turns, text, encoder, heads)
    if found is None:
        return Reply(False)
    candidates = found.likeliest(judges["passages"])
    if reader is None:
        chances, said = candidates.weigh(judges["answers by words"])
    else:
        goes = reader.odds(text, candidates.passages)
        chances, said = candidates.weigh(reader.judge, goes)
    if said < 0:
        return Reply(False)
    return ground_reply(turns, _reply(candidates.passages, chances))


def _reply(passages: Sequence[Passage], chances: Matrix) -> Reply:
    """The words of the likeliest turn, and of a second one that is nearly as likely."""
    turns: dict[int, list[int]] = {}
    for place, passage in enumerate(passages):
        turns.setdefault(passage.turn, []).append(place)
    likely = {turn: chances[places].sum() for turn, places in turns.items()}
    order = sorted(likely, key=lambda turn: -likely[turn])
    room = ANSWER_MAX_WORDS
    quotes: list[str] = []
    evidence: list[Evidence] = []
    for turn in order[:2]:
        if evidence and likely[turn] < _NEARLY * likely[order[0]]:
            break
        start, end = _best_run(passages, chances, turns[turn], room)
        if start == end:
            break
        parsed = passages[turns[turn][0]].parsed
        room -= end - start
        quotes.append(parsed.slice(start, end))
        evidence.append(Evidence(turn, quotes[-1]))
    answer = " … ".join(quotes)
    return Reply(True, answer[:1].upper() + answer[1:], tuple(evidence))


def _best_run(
    passages: Sequence[Passage], chances: Matrix, places: Sequence[int], room: int
) -> tuple[int, int]:
    """The likeliest passage of a turn with the passages beside it, as far as there is room."""
    best = max(range(len(places)), key=lambda i: chances[places[i]])
    first = last = best
    start, end = passages[places[best]].piece.start, passages[places[best]].piece.end
    if end - start > room:
        return (start, start + room) if room >= _SHORT else (start, start)
    while True:
        grown = [
            (chances[places[i]], i)
            for i in (first - 1, last + 1)
            if 0 <= i < len(places)
            and max(end, passages[places[i]].piece.end)
            - min(start, passages[places[i]].piece.start)
            <= min(room, _LONG)
        ]
        if not grown:
            return start, end
        place = max(grown)[1]
        first, last = min(first, place), max(last, place)
        start = min(start, passages[places[place]].piece.start)
        end = max(end, passages[places[place]].piece.end)
