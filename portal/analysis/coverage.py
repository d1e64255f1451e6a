"""What a conversation says of each question: asked, answered, declined, or never touched.

One pass over the turns, as a listener would: the interviewer's questions stay open until somebody
answers or declines, or the interviewer moves on; what people say of their own accord counts when
it states the matter plainly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from portal.analysis.answering import AnswerJudge, Judgement
from portal.analysis.asking import Ask, AskDetector
from portal.analysis.encoder import Encoder
from portal.analysis.engines.base import Evidence, Finding, Question, Turn
from portal.analysis.grounding import EMPLOYEE, ground_finding
from portal.analysis.spoken import Spoken
from portal.analysis.text import Words, shorten, words
from portal.analysis.wording import ANSWER_MAX_WORDS

# A question nobody took up is forgotten after so many turns of the others.
_PATIENCE = 2
# From here on a reply is about the question beyond having followed it.
_SURE = 0.8


@dataclass(frozen=True, slots=True)
class _Answer:
    turn: int
    judgement: Judgement
    direct: bool
    asked_by: Evidence | None


@dataclass(slots=True)
class _Record:
    """What was noted of one question on the way."""

    asked: list[Evidence] = field(default_factory=list)
    declined: list[Evidence] = field(default_factory=list)
    answers: list[_Answer] = field(default_factory=list)
    ask_strength: float = 0.0


@dataclass(slots=True)
class _Open:
    """A question waiting for its answer."""

    ask: Ask
    evidence: Evidence
    turns_left: int = _PATIENCE
    answered: bool = False


class Coverage:
    """Reads conversations against one list of questions; made once, used for many."""

    def __init__(self, questions: Sequence[Question], encoder: Encoder | None) -> None:
        self._questions = tuple(questions)
        self._detector = AskDetector(questions, encoder)
        self._judge = AnswerJudge(questions, encoder)

    def findings(self, turns: Sequence[Turn]) -> list[Finding]:
        """One grounded finding per question, in their order."""
        records = [_Record() for _ in self._questions]
        employee = {i: words(t.text) for i, t in enumerate(turns) if t.speaker == EMPLOYEE}
        asked = self._detector.detect(list(employee.values()))
        asking = dict(zip(employee, asked, strict=True))
        others = [i for i in range(len(turns)) if i not in asking]
        parsed = self._judge.parse_all([turns[i].text for i in others])
        said = dict(zip(others, parsed, strict=True))
        waiting: list[_Open] = []
        for number in range(len(turns)):
            if number in asking:
                spoken = asking[number]
                waiting = self._after_employee(waiting, spoken.moves_on, spoken.defers)
                raised = self._raised(number, employee[number], spoken.asks, records)
                again = {o.ask.question for o in raised}
                waiting = [o for o in waiting if o.ask.question not in again] + raised
            else:
                waiting = self._listen(number, said[number], waiting, records)
        return [
            ground_finding(turns, self._finding(question, record))
            for question, record in zip(self._questions, records, strict=True)
        ]

    @staticmethod
    def _after_employee(waiting: list[_Open], moves_on: bool, defers: bool) -> list[_Open]:
        if defers or moves_on:
            return []
        return [o for o in waiting if not o.answered]

    @staticmethod
    def _raised(
        number: int, spoken: Words, asks: Sequence[Ask], records: list[_Record]
    ) -> list[_Open]:
        opened = []
        for ask in asks:
            evidence = Evidence(number, spoken.slice(ask.start, ask.end))
            record = records[ask.question]
            record.asked.append(evidence)
            record.ask_strength = max(record.ask_strength, ask.strength)
            if not ask.deferred:
                opened.append(_Open(ask, evidence))
        return opened

    def _listen(
        self, number: int, spoken: Spoken, waiting: list[_Open], records: list[_Record]
    ) -> list[_Open]:
        if not spoken.spanish:
            # Somebody will interpret it: the questions go on waiting.
            return waiting
        latest = max((o.ask.start for o in waiting), default=-1)
        kept = []
        taken = set()
        for place in waiting:
            question = place.ask.question
            judged = self._judge.reply(spoken, question, wants_fact=place.ask.wants_fact)
            named = bool(spoken.about(question, "state", "topic")) or spoken.best(question)[0] > 0.3
            # Of several questions in one breath, the last takes an answer that names nothing.
            if place.ask.start != latest and judged.verdict == "answered" and not named:
                judged = Judgement("nothing")
            if judged.verdict == "answered":
                taken.add(question)
                records[question].answers.append(_Answer(number, judged, True, place.evidence))
                place.answered = True
            elif judged.verdict == "declined":
                taken.add(question)
                records[question].declined.append(Evidence(number, judged.quote))
                place.answered = True
            place.turns_left -= 1
            if place.turns_left > 0:
                kept.append(place)
        for question, record in enumerate(records):
            if question in taken:
                continue
            judged = self._judge.volunteered(spoken, question)
            if judged.verdict == "answered":
                record.answers.append(_Answer(number, judged, False, None))
            elif not waiting and self._judge.declined_topic(spoken, question).verdict == "declined":
                declined = self._judge.declined_topic(spoken, question)
                record.declined.append(Evidence(number, declined.quote))
        return kept

    def _finding(self, question: Question, record: _Record) -> Finding:
        asked = tuple(record.asked[-2:])
        direct = [a for a in record.answers if a.direct]
        if record.declined and not direct:
            return Finding(question.id, "declined", "", tuple(record.declined[:2]) + asked, 0.8)
        if not record.answers:
            if asked:
                return Finding(question.id, "asked", "", asked, min(0.9, record.ask_strength / 2))
            return Finding(question.id, "unasked")
        first, second = _chosen(record.answers)
        parts = [first.judgement.answer]
        evidence = [Evidence(first.turn, first.judgement.quote)]
        if second is not None:
            parts.append(second.judgement.answer)
            evidence.append(Evidence(second.turn, second.judgement.quote))
        if first.judgement.bare and first.asked_by is not None:
            # A bare "sí" proves nothing without what it answers.
            evidence.insert(0, first.asked_by)
        answer = shorten(_joined(parts), ANSWER_MAX_WORDS + 5)
        return Finding(question.id, "answered", answer, tuple(evidence), first.judgement.confidence)


def _chosen(answers: Sequence[_Answer]) -> tuple[_Answer, _Answer | None]:
    """The answer that holds, and one more that supports it.

    A correction holds over what it corrects; else what was said when asked over what was said
    in passing, the fuller over the bare, and the later of two replies over the earlier.
    """
    first = max(
        answers,
        key=lambda a: (
            a.direct and a.judgement.confidence >= _SURE,
            a.judgement.corrects,
            round(a.judgement.confidence, 1),
            not a.judgement.bare,
            a.turn if a.direct else -a.turn,
        ),
    )
    rest = [a for a in answers if a is not first and a.turn != first.turn]
    if not rest:
        return first, None
    return first, max(rest, key=lambda a: (a.direct, a.judgement.confidence, -a.turn))


def _joined(parts: Sequence[str]) -> str:
    first, *rest = (part.rstrip(" .;") for part in parts)
    extra = [part for part in rest if part.casefold() not in first.casefold()]
    return "; ".join([first, *extra])
