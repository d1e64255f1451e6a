"""A title and a summary of a conversation, from its themes and the person's own words."""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import cache
from typing import Any, cast

from portal.analysis.cues import CueIndex, discourse_index
from portal.analysis.engines.base import SUMMARY_MAX_WORDS, Description, Turn
from portal.analysis.grounding import EMPLOYEE, NO_SUMMARY, NO_TITLE, ground_description
from portal.analysis.language import read_data, word_set
from portal.analysis.text import Sentence, Words, sentences, words

_TALK = discourse_index("reason", "need")
_HESITATION = word_set("hesitation")
# What a sentence is worth beyond one that just names a theme.
_WHY, _NEED, _EARLY, _PROMPTED = 1.0, 2.0, 2.0, 0.2
_WHY_TURNS = 2
_QUOTE_WORDS, _TELLING_WORDS = 18, 5


@cache
def _themes() -> CueIndex:
    data = cast("dict[str, list[dict[str, Any]]]", read_data("themes_es.json"))
    return CueIndex({theme["label"]: theme["cues"] for theme in data["themes"]})


def describe(turns: Sequence[Turn], prompted: Container[int] = ()) -> Description:
    """Why the person came, in at most 7 and 30 words; honest when nothing is recognised.

    ``prompted`` are the turns that reply to a question of the form: of what is said there nobody
    knows whether the person came for it.
    """
    weights: dict[str, float] = {}
    reasons: list[tuple[float, Words, Sentence]] = []
    why, long = 0, max(12, len(turns) // 4)
    for number, turn in enumerate(turns):
        parsed = words(turn.text)
        if turn.speaker == EMPLOYEE:
            talk = {m.key for m in _TALK.find(parsed.folded)}
            why = _WHY_TURNS if "reason" in talk and number < long else max(0, why - 1)
            continue
        early = max(0.0, 1.0 - number / long)
        for sentence in sentences(parsed):
            talk = {m.key for m in _TALK.find(parsed.folded, sentence.start, sentence.end)}
            found = {m.key for m in _themes().find(parsed.folded, sentence.start, sentence.end)}
            worth = 1.0 + _WHY * why + _NEED * ("need" in talk) + _EARLY * early
            worth *= _PROMPTED if number in prompted else 1.0
            for label in found:
                weights[label] = weights.get(label, 0.0) + worth
            wanted = why or "need" in talk or (early and number not in prompted)
            if found and wanted and not sentence.interrogative:
                telling = min(len(found), 3) + (sentence.end - sentence.start >= _TELLING_WORDS)
                reasons.append((worth + telling, parsed, sentence))
    if not weights:
        return Description(NO_TITLE, NO_SUMMARY)
    labels = sorted(weights, key=lambda label: -weights[label])
    return ground_description(Description(_title(labels), _summary(labels, reasons)))


def _listed(labels: Sequence[str]) -> str:
    *before, last = labels
    return f"{', '.join(before)} {'e' if last.startswith('i') else 'y'} {last}" if before else last


def _title(labels: Sequence[str]) -> str:
    for count in (4, 3, 2, 1):
        title = _listed(labels[:count])
        if len(title.split()) <= 6:
            break
    return title[:1].upper() + title[1:]


def _summary(labels: Sequence[str], reasons: list[tuple[float, Words, Sentence]]) -> str:
    if not reasons:
        return f"Se habla de {_listed(labels[:5])}."
    _, parsed, sentence = max(reasons, key=lambda reason: reason[0])
    start, end = sentence.start, sentence.end
    while start < end - _TELLING_WORDS and parsed.folded[start] in _HESITATION:
        start += 1
    if end - start > _QUOTE_WORDS:
        needs = [m.start for m in _TALK.find(parsed.folded, start, end) if m.key == "need"]
        start = min([*needs, end - _QUOTE_WORDS]) if needs else start
        end = start + _QUOTE_WORDS
    quote = parsed.slice(start, end) + ("…" if end < sentence.end else "")
    summary = f"«{quote[:1].upper()}{quote[1:]}»."
    for count in (4, 3, 2, 1):
        longer = f"{summary} Se habla de {_listed(labels[:count])}."
        if len(longer.split()) <= SUMMARY_MAX_WORDS:
            return longer
    return summary
