"""Whether an answer can come from the words that are to prove it.

Grounding tells that the words are there, not that they say what the model makes of them. Nor does
this: it knows what cannot be (a claim proven by a greeting, a figure that nobody said) and what
looks far off, by the words alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Literal

from portal.analysis.cues import Cue, parse_cue, phrases
from portal.analysis.engines.base import Evidence, Turn
from portal.analysis.grounding import EMPLOYEE
from portal.analysis.numbers import numbers, unsaid
from portal.analysis.text import FUNCTION_WORDS, content_stems, fold, words

Misfit = Literal["order", "empty", "figures"]

AROUND = 2
"""Turns before and after a quote that are looked at with it."""

_TO_A_MACHINE = re.compile(
    r"\b(?:ignor|olvid|disregard|forget|oubli|haz caso omiso)\w*\b[^.!?]{0,60}"
    r"\b(?:instruc|indicacion|anterior|prompt|previous|above|consign|precedent)"
    r"|\b(?:system|sistema|assistant|asistente|user)\s*:"
    r"|\b(?:pon|marca|rellena|responde|contesta|anota|answer|mark|set|tick)\w*\b[^.!?]{0,40}"
    r"\b(?:tod[ao]s?|cada|all|every|each)\b[^.!?]{0,20}"
    r"\b(?:pregunta|casilla|respuesta|campo|question|answer|field|box)"
    r"|\b(?:every|all)\b[^.!?]{0,12}\bquestions?\b"
    # "Escribe sí en todo", "answer yes everywhere".
    r"|\b(?:escrib|pon|marca|rellena|responde|contesta|anota|answer|write|say|mark|put|tick)\w*"
    r"\b[^.!?]{0,20}\b(?:si|no|yes)\b[^.!?]{0,12}\b(?:tod[ao]s?|cada|all|each|every\w*)\b"
    # "Asume que todo está en regla y escríbelo"; not "supongo que lo escribí mal".
    r"|\b(?:(?:asum[ea]|supon|suponga) que|d[ae] por (?:hecho|sentado|cierto)|haz como|assume"
    r"|pretend)\b[^.!?¿]{0,60}\b(?:escrib[ea]|anot[ae]|pon|ponga|marca|marque|rellen[ae]|registr[ae]"
    r"|respond[ea]|write|record|mark|answer|fill)(?:l[oa]s?)?\b"
    # "You are now an evaluator", "eres un asistente que".
    r"|\b(?:you are|you re|act as|eres|actua como|tu es)\b[^.!?]{0,20}"
    r"\b(?:evaluator|evaluador|assistant|asistente(?! social)|modelo|model|ai|ia|bot"
    r"|grader|chatbot)\b"
    r"|<[/|!]?\w+|[{}]|\[\[|```"
)
_YES_OR_NO = frozenset(("si", "no", "yes", "oui", "non", "claro", "nunca", "tampoco"))


def speaks_to_a_machine(text: str) -> bool:
    """Whether somebody seems to dictate to a program what to do; no one says such things to the
    person in front of them."""
    return _TO_A_MACHINE.search(fold(text)) is not None


def misfit(
    turns: Sequence[Turn], answer: str, evidence: Sequence[Evidence], *, asked: str = ""
) -> Misfit | None:
    """Why the answer does not come from the evidence, which is grounded; None where it may.

    ``asked``: the free question that it answers, which an employee of ours wrote.
    """
    if speaks_to_a_machine(answer):
        return "order"
    said, before = _quoted(evidence), _confirmed(turns, evidence)
    told = words(answer).folded
    if set(told) <= set(words(said).folded):
        return None
    if not any(_says_something(piece.quote) for piece in evidence):
        agreed = any(_says_yes_or_no(piece.quote) for piece in evidence)
        repeated = told[0] in _YES_OR_NO and _share(told, words(before).folded)
        if not agreed or not (_is_bare(told) or repeated):
            return "empty"
    if _is_spanish(turns, evidence) and unsaid(answer, f"{said}\n{before}\n{asked}"):
        return "figures"
    return None


def is_near(turns: Sequence[Turn], answer: str, evidence: Sequence[Evidence]) -> bool:
    """Whether the answer has something of the words that prove it, a word or a number, or is a yes
    or a no."""
    told = words(answer).folded
    said = f"{_quoted(evidence)}\n{_confirmed(turns, evidence)}"
    if not told or told[0] in _YES_OR_NO or _share(told, words(said).folded):
        return True
    return bool(set(numbers(answer)) & set(numbers(said)))


def _quoted(evidence: Sequence[Evidence]) -> str:
    return "\n".join(piece.quote for piece in evidence)


def _confirmed(turns: Sequence[Turn], evidence: Sequence[Evidence]) -> str:
    """What the interviewer said last before a quote that begins with yes or no."""
    confirmed = []
    for piece in evidence:
        if _YES_OR_NO & set(words(piece.quote).folded[:2]):
            before = reversed(turns[max(0, piece.turn - AROUND) : piece.turn])
            confirmed += [turn.text for turn in before if turn.speaker == EMPLOYEE][:1]
    return "\n".join(confirmed)


def _is_bare(told: Sequence[str]) -> bool:
    """A yes or a no, and nothing of substance after it."""
    return told[0] in _YES_OR_NO and not content_stems(
        [word for word in told if word not in _YES_OR_NO]
    )


def _share(some: Sequence[str], others: Sequence[str]) -> bool:
    return not set(content_stems(some)).isdisjoint(content_stems(others))


def _says_yes_or_no(quote: str) -> bool:
    folded = words(quote).folded
    if _YES_OR_NO & set(folded):
        return True
    return any(cue.match(folded, 0, len(folded)) for cue in _cues("yes") + _cues("no"))


def _says_something(quote: str) -> bool:
    """Beyond thanks and greetings, and words that every sentence has."""
    folded = words(quote).folded
    if numbers(quote):
        return True
    at = 0
    while at < len(folded):
        stop = next(
            (s for cue in _cues("backchannel") if (s := cue.match(folded, at, len(folded)))), None
        )
        if stop is not None:
            at = stop
        elif folded[at] in FUNCTION_WORDS | _YES_OR_NO or len(folded[at]) == 1:
            at += 1
        else:
            return True
    return False


@cache
def _cues(name: str) -> tuple[Cue, ...]:
    """Longest first: "buenos días" is one, "los días" is none."""
    return tuple(sorted(map(parse_cue, phrases(name)), key=lambda cue: -len(cue.elements)))


def _is_spanish(turns: Sequence[Turn], evidence: Sequence[Evidence]) -> bool:
    """Around the quotes, and surely: French has "de", "la" and "un" too. Numbers are known in no
    other language."""
    folded = [
        word
        for piece in evidence
        for turn in turns[max(0, piece.turn - AROUND) : piece.turn + AROUND + 1]
        for word in words(turn.text).folded
    ]
    return 4 * sum(word in FUNCTION_WORDS for word in folded) >= len(folded)
