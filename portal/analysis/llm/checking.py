"""Which of a language model's statements are proven, and what to tell it of the others.

Grounding decides whether the words are there. A model can also be talked into things by words that
are there, so more is asked of it than of an engine that only looks: a sentence that speaks to a
machine proves nothing, nor does one that is to prove half the form, nor one from which the answer
cannot come (``fitting``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from portal.analysis.engines.base import Description, Evidence, Finding, Reply, Turn
from portal.analysis.grounding import (
    EMPLOYEE,
    find_quote,
    ground_description,
    ground_evidence,
    ground_finding,
    ground_reply,
)
from portal.analysis.llm.fitting import Misfit, is_near, misfit, speaks_to_a_machine
from portal.analysis.llm.shapes import Answer, Heading, Proof, Said
from portal.analysis.text import content_stems, shorten, words

ANSWER_MAX_WORDS = 40
PROVES_AT_MOST = 3
"""Questions of a form that one stretch of talk answers: people do say two or three at once."""

SURE, LESS_SURE, FAR = 0.8, 0.6, 0.3
"""What is said of a finding that stood at once, of one that stood when asked again, and of one that
has no word in common with its proof: models give no figure of their own that means anything."""

_MISFITS: dict[Misfit, str] = {
    "order": "answer: no es una respuesta / is not an answer",
    "empty": "evidence: la cita no dice nada de eso / the quote says nothing of it",
    "figures": "answer: cifras que las citas no tienen / figures that the quotes do not have",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a statement about a question does not count, as the model is told."""

    question_id: str
    reason: str

    def __str__(self) -> str:
        return f"- {self.question_id}: {self.reason}"


def check_findings(
    turns: Sequence[Turn],
    said: Sequence[Said],
    open_ids: Sequence[str],
    *,
    confidence: float = SURE,
) -> tuple[dict[str, Finding], list[Refusal]]:
    """Findings by question as far as they are proven, and why what is not is refused.

    Questions that were not asked for are passed over, and of two statements about one the first
    that stands counts. Of one that is refused it may be left that the question was asked.
    """
    said = [item for item in said if item.question in open_ids]
    # One item a question, so that a model which repeats itself does not weigh against itself.
    once = {item.question: item for item in said}.values()
    shared = Counter(key for item in once for key in {_key(proof) for proof in item.evidence})
    found: dict[str, Finding] = {}
    refused: dict[str, Refusal] = {}
    for item in said:
        if item.question in found and item.question not in refused:
            continue
        answer = item.answer if item.state == "answered" else ""
        long = len(answer.split()) > ANSWER_MAX_WORDS
        proofs = [p for p in item.evidence if shared[_key(p)] <= PROVES_AT_MOST]
        evidence = good_evidence(turns, proofs)
        grounded = ground_evidence(turns, evidence)
        wrong = misfit(turns, answer, grounded) if answer and grounded else None
        kept = "" if long or wrong else answer
        sure = confidence if is_near(turns, kept, grounded) else FAR
        finding = ground_finding(turns, Finding(item.question, item.state, kept, evidence, sure))
        if finding.state != "unasked":
            found[item.question] = finding
        if finding.state == item.state:
            refused.pop(item.question, None)
        else:
            refused[item.question] = Refusal(
                item.question, _MISFITS[wrong] if wrong else _why(turns, item, shared, long=long)
            )
    return found, list(refused.values())


def good_evidence(turns: Sequence[Turn], proofs: Sequence[Proof]) -> tuple[Evidence, ...]:
    """What may prove something, before it is grounded."""
    return tuple(
        Evidence(proof.turn, proof.quote)
        for proof in proofs
        if words(proof.quote).folded and not _dictated(turns, proof)
    )


def check_reply(turns: Sequence[Turn], said: Answer, *, asked: str) -> Reply:
    """The answer to a free question, whole or as far as it has come."""
    evidence = ground_evidence(turns, good_evidence(turns, said.evidence))
    if not evidence or misfit(turns, said.answer, evidence, asked=asked):
        return Reply(False)
    return ground_reply(turns, Reply(True, shorten(said.answer, ANSWER_MAX_WORDS), evidence))


def check_heading(turns: Sequence[Turn], heading: Heading) -> Description | None:
    """None for an empty title or summary, for one that speaks to a machine, and for one that has
    words which only a sentence to a machine has."""
    title, summary = heading.title.strip(), heading.summary.strip()
    if not words(title).folded or not words(summary).folded:
        return None
    if speaks_to_a_machine(title) or speaks_to_a_machine(summary):
        return None
    dictated: set[str] = set()
    talk: set[str] = set()
    for turn in turns:
        kept = dictated if speaks_to_a_machine(turn.text) else talk
        kept.update(content_stems(words(turn.text).folded))
    own = set(content_stems(words(f"{title} {summary}").folded))
    if own & (dictated - talk):
        return None
    return ground_description(Description(title, summary))


def _key(proof: Proof) -> tuple[int, str]:
    return proof.turn, " ".join(words(proof.quote).folded)


def _dictated(turns: Sequence[Turn], proof: Proof) -> bool:
    """Judged with what stands around the quote: half a sentence says little."""
    if speaks_to_a_machine(proof.quote):
        return True
    if not 0 <= proof.turn < len(turns):
        return False  # grounding's matter
    text = turns[proof.turn].text
    quote = find_quote(text, proof.quote)
    if quote is None:
        return False
    at = text.index(quote)
    before, after = text.rfind(".", 0, at) + 1, text.find(".", at + len(quote))
    return speaks_to_a_machine(text[before : len(text) if after < 0 else after])


def _why(turns: Sequence[Turn], item: Said, shared: Counter[tuple[int, str]], *, long: bool) -> str:
    """What is wrong with it, without repeating anybody's words."""
    if long:
        return f"answer > {ANSWER_MAX_WORDS}"
    if not item.evidence:
        return "evidence = []"
    if item.state == "answered" and not item.answer.strip():
        return 'answer = ""'
    reasons = []
    for proof in item.evidence:
        if not 0 <= proof.turn < len(turns):
            reasons.append(f"turn {proof.turn}: no existe / does not exist")
        elif find_quote(turns[proof.turn].text, proof.quote) is None:
            reasons.append(f"turn {proof.turn}: la cita no está / the quote is not there")
        elif shared[_key(proof)] > PROVES_AT_MOST:
            reasons.append(f"turn {proof.turn}: no prueba tantas / cannot prove so many")
        elif _dictated(turns, proof):
            reasons.append(f"turn {proof.turn}: no es una respuesta / is not an answer")
        elif turns[proof.turn].speaker == EMPLOYEE:
            reasons.append(f"turn {proof.turn}: empleado")
    return "; ".join(dict.fromkeys(reasons)) or item.state
