"""A title and a summary of a conversation, from its themes and the person's own words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from portal.analysis.cues import CueIndex, discourse_index
from portal.analysis.engines.base import Description, Turn
from portal.analysis.grounding import EMPLOYEE, NO_SUMMARY, NO_TITLE, ground_description
from portal.analysis.language import read_data
from portal.analysis.text import Sentence, Words, sentences, words

_TALK = discourse_index("reason", "need")
_WHY_WEIGHT, _NEED_WEIGHT = 4.0, 2.0
_QUOTE_WORDS = 13


@cache
def _themes() -> CueIndex:
    data = cast("dict[str, list[dict[str, Any]]]", read_data("themes_es.json"))
    return CueIndex({theme["label"]: theme["cues"] for theme in data["themes"]})


def describe(turns: Sequence[Turn]) -> Description:
    """Why the person came, in at most 7 and 30 words; honest when nothing is recognised."""
    weights: Counter[str] = Counter()
    first: dict[str, int] = {}
    reasons: list[tuple[float, Words, Sentence]] = []
    asked_why = False
    for number, turn in enumerate(turns):
        parsed = words(turn.text)
        if turn.speaker == EMPLOYEE:
            talk = {m.key for m in _TALK.find(parsed.folded)}
            asked_why = "reason" in talk and number < max(12, len(turns) // 4)
            continue
        for sentence in sentences(parsed):
            talk = {m.key for m in _TALK.find(parsed.folded, sentence.start, sentence.end)}
            found = {m.key for m in _themes().find(parsed.folded, sentence.start, sentence.end)}
            weight = 1.0 + _WHY_WEIGHT * asked_why + _NEED_WEIGHT * ("need" in talk)
            for label in found:
                weights[label] += weight  # type: ignore[assignment]
                first.setdefault(label, number)
            if found and "need" in talk and not sentence.interrogative:
                # What is said early, and when asked why, is what they came for.
                early = 1.0 - number / max(1, len(turns))
                reasons.append((3.0 * asked_why + 2.0 * early + 0.2 * len(found), parsed, sentence))
        asked_why = False
    if not weights:
        return Description(NO_TITLE, NO_SUMMARY)
    labels = sorted(weights, key=lambda label: (-weights[label], first[label]))
    return ground_description(Description(_title(labels), _summary(labels, reasons)))


def _listed(labels: Sequence[str]) -> str:
    return " y ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))


def _title(labels: Sequence[str]) -> str:
    for count in (4, 3, 2, 1):
        title = _listed(labels[:count])
        if len(title.split()) <= 6:
            break
    return title[:1].upper() + title[1:]


def _summary(labels: Sequence[str], reasons: list[tuple[float, Words, Sentence]]) -> str:
    themes = f"Se habla de {_listed(labels[:5])}."
    if not reasons:
        return themes
    _, parsed, sentence = max(reasons, key=lambda reason: reason[0])
    needs = [m for m in _TALK.find(parsed.folded, sentence.start, sentence.end) if m.key == "need"]
    start = sentence.start if sentence.end - sentence.start <= _QUOTE_WORDS else needs[0].start
    end = min(sentence.end, start + _QUOTE_WORDS)
    quote = parsed.slice(start, end) + ("…" if end < sentence.end else "")
    summary = f"«{quote[:1].upper()}{quote[1:]}». {themes}"
    for count in (4, 3, 2):
        if len(summary.split()) <= 30:
            break
        summary = f"«{quote[:1].upper()}{quote[1:]}». Se habla de {_listed(labels[:count])}."
    return summary
