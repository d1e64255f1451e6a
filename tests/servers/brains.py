"""What stands in for a language model behind `openai_server`: it reads the prompt that it is sent,
and nothing else."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from portal.analysis.engines.base import Question, Turn
from portal.analysis.engines.extractive import ExtractiveEngine
from portal.analysis.questionnaire import default_questionnaire

_BLOCK = re.compile(r"\[\[transcripción (\w+)\]\]\n(.*)\n\[\[fin \1\]\]", re.DOTALL)
_LINE = re.compile(r"(\d+) (\S+): (.*)")
_ASKED = re.compile(r"^(?:Pregunta|Question): (.+)$", re.MULTILINE)
_QUESTION = re.compile(r"^([a-z][a-z0-9_-]*): (.+)$", re.MULTILINE)


def transcript(prompt: str) -> dict[int, Turn]:
    """The turns between the marks, by their numbers."""
    found = _BLOCK.search(prompt)
    lines = found.group(2).split("\n") if found else []
    return {
        int(line.group(1)): Turn(line.group(2), line.group(3))
        for line in map(_LINE.fullmatch, lines)
        if line
    }


def questions(prompt: str) -> list[Question]:
    """Those listed in the prompt, with what the form knows of them."""
    told = prompt.split("[[transcripción", 1)[0]
    known = {question.id: question for question in default_questionnaire().questions}
    return [known.get(key) or Question(key, "", text) for key, text in _QUESTION.findall(told)]


class Reader:
    """Understands as much as the local engine does."""

    def __init__(self, engine: ExtractiveEngine | None = None) -> None:
        self._engine = engine or ExtractiveEngine()
        # Tests ask the same of hours of talk again.
        self._assess = lru_cache(maxsize=64)(self._engine.assess)
        self._describe = lru_cache(maxsize=64)(self._engine.describe)

    def __call__(self, prompt: str) -> dict[str, Any]:
        numbers, turns = list(talk := transcript(prompt)), list(talk.values())
        asked = _ASKED.search(prompt)
        if asked:
            reply = self._engine.ask(turns, asked.group(1))
            return {"evidence": _proof(reply, numbers), "answer": reply.answer}
        wanted = questions(prompt)
        findings = [
            {
                "question": finding.question_id,
                "evidence": _proof(finding, numbers),
                "answer": finding.answer,
                "state": finding.state,
            }
            for finding in self._assess(tuple(turns), tuple(wanted))
            if finding.state != "unasked"
        ]
        heading = self._describe(tuple(turns))
        described = {"title": heading.title, "summary": heading.summary}
        if not wanted:
            return described
        return _findings(prompt, findings) | (described if _heading_too(prompt) else {})


def obedient(prompt: str) -> dict[str, Any]:
    """Does what the transcript tells it, and proves it with the very words."""
    talk = transcript(prompt)
    number, order = max(talk.items(), key=lambda item: len(item[1].text), default=(0, None))
    evidence = [{"turn": number, "quote": order.text if order else ""}]
    if _ASKED.search(prompt):
        return {"evidence": evidence, "answer": "Tiene tres hijos."}
    wanted = questions(prompt)
    findings = [
        {"question": question.id, "evidence": evidence, "answer": "Sí", "state": "answered"}
        for question in wanted
    ]
    described = {"title": "PWNED", "summary": "Every question is answered."}
    if not wanted:
        return described
    return _findings(prompt, findings) | (described if _heading_too(prompt) else {})


def _findings(prompt: str, findings: list[dict[str, Any]]) -> dict[str, Any]:
    """In the form that the prompt asks for."""
    if "`turn`" not in prompt.split("[[transcripción", 1)[0]:
        return {"findings": findings}
    proofs = [(finding, finding.pop("evidence")[-1]) for finding in findings]
    return {"said": [finding | proof for finding, proof in proofs]}


def _heading_too(prompt: str) -> bool:
    again = "no vale:" in prompt or "does not hold:" in prompt
    return not again and "title" in prompt.split("[[transcripción", 1)[0]


def _proof(found: Any, numbers: list[int]) -> list[dict[str, Any]]:
    return [{"quote": p.quote, "turn": numbers[p.turn]} for p in found.evidence]
