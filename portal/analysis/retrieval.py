"""Answers to free questions over a conversation: the passage that holds it, or nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from portal.analysis.encoder import Encoder
from portal.analysis.engines.base import Evidence, Reply, Turn
from portal.analysis.grounding import EMPLOYEE, ground_reply
from portal.analysis.text import (
    Words,
    content_stems,
    fold,
    sentences,
    shorten,
    small_number,
    stem,
    words,
)

ANSWER_MAX_WORDS = 40
_K1, _B = 1.2, 0.6
_CONTEXT_WEIGHT = 0.6
# Embedding is the slow part: only the best passages by words get it.
_MAX_ENCODED = 60


@dataclass(frozen=True, slots=True)
class _Passage:
    """Words ``start`` to before ``end`` of a turn, and the question it followed."""

    turn: int
    parsed: Words
    start: int
    end: int
    own: frozenset[str]
    context: frozenset[str]
    employee: bool
    text: str
    question: str


class _Query:
    """What a free question looks for: its content stems, its names, and the kind of answer."""

    def __init__(self, text: str) -> None:
        parsed = words(text)
        self.text = text
        self.stems = [s for s in dict.fromkeys(content_stems(parsed.folded)) if s not in _ASKING]
        self.names = {
            stem(word)
            for place, word in enumerate(parsed.folded)
            if place > 0 and parsed.text[parsed.spans[place][0]].isupper() and len(word) > 2
        }
        self.expects = _expected(parsed.folded)


# Words of asking itself, as stems: they name no topic.
_ASKING = frozenset(
    content_stems(
        fold(
            """cuánto cuánta cuántos cuántas cuál cuáles quién quiénes dónde cuándo cómo persona
            usuaria entrevistada participante señor señora dice dijo cuenta menciona comenta habla
            llama llamaba tipo hace tenido usuario sabe sido está según conversación entrevista"""
        ).split()
    )
)

_KIN_OR_PERSON = frozenset(
    """madre padre marido esposo esposa mujer pareja hijo hija hijos hermano hermana amigo amiga
    vecino vecina vecinos abogado abogada tio tia primo prima abuelo abuela suegra suegro asociacion
    companero companera medico trabajadora compatriota novio novia jefe jefa parroquia iglesia cura
    sobrino sobrina cunado cunada nuera yerno familia dueno duena casero casera""".split()
)
_TIME_WORDS = frozenset(
    """enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre noviembre
    diciembre lunes martes miercoles jueves viernes sabado domingo ano anos mes meses semana semanas
    dia dias ayer manana hoy hora horas verano invierno otono primavera navidad anteayer tarde
    noche""".split()
)
_PLACE_BEFORE = frozenset("en de desde a hasta por del al calle barrio plaza avenida".split())
_NUMBER_WORDS = frozenset(
    """dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis
    diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco
    treinta cuarenta cincuenta sesenta setenta ochenta noventa cien ciento doscientos trescientos
    cuatrocientos quinientos seiscientos setecientos ochocientos novecientos mil un una medio""".split()
)


def _expected(folded: Sequence[str]) -> str:
    opening = " ".join(folded[:4])
    for kind, starts in (
        ("number", ("cuant", "a cuanto", "de cuant", "que edad", "que cantidad", "por cuant")),
        ("time", ("cuando", "que dia", "desde cuando", "en que mes", "en que ano", "a que hora",
                  "que fecha", "hasta cuando", "hace cuanto", "que ano", "que mes")),
        ("place", ("donde", "de donde", "en que calle", "en que barrio", "en que ciudad", "de que pais",
                   "a donde", "adonde", "en que pais", "que pais", "que ciudad", "que calle")),
        ("person", ("quien", "con quien", "a quien", "de quien", "por quien")),
    ):
        if opening.startswith(starts):
            return kind
    return ""


def _fits(kind: str, passage: _Passage) -> bool:
    """Whether the passage holds anything of the kind of answer that is looked for."""
    folded = passage.parsed.folded[passage.start : passage.end]
    if kind == "number":
        return any(w.isdigit() or w in _NUMBER_WORDS or small_number(w) is not None for w in folded)
    if kind == "time":
        return any(w in _TIME_WORDS or w.isdigit() for w in folded)
    if kind == "place":
        return any(w in _PLACE_BEFORE for w in folded)
    if kind == "person":
        capitals = any(
            passage.parsed.text[passage.parsed.spans[p][0]].isupper()
            for p in range(passage.start + 1, passage.end)
        )
        return capitals or any(w in _KIN_OR_PERSON for w in folded)
    return True


def _passages(turns: Sequence[Turn]) -> list[_Passage]:
    result = []
    question, context = "", frozenset[str]()
    for number, turn in enumerate(turns):
        parsed = words(turn.text)
        employee = turn.speaker == EMPLOYEE
        for sentence in sentences(parsed):
            own = frozenset(content_stems(parsed.folded[sentence.start : sentence.end]))
            if employee and sentence.interrogative:
                continue
            result.append(
                _Passage(
                    number, parsed, sentence.start, sentence.end, own,
                    frozenset() if employee else context,
                    employee, parsed.slice(sentence.start, sentence.end),
                    "" if employee else question,
                )
            )
        if employee:
            asked = [s for s in sentences(parsed) if s.interrogative] or sentences(parsed)[-1:]
            question = " ".join(parsed.slice(s.start, s.end) for s in asked)
            context = frozenset(content_stems(words(question).folded))
    return result


def _lexical(query: _Query, passages: Sequence[_Passage]) -> tuple[list[float], dict[str, float]]:
    """BM25 of each passage with its context, and the weight (idf) of each stem of the query."""
    frequency: Counter[str] = Counter()
    for passage in passages:
        frequency.update(passage.own | passage.context)
    count = len(passages)
    weight = {
        s: math.log(1 + (count - frequency[s] + 0.5) / (frequency[s] + 0.5)) for s in query.stems
    }
    mean = sum(len(p.own) for p in passages) / count or 1.0
    scores = []
    for passage in passages:
        length = _K1 * (1 - _B + _B * len(passage.own) / mean)
        score = 0.0
        for s in query.stems:
            presence = 1.0 if s in passage.own else _CONTEXT_WEIGHT if s in passage.context else 0.0
            score += weight[s] * presence * (_K1 + 1) / (presence + length) if presence else 0.0
        scores.append(score)
    return scores, weight


def _covered(query: _Query, passage: _Passage, weight: dict[str, float]) -> float:
    """The share of what is asked that the passage or the question before it names."""
    total = sum(weight.values())
    named = passage.own | passage.context
    return sum(weight[s] for s in query.stems if s in named) / total if total else 0.0


def answer_question(turns: Sequence[Turn], question: str, encoder: Encoder | None) -> Reply:
    """The sentence that answers, or ``found=False`` when the conversation does not say."""
    query = _Query(question)
    passages = _passages(turns)
    if not passages or not query.stems:
        return Reply(False)
    lexical, weight = _lexical(query, passages)
    order = sorted(range(len(passages)), key=lambda p: -lexical[p])[:_MAX_ENCODED]
    semantic = _semantic(query, [passages[p] for p in order], encoder)
    top = max(lexical) or 1.0
    ranked = []
    for place, similar in zip(order, semantic, strict=True):
        passage = passages[place]
        fits = 0.0 if _fits(query.expects, passage) else -0.35
        penalty = -0.15 if passage.employee else 0.0
        ranked.append((lexical[place] / top + similar + fits + penalty, similar, place))
    ranked.sort(key=lambda r: (-r[0], r[2]))
    score, similar, place = ranked[0]
    best = passages[place]
    if not _enough(query, best, weight, similar, encoder is not None):
        return Reply(False)
    return ground_reply(turns, _reply(best))


def _semantic(
    query: _Query, passages: Sequence[_Passage], encoder: Encoder | None
) -> list[float]:
    """Similarity of each passage, in standard deviations over the conversation, 0.25 each."""
    if encoder is None:
        return [0.0] * len(passages)
    texts = [f"{p.question} {p.text}".strip()[-240:] for p in passages]
    vectors = encoder.encode([query.text, *texts])
    similarity = vectors[1:] @ vectors[0]
    spread = float(np.std(similarity)) or 1.0
    return [0.25 * float(s - similarity.mean()) / spread for s in similarity]


def _enough(
    query: _Query,
    passage: _Passage,
    weight: dict[str, float],
    similar: float,
    encoded: bool,
) -> bool:
    """Whether the passage is about what is asked, and holds the kind of answer that is looked for."""
    named = passage.own | passage.context
    if query.names - named:
        return False
    covered = _covered(query, passage, weight)
    needed = 0.5 if encoded else 0.6
    if encoded and similar > 0.4:
        needed -= 0.15
    if query.expects and not _fits(query.expects, passage):
        needed += 0.25
    return covered >= needed


def _reply(passage: _Passage) -> Reply:
    text = passage.text
    if len(text.split()) <= 3 and passage.end < len(passage.parsed):
        text = passage.parsed.slice(passage.start, min(len(passage.parsed), passage.end + 20))
    answer = shorten(text, ANSWER_MAX_WORDS)
    return Reply(True, answer[:1].upper() + answer[1:], (Evidence(passage.turn, text),))
