"""``portal assess`` and ``portal ask``: the engines from a shell, without database or web."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

import click

from portal.analysis.engines import available_engines, get_engine
from portal.analysis.engines.base import AnalysisEngine, Evidence, Turn
from portal.analysis.questionnaire import (
    QuestionnaireError,
    default_questionnaire,
    load_questionnaire,
)
from portal.engine import EngineError


class InputError(click.ClickException):
    """What was given cannot be read: exit code 2, and nothing on standard output."""

    exit_code = 2


def read_transcript(path: Path) -> list[Turn]:
    """Turns of ``{"turns": [{"speaker", "text", ...}]}``; raises InputError.

    Labels other than ``empleado`` and ``usuario`` are kept: whoever they name, it is not the
    interviewer.
    """

    def refuse(why: str) -> NoReturn:
        raise InputError(f"No se puede usar la transcripción {path}: {why}")

    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        refuse(f"{error.strerror}.")
    except ValueError:
        refuse("no es un fichero JSON en UTF-8.")
    entries = data.get("turns") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        refuse('falta la lista "turns".')
    turns = []
    for number, entry in enumerate(entries):
        speaker = entry.get("speaker") if isinstance(entry, dict) else None
        text = entry.get("text") if isinstance(entry, dict) else None
        if not isinstance(speaker, str) or not isinstance(text, str):
            refuse(f'la intervención {number} debe tener "speaker" y "text".')
        turns.append(Turn(speaker, text))
    return turns


def _engine(name: str) -> AnalysisEngine:
    try:
        return get_engine(name)
    except LookupError as error:
        raise InputError(str(error)) from None


def _evidence(evidence: tuple[Evidence, ...]) -> list[dict[str, object]]:
    return [{"turn": piece.turn, "quote": piece.quote} for piece in evidence]


def _print(output: dict[str, object]) -> None:
    click.echo(json.dumps(output, ensure_ascii=False, indent=1))


_TRANSCRIPT = click.argument("transcript", type=click.Path(path_type=Path), metavar="TRANSCRIPT")
_ENGINE = click.option(
    "--engine", default="extractive", show_default=True, help=", ".join(available_engines())
)


@click.command()
@_TRANSCRIPT
@click.option(
    "--questionnaire", type=click.Path(path_type=Path), help="JSON o TOML; el de acogida."
)
@_ENGINE
def assess(transcript: Path, questionnaire: Path | None, engine: str) -> None:
    """Rellena la ficha con lo que se dice en la transcripción (JSON)."""
    turns = read_transcript(transcript)
    try:
        form = load_questionnaire(questionnaire) if questionnaire else default_questionnaire()
    except QuestionnaireError as error:
        raise InputError(str(error)) from None
    chosen = _engine(engine)
    try:
        findings = chosen.assess(turns, form.questions)
        description = chosen.describe(turns)
    except EngineError as error:
        raise click.ClickException(error.public_message) from None
    _print(
        {
            "title": description.title,
            "summary": description.summary,
            "answers": [
                {
                    "question": finding.question_id,
                    "state": finding.state,
                    "answer": finding.answer,
                    "evidence": _evidence(finding.evidence),
                    "confidence": round(finding.confidence, 2),
                }
                for finding in findings
            ],
        }
    )


@click.command()
@_TRANSCRIPT
@click.argument("question", metavar="PREGUNTA")
@_ENGINE
def ask(transcript: Path, question: str, engine: str) -> None:
    """Responde una pregunta con las palabras de la transcripción (JSON)."""
    turns = read_transcript(transcript)
    try:
        reply = _engine(engine).ask(turns, question)
    except EngineError as error:
        raise click.ClickException(error.public_message) from None
    _print({"found": reply.found, "answer": reply.answer, "evidence": _evidence(reply.evidence)})
