"""The one place that decides whether what an engine says is really in the transcript.

Every engine's findings and replies pass through here before anyone sees them: a quote must stand
verbatim in the turn it names (white space folded), an answer must rest on somebody other than the
interviewer, and a title or summary must keep to its length. What fails is taken back, not mended.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from portal.analysis.engines.base import (
    SUMMARY_MAX_WORDS,
    TITLE_MAX_WORDS,
    Description,
    Evidence,
    Finding,
    Reply,
    Turn,
)

EMPLOYEE = "empleado"
NO_TITLE = "Conversación sin contenido reconocible"
NO_SUMMARY = "No se ha reconocido de qué trata la conversación."


def find_quote(text: str, quote: str) -> str | None:
    """The part of ``text`` that reads like ``quote`` but for white space, exactly as it stands."""
    parts = quote.split()
    if not parts:
        return None
    found = re.search(r"\s+".join(map(re.escape, parts)), text)
    return found.group() if found else None


def ground_evidence(turns: Sequence[Turn], evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The pieces that are true, with their quotes as they stand in the turn, none of them twice."""
    true: list[Evidence] = []
    for piece in evidence:
        if not 0 <= piece.turn < len(turns):
            continue
        quote = find_quote(turns[piece.turn].text, piece.quote)
        if quote is not None and (grounded := Evidence(piece.turn, quote)) not in true:
            true.append(grounded)
    return tuple(true)


def ground_finding(turns: Sequence[Turn], finding: Finding) -> Finding:
    """The finding as far as it is proven.

    ``answered`` without an answer, or without a quote of somebody other than the interviewer, and
    ``declined`` without a quote of such a person, become ``asked`` when a true quote of the
    interviewer shows it was raised, else ``unasked``.
    """
    evidence = ground_evidence(turns, finding.evidence)
    confidence = min(1.0, max(0.0, finding.confidence))
    theirs = any(turns[piece.turn].speaker != EMPLOYEE for piece in evidence)
    if finding.state == "answered" and theirs and finding.answer.strip():
        answer = " ".join(finding.answer.split())
        return replace(finding, answer=answer, evidence=evidence, confidence=confidence)
    if finding.state == "declined" and theirs:
        return replace(finding, answer="", evidence=evidence, confidence=confidence)
    raised = tuple(piece for piece in evidence if turns[piece.turn].speaker == EMPLOYEE)
    if finding.state == "asked":
        raised = evidence
    if finding.state != "unasked" and raised:
        return replace(finding, state="asked", answer="", evidence=raised, confidence=confidence)
    return Finding(finding.question_id, "unasked")


def ground_reply(turns: Sequence[Turn], reply: Reply) -> Reply:
    """The reply with true evidence only; without any, or without an answer, ``found=False``."""
    evidence = ground_evidence(turns, reply.evidence) if reply.found else ()
    answer = " ".join(reply.answer.split())
    return Reply(True, answer, evidence) if evidence and answer else Reply(False)


def _limited(text: str, limit: int) -> str:
    parts = text.split()
    return " ".join(parts[:limit]).rstrip(" ,;:") if len(parts) > limit else " ".join(parts)


def ground_description(description: Description) -> Description:
    """Title and summary within their limits and never empty."""
    return Description(
        _limited(description.title, TITLE_MAX_WORDS) or NO_TITLE,
        _limited(description.summary, SUMMARY_MAX_WORDS) or NO_SUMMARY,
    )
