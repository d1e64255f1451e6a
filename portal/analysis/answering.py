"""Whether what somebody says answers a question, and in which of their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from portal.analysis.cues import Cue, CueIndex, Match, discourse_index, parse_cue, phrases
from portal.analysis.encoder import Encoder
from portal.analysis.engines.base import Question
from portal.analysis.heads import BY_WORDS_ALONE, stating_heads
from portal.analysis.language import word_set
from portal.analysis.text import (
    Sentence,
    Words,
    fold,
    is_joint,
    is_spanish,
    sentences,
    small_number,
    stretches,
    words,
)

AnswerType = Literal["yes_no", "number", "list", "open"]
Verdict = Literal["answered", "declined", "nothing"]

ANSWER_MAX_WORDS = 25
_WINDOW_BEFORE, _WINDOW_AFTER = 6, 14
# What a cue adds to what the head says (0 to 1), and from where on a statement counts.
_STATED, _TOPIC, _MISS = 0.3, 0.1, -0.3
_VOLUNTEERED = 0.4
_RELATED, _UNRELATED, _LONG_REPLY = 0.25, 0.08, 10
_MAX_ENCODED = 300
_LATEST_POLARITY = 6

_TALK = discourse_index(
    "decline", "clarify", "interrupt", "unknown", "correct", "elsewhere", "hypothetical"
)
_FIRST_PERSON = word_set("first_person")
_PREPOSITIONS = word_set("prepositions")
_NEGATED_APPLIANCE = word_set("missing_or_broken")


def _longest_first(name: str) -> tuple[Cue, ...]:
    """ "Claro que no" is not "claro"."""
    return tuple(sorted(map(parse_cue, phrases(name)), key=lambda cue: -len(cue.elements)))


_YES, _NO = _longest_first("yes"), _longest_first("no")
_FILLER, _BACKCHANNEL = _longest_first("filler"), _longest_first("backchannel")
_HESITATION = word_set("hesitation")


def _opens_with(cues: Sequence[Cue], folded: Sequence[str], at: int, end: int) -> int | None:
    """Where the first of ``cues`` that fits at ``at`` ends."""
    for cue in cues:
        stop = cue.match(folded, at, end)
        if stop is not None:
            return stop
    return None


def _late_polarity(parsed: Words) -> Literal["Sí", "No", ""]:
    """The yes of "en el piso sí" and the no of "alcohol no"."""
    for place in range(min(_LATEST_POLARITY, len(parsed))):
        last = place + 1 == len(parsed) or is_joint(parsed, place + 1)
        if parsed.slice(place, place + 1).lower() == "sí":
            return "Sí"
        if parsed.folded[place] == "no" and last:
            return "No"
    return ""


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


@dataclass(frozen=True, slots=True)
class Judgement:
    """``quote`` is the part of the turn that answers; ``direct`` when it opens with yes or no."""

    verdict: Verdict
    quote: str = ""
    answer: str = ""
    confidence: float = 0.0
    corrects: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Spoken:
    """A turn that is not the interviewer's, taken apart once."""

    words: Words
    sentences: tuple[Sentence, ...]
    talk: frozenset[str]
    declines: tuple[Match, ...]
    matches: tuple[Match, ...]
    polarity: Literal["Sí", "No", ""]
    opening: int  # where the words after hesitation begin
    spanish: bool
    only_asks: bool
    stretches: tuple[Sentence, ...] = ()
    scores: tuple[tuple[float, ...], ...] = ()  # one row per stretch, one column per question

    def best(self, question: int) -> tuple[float, Sentence | None]:
        """The stretch that sounds most like an answer, and how much."""
        rows = [(row[question], s) for row, s in zip(self.scores, self.stretches, strict=True)]
        return max(rows, key=lambda r: r[0]) if rows else (0.0, None)

    def about(self, question: int, *kinds: str) -> list[Match]:
        key = str(question)
        return [m for m in self.matches if m.key == key and m.kind in kinds]


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
        parsed = [self._parse(text) for text in texts]
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

    def _parse(self, text: str) -> Spoken:
        parsed = words(text)
        folded, end = parsed.folded, len(parsed)
        matches = self._index.find(folded)
        talk = _TALK.find(folded)
        at = 0
        polarity: Literal["Sí", "No", ""] = ""
        while at < end:
            no = _opens_with(_NO, folded, at, end)
            yes = _opens_with(_YES, folded, at, end)
            if no is not None and folded[at : at + 2] not in (("no", "se"), ("no", "lo")):
                polarity = "No" if no >= (yes or 0) else "Sí"
                break
            if yes is not None and folded[at : at + 2] != ("claro", "que"):
                polarity = "Sí"
                break
            filler = _opens_with(_FILLER, folded, at, end)
            if filler is None:
                break
            at = filler
        polarity = polarity or _late_polarity(parsed)
        split = tuple(sentences(parsed))
        begin = 0
        while begin < end - 1 and folded[begin] in _HESITATION:
            begin += 1
        return Spoken(
            words=parsed,
            sentences=split,
            talk=frozenset(m.key for m in talk),
            declines=tuple(m for m in talk if m.key == "decline"),
            matches=tuple(matches),
            polarity=polarity,
            opening=begin,
            spanish=is_spanish(folded),
            only_asks=bool(split) and all(s.interrogative for s in split),
            stretches=tuple(stretches(parsed, split)),
        )

    # --- a reply to a question that was asked ---

    def reply(self, spoken: Spoken, question: int, *, wants_fact: bool) -> Judgement:
        """Judges a turn that follows the question; ``wants_fact``: no yes or no would answer it."""
        folded = spoken.words.folded
        if not folded or not spoken.spanish:
            return Judgement("nothing")
        stated = [m for m in spoken.about(question, "state") if self._counts(spoken, m, True)]
        score, stretch = spoken.best(question)
        if spoken.declines and not stated:
            quote = self._window(spoken, spoken.declines[0])
            return Judgement("declined", quote, confidence=0.9)
        if spoken.only_asks or self._says_nothing(spoken):
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

    def _says_nothing(self, spoken: Spoken) -> bool:
        folded, end = spoken.words.folded, len(spoken.words)
        rest = end - spoken.opening
        at = 0
        while at < end:
            stop = _opens_with(_BACKCHANNEL, folded, at, end) or _opens_with(
                _FILLER, folded, at, end
            )
            if stop is None:
                break
            at = stop
        if at >= end and not spoken.polarity:
            # "bien", "regular" alone can still answer "¿qué tal?"; thanks cannot.
            return not any(word in ("bien", "mal", "regular") for word in folded)
        if "clarify" in spoken.talk and rest <= 14:
            return True
        if "interrupt" in spoken.talk and rest <= 10:
            return True
        return "unknown" in spoken.talk and rest <= 7

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
            talk = _TALK.find(spoken.words.folded, stretch.start, stretch.end)
            if not {"elsewhere", "hypothetical"}.isdisjoint(m.key for m in talk):
                return Judgement("nothing")
        confidence = min(0.75, 0.3 + score / 2)
        return self._answered(spoken, question, stated, stretch, confidence, direct=False)

    def declined_topic(self, spoken: Spoken, question: int) -> Judgement:
        """A person who brings a topic up only to say that they won't speak of it."""
        if spoken.declines and spoken.about(question, "topic"):
            return Judgement("declined", self._window(spoken, spoken.declines[0]), confidence=0.6)
        return Judgement("nothing")

    def _counts(self, spoken: Spoken, match: Match, asked: bool) -> bool:
        """Not somebody else's case, a wish, a question, or (unasked) another time and place."""
        folded = spoken.words.folded
        sentence = next(s for s in spoken.sentences if s.start <= match.start < s.end)
        if sentence.interrogative or match.end > sentence.end:
            return False
        begin = max(sentence.start, match.start - 10)
        before = folded[begin : match.start]
        talk = {m.key for m in _TALK.find(folded, begin, match.start)}
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

    # --- in which words ---

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
        corrects = "correct" in spoken.talk
        count = len(spoken.words)
        topical = list(stated) or spoken.about(question, "topic")
        if direct and count - spoken.opening <= ANSWER_MAX_WORDS:
            start, end = spoken.opening, count
        elif focus is not None:
            start, end = self._around(spoken, focus)
        elif topical:
            start, end = self._bounds(spoken, topical)
        else:
            start, end = self._first_words(spoken)
        quote = answer = spoken.words.slice(start, end)
        bare = direct and count - spoken.opening <= 3 and bool(spoken.polarity)
        if kind == "number":
            answer = self._number_first(spoken, question, start, end, answer)
        elif kind == "list":
            answer = self._list_first(spoken, question, answer)
        elif (
            kind == "yes_no"
            and direct
            and spoken.polarity
            and not fold(answer).startswith(fold(spoken.polarity))
        ):
            answer = f"{spoken.polarity}, {_lower_first(answer)}"
        return Judgement("answered", quote, _upper_first(answer), confidence, corrects, bare)

    def _around(self, spoken: Spoken, focus: Sentence) -> tuple[int, int]:
        """The stretch, with the neighbours that still fit: a statement seldom stands alone."""
        start, end = focus.start, focus.end
        place = spoken.stretches.index(focus)
        for piece in spoken.stretches[place + 1 :]:
            if piece.end - start > ANSWER_MAX_WORDS or piece.interrogative:
                break
            end = piece.end
        sentence = next(s for s in spoken.sentences if s.start <= focus.start < s.end)
        if end - sentence.start <= ANSWER_MAX_WORDS:
            start = sentence.start
        return start, end

    def _bounds(self, spoken: Spoken, matches: Sequence[Match]) -> tuple[int, int]:
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

    def _first_words(self, spoken: Spoken) -> tuple[int, int]:
        """From where hesitation ends, whole sentences as far as they fit."""
        start = end = spoken.opening
        for sentence in spoken.sentences:
            if sentence.end - start <= ANSWER_MAX_WORDS:
                end = max(end, sentence.end)
        return start, end if end > start else min(len(spoken.words), start + ANSWER_MAX_WORDS)

    def _window(self, spoken: Spoken, match: Match) -> str:
        start, end = self._bounds(spoken, [match])
        return spoken.words.slice(start, end)

    def _number_first(
        self, spoken: Spoken, question: int, start: int, end: int, answer: str
    ) -> str:
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

    def _list_first(self, spoken: Spoken, question: int, answer: str) -> str:
        """The things named, those that are missing or broken apart."""
        have: list[str] = []
        lack: list[str] = []
        for match in spoken.about(question, "topic"):
            name = spoken.words.slice(match.start, match.end).lower()
            low = match.start
            while low > 0 and not is_joint(spoken.words, low) and match.start - low < 5:
                low -= 1
            high = match.end
            while (
                high < len(spoken.words)
                and not _breaks(spoken.words, high)
                and high < match.end + 5
            ):
                high += 1
            around = set(spoken.words.folded[low:high])
            group = lack if around & _NEGATED_APPLIANCE else have
            if name not in have and name not in lack:
                group.append(name)
        if len(have) + len(lack) < 2:
            return answer
        listed = ", ".join(have) if have else "ninguno de los nombrados"
        return f"{listed} (no o averiado: {', '.join(lack)})" if lack else listed


def _breaks(parsed: Words, place: int) -> bool:
    between = parsed.text[parsed.spans[place - 1][1] : parsed.spans[place][0]]
    return any(mark in between for mark in ",.;") or parsed.folded[place] in ("y", "pero")


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    first = text.split(" ", 1)[0]
    # Names and acronyms keep their capital: only a word of the language loses it.
    common = fold(first.rstrip(",.")) in _COMMON
    return text[:1].lower() + text[1:] if common else text


_COMMON = word_set("sentence_openers")
_FAMILY = parse_cue("@fam").elements[0]
_THIRD_PERSON = parse_cue("@fam|@tercero|ella|ellos|ellas").elements[0]
