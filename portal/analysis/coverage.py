"""What a conversation says of each question: asked, answered, declined, or never touched.

One pass over the turns, as a listener would: what the interviewer has asked stays in the air for a
while, and each turn of the others is judged against every question with that in mind. At the end
the strongest signs of each question decide its state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from portal.analysis.answering import AnswerJudge, Asked, Heard
from portal.analysis.asking import AskDetector, AskingTurn
from portal.analysis.encoder import Vectors
from portal.analysis.engines.base import Evidence, Finding, Question, State, Turn
from portal.analysis.grounding import EMPLOYEE, ground_finding
from portal.analysis.heads import Heads
from portal.analysis.logistic import Logistic, Matrix
from portal.analysis.text import shorten, words
from portal.analysis.wording import ANSWER_MAX_WORDS, answer_type, refusal, word_answer

FEATURES = (
    *("asked", "asked again", "answered", "answered twice", "replied", "volunteered"),
    *("declined", "declined last"),
)
# From here on a turn supports an answer beside the one that holds.
_SUPPORTS, _MOST = 0.4, 2
# From here on a question is in the air; it rests on one of the interviewer's last turns.
_IN_AIR, _PROMPTED, _PATIENCE = 0.4, 0.5, 3
_ANSWER, _DECLINE = 1, 2
STATES: tuple[State, ...] = ("unasked", "asked", "answered", "declined")
# A false answer costs a person more than a missing one: below this it is none.
_ANSWERED, _SURE = STATES.index("answered"), 0.55


@dataclass(slots=True)
class Notes:
    """What one pass over the turns noted; probabilities by turn, of shape (turns, questions)."""

    asking: dict[int, AskingTurn] = field(default_factory=dict)
    heard: dict[int, Heard] = field(default_factory=dict)
    asks: Matrix = field(default_factory=lambda: np.zeros((0, 0)))
    answers: Matrix = field(default_factory=lambda: np.zeros((0, 0)))
    declines: Matrix = field(default_factory=lambda: np.zeros((0, 0)))
    in_air: Matrix = field(default_factory=lambda: np.zeros((0, 0)))

    def features(self) -> Vectors:
        """What decides a question's state, shape (questions, FEATURES)."""
        asks, answers = _two_best(self.asks), _two_best(self.answers)
        declines, _ = _two_best(self.declines)
        # A refusal that nothing answered afterwards.
        later = np.zeros_like(declines)
        if len(self.declines):
            after = np.arange(len(self.asks))[:, None] > self.declines.argmax(axis=0)
            later = np.where(after, self.answers, 0.0).max(axis=0)
        replied, _ = _two_best(self.answers * self.in_air)
        volunteered, _ = _two_best(self.answers * (1.0 - self.in_air))
        signs = [*asks, *answers, replied, volunteered, declines, declines * (1.0 - later)]
        table: Vectors = _odds(np.stack(signs, axis=1)).astype(np.float32)
        return table

    def prompted(self) -> frozenset[int]:
        """Turns that reply to a question of the form."""
        return frozenset(t for t in self.heard if self.in_air[t].max(initial=0.0) >= _PROMPTED)


class Coverage:
    """Reads conversations against one list of questions; made once, used for many."""

    def __init__(
        self, questions: Sequence[Question], heads: Heads, judges: Mapping[str, Logistic]
    ) -> None:
        self._questions = tuple(questions)
        self._types = [answer_type(q) for q in questions]
        self.detector = AskDetector(questions, heads, judges["asks"])
        self.judge = AnswerJudge(questions, heads, judges["replies"])
        self._states = judges["states"]

    def findings(self, turns: Sequence[Turn]) -> list[Finding]:
        """One grounded finding per question, in their order."""
        notes = self.listen(turns)
        likely = self._states.probabilities(notes.features())
        return [
            ground_finding(turns, self._finding(number, notes, likely[number]))
            for number in range(len(self._questions))
        ]

    def listen(self, turns: Sequence[Turn]) -> Notes:
        count = len(self._questions)
        shape = (len(turns), count)
        mine = [i for i, t in enumerate(turns) if t.speaker == EMPLOYEE]
        theirs = [i for i, t in enumerate(turns) if t.speaker != EMPLOYEE]
        asking = self.detector.detect([words(turns[i].text) for i in mine])
        heard = self.judge.hear([(turns[i].text, turns[i].speaker != "usuario") for i in theirs])
        notes = Notes(
            dict(zip(mine, asking, strict=True)),
            dict(zip(theirs, heard, strict=True)),
            *(np.zeros(shape) for _ in range(4)),
        )
        asked = Asked(count)
        for number in range(len(turns)):
            if number in notes.asking:
                asked.by_employee(notes.asking[number])
                notes.asks[number] = notes.asking[number].asks
            else:
                likely = self.judge.judge(notes.heard[number], asked)
                notes.answers[number] = likely[:, _ANSWER]
                notes.declines[number] = likely[:, _DECLINE]
                notes.in_air[number] = np.maximum(asked.now, asked.before)
                if notes.heard[number].spoken.spanish:
                    asked.by_other()
        return notes

    def _finding(self, question: int, notes: Notes, likely: Matrix) -> Finding:
        name = self._questions[question].id
        if likely[_ANSWERED] < _SURE:
            likely = np.where(np.arange(len(likely)) == _ANSWERED, 0.0, likely)
        state = STATES[int(likely.argmax())]
        confidence = float(likely.max())
        asked = self._asked(question, notes)
        if state == "unasked":
            return Finding(name, "unasked")
        if state == "asked":
            return Finding(name, "asked", "", asked, confidence)
        if state == "declined":
            turn = int(notes.declines[:, question].argmax())
            quote = refusal(notes.heard[turn].spoken) if turn in notes.heard else ""
            return Finding(name, "declined", "", (Evidence(turn, quote), *asked), confidence)
        answer, evidence = self._answer(question, notes)
        return Finding(name, "answered", answer, evidence, confidence)

    @staticmethod
    def _asked(question: int, notes: Notes) -> tuple[Evidence, ...]:
        """Where it was asked: the two likeliest turns, in their order."""
        if not notes.asking:
            return ()
        order = sorted(notes.asking, key=lambda turn: -notes.asks[turn, question])[:2]
        best = notes.asks[order[0], question]
        return tuple(
            Evidence(turn, notes.asking[turn].quote(question))
            for turn in sorted(order)
            if notes.asks[turn, question] >= best / 2
        )

    def _answer(self, question: int, notes: Notes) -> tuple[str, tuple[Evidence, ...]]:
        """What was said, with its words: of the turn that answers most surely, and of one more
        that supports it."""
        chances = notes.answers[:, question]
        order = [int(turn) for turn in np.argsort(-chances, kind="stable")[:_MOST]]
        turns = [order[0], *(turn for turn in order[1:] if chances[turn] >= _SUPPORTS)]
        parts: list[str] = []
        evidence: list[Evidence] = []
        for turn in turns:
            heard = notes.heard.get(turn)
            if heard is None:
                continue
            direct = notes.in_air[turn, question] >= _IN_AIR
            worded = word_answer(
                heard.spoken, heard.states[:, question], question, self._types[question], direct
            )
            parts.append(worded.answer)
            evidence += [Evidence(turn, quote) for quote in worded.quotes]
            if worded.bare and turn == turns[0]:
                # A bare "sí" proves nothing without what it answers.
                evidence = [*self._asked_before(turn, question, notes), *evidence]
        return shorten(_joined(parts), ANSWER_MAX_WORDS + 5), tuple(evidence)

    @staticmethod
    def _asked_before(turn: int, question: int, notes: Notes) -> list[Evidence]:
        before = [asking for asking in notes.asking if asking < turn]
        recent = sorted(before)[-_PATIENCE:]
        if not recent:
            return []
        last = max(recent, key=lambda asking: (notes.asks[asking, question], asking))
        return [Evidence(last, notes.asking[last].quote(question))]


def _two_best(table: Matrix) -> tuple[Matrix, Matrix]:
    """The greatest and the second greatest of each column."""
    ordered = np.sort(np.vstack([table, np.zeros((2, table.shape[1]))]), axis=0)
    return ordered[-1], ordered[-2]


def _odds(chances: Matrix) -> Matrix:
    """Log odds, with chances below one in a hundred as good as none."""
    held = np.clip(chances, 0.01, 0.99)
    odds: Matrix = np.log(held / (1.0 - held))
    return odds


def _joined(parts: Sequence[str]) -> str:
    first, *rest = (part.rstrip(" .;") for part in parts)
    extra = [part for part in rest if part.casefold() not in first.casefold()]
    return "; ".join([first, *extra])
