"""Questionnaires as files: the questions of a form, their domains, and how people speak of them.

A file is JSON or TOML with ``name``, ``language``, ``domains`` (``id``, ``name``, ``colour``: a
key that the pages map to a colour, ``icon``: a name of bootstrap-icons) and ``questions`` (``id``,
``domain``, ``text``, and optionally ``prompt``: a gentle sentence to ask it with, ``cues``: see
``portal.analysis.cues``, ``examples``: sentences people say, those with "?" asking, the others
answering).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from portal.analysis.cues import CueError, parse_cue
from portal.analysis.engines.base import Question
from portal.analysis.language import read_data

_SLUG = re.compile(r"[a-z][a-z0-9_-]*")


class QuestionnaireError(ValueError):
    """The file is not a questionnaire; the message says where and why, in Spanish."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A part of the form, with a colour key and the name of an icon of bootstrap-icons."""

    id: str
    name: str
    colour: str
    icon: str


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """``prompts`` gives, by question id, a gentle sentence to ask it with."""

    name: str
    language: str
    domains: tuple[Domain, ...]
    questions: tuple[Question, ...]
    prompts: Mapping[str, str]


def _text(entry: Mapping[str, Any], field: str, where: str, *, default: str | None = None) -> str:
    value = entry.get(field, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise QuestionnaireError(f"{where}: falta «{field}» o no es un texto.")
    return value.strip()


def _texts(entry: Mapping[str, Any], field: str, where: str) -> tuple[str, ...]:
    value = entry.get(field, [])
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise QuestionnaireError(f"{where}: «{field}» debe ser una lista de textos.")
    return tuple(value)


def _entries(data: Mapping[str, Any], field: str) -> list[tuple[str, Mapping[str, Any]]]:
    value = data.get(field)
    if not isinstance(value, list) or not value:
        raise QuestionnaireError(
            f"El cuestionario debe tener una lista «{field}» que no esté vacía."
        )
    named: list[tuple[str, Mapping[str, Any]]] = []
    seen: set[str] = set()
    for number, entry in enumerate(value, 1):
        if not isinstance(entry, dict):
            raise QuestionnaireError(f"{field}, número {number}: no es un objeto.")
        slug = _text(entry, "id", f"{field}, número {number}")
        if not _SLUG.fullmatch(slug):
            raise QuestionnaireError(
                f"{field}: el identificador «{slug}» solo admite minúsculas, números, «-» y «_»."
            )
        if slug in seen:
            raise QuestionnaireError(f"{field}: el identificador «{slug}» está repetido.")
        seen.add(slug)
        named.append((f"{field}, «{slug}»", entry))
    return named


def read_questionnaire(data: object) -> Questionnaire:
    """Checks plain data, as a file or a database gives it; raises QuestionnaireError."""
    if not isinstance(data, dict):
        raise QuestionnaireError("El cuestionario debe ser un objeto con «domains» y «questions».")
    domains = tuple(
        Domain(
            entry["id"],
            _text(entry, "name", where),
            _text(entry, "colour", where, default=""),
            _text(entry, "icon", where, default=""),
        )
        for where, entry in _entries(data, "domains")
    )
    known = {domain.id for domain in domains}
    questions, prompts = [], {}
    for where, entry in _entries(data, "questions"):
        domain = _text(entry, "domain", where)
        if domain not in known:
            raise QuestionnaireError(f"{where}: el ámbito «{domain}» no está en «domains».")
        cues = _texts(entry, "cues", where)
        try:
            for cue in cues:
                parse_cue(cue)
        except CueError as error:
            raise QuestionnaireError(f"{where}: {error}") from None
        text = _text(entry, "text", where)
        questions.append(
            Question(entry["id"], domain, text, cues, _texts(entry, "examples", where))
        )
        prompts[entry["id"]] = _text(entry, "prompt", where, default=text)
    return Questionnaire(
        _text(data, "name", "El cuestionario", default="Cuestionario"),
        _text(data, "language", "El cuestionario", default="es"),
        domains,
        tuple(questions),
        prompts,
    )


def load_questionnaire(path: Path) -> Questionnaire:
    """Reads a ``.json`` or ``.toml`` file; raises QuestionnaireError."""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise QuestionnaireError(f"No se puede leer {path}: {error.strerror}.") from None
    except ValueError as error:
        raise QuestionnaireError(f"{path} no es un fichero JSON o TOML válido: {error}.") from None
    return read_questionnaire(data)


@cache
def default_questionnaire() -> Questionnaire:
    """The 16 questions of the "acogida y valoración" form."""
    return read_questionnaire(read_data("cruz_roja_es.json"))
