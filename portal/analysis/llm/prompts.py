"""What a language model is told: versioned files of ``portal/analysis/prompts``, with the form's
questions put in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from string import Template
from typing import Literal

from portal.analysis.engines.base import Question, Turn
from portal.analysis.text import is_spanish, words

Task = Literal["assess", "live", "describe", "ask", "again"]
Language = Literal["es", "en"]

VERSION = 1
_FORM_LANGUAGE = {"es": "español", "en": "Spanish"}


@cache
def _template(task: Task, language: Language) -> Template:
    file = resources.files("portal.analysis") / "prompts" / f"{task}.{language}.{VERSION}.md"
    return Template(file.read_text("utf-8").strip())


def prompt(task: Task, language: Language, **values: str) -> str:
    """The text of a prompt; ``values`` are what its file names, see its README."""
    return _template(task, language).substitute(form_language=_FORM_LANGUAGE[language], **values)


def listed(questions: Sequence[Question]) -> str:
    """One line a question: its id, and how the form asks it."""
    return "\n".join(f"{question.id}: {_one_line(question.text)}" for question in questions)


def language_of(turns: Sequence[Turn]) -> Language:
    """Spanish, or English for an interview in which next to nobody speaks Spanish: models read
    any other language with instructions in English."""
    spoken = [words(turn.text).folded for turn in turns]
    spanish = sum(len(folded) for folded in spoken if is_spanish(folded))
    return "es" if 2 * spanish >= sum(map(len, spoken)) else "en"


def _one_line(text: str) -> str:
    return " ".join(text.split())
