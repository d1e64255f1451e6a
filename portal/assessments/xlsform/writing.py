"""A questionnaire as an XLSForm workbook, which KoBo and ODK take as well."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.worksheet import Worksheet

from portal.assessments.blueprint import CHOOSING, Blueprint, PlannedDomain, PlannedQuestion
from portal.assessments.xlsform.languages import name_of

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Of ours: other programs leave them alone.
OWN_COLUMNS = ("ask_with", "cues", "examples", "colour", "icon")
_WIDE, _NARROW = 48, 16


def write(plan: Blueprint, *, version: int) -> bytes:
    """`reading.read` reads the same from it again."""
    codes = _languages(plan)
    labels = [f"label::{name_of(code)}" for code in codes]
    hints = [f"hint::{name_of(code)}" for code in codes]
    book = Workbook()
    survey = book.worksheets[0]
    survey.title = "survey"
    columns = ["type", "name", *labels, *hints, "required", "relevant", *OWN_COLUMNS]
    rows: list[Mapping[str, str]] = []
    choices: list[Mapping[str, str]] = []
    for domain in plan.domains:
        rows.append(_begin(domain, codes, labels))
        for question in domain.questions:
            rows.append(_question(question, codes, labels, hints))
            choices += _choices(question, codes, labels)
        rows.append({"type": "end_group"})
    _fill(survey, columns, rows)
    _fill(book.create_sheet("choices"), ["list_name", "name", *labels], choices)
    settings = {
        "form_title": plan.name,
        "form_id": plan.slug,
        "version": str(version),
        "default_language": name_of(plan.language),
    }
    _fill(book.create_sheet("settings"), list(settings), [settings])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _languages(plan: Blueprint) -> list[str]:
    """Of its texts first, then of its translations."""
    translated: set[str] = set()
    for domain in plan.domains:
        translated.update(domain.translations)
        for question in domain.questions:
            translated.update(question.translations)
    return [plan.language, *sorted(translated - {plan.language})]


def _begin(domain: PlannedDomain, codes: Sequence[str], labels: Sequence[str]) -> dict[str, str]:
    names = [domain.name, *(domain.translations.get(code, "") for code in codes[1:])]
    return {
        "type": "begin_group",
        "name": domain.slug,
        **dict(zip(labels, names, strict=True)),
        "colour": domain.colour,
        "icon": domain.icon,
    }


def _question(
    question: PlannedQuestion, codes: Sequence[str], labels: Sequence[str], hints: Sequence[str]
) -> dict[str, str]:
    other: list[Mapping[str, Any]] = [question.translations.get(code, {}) for code in codes[1:]]
    texts = [question.text, *(words.get("text", "") for words in other)]
    asides = [question.hint, *(words.get("hint", "") for words in other)]
    choosing = question.kind in CHOOSING
    return {
        "type": f"{question.kind} {question.slug}" if choosing else question.kind,
        "name": question.slug,
        **dict(zip(labels, texts, strict=True)),
        **dict(zip(hints, asides, strict=True)),
        "required": "yes" if question.required else "",
        "relevant": question.relevant,
        "ask_with": question.prompt,
        "cues": "\n".join(question.cues),
        "examples": "\n".join(question.examples),
    }


def _choices(
    question: PlannedQuestion, codes: Sequence[str], labels: Sequence[str]
) -> list[dict[str, str]]:
    """The list of a question is named like it."""
    others = [question.translations.get(code, {}).get("choices", {}) for code in codes[1:]]
    return [
        {
            "list_name": question.slug,
            "name": name,
            **dict(zip(labels, [label, *(words.get(name, "") for words in others)], strict=True)),
        }
        for name, label in question.choices
    ]


def _fill(sheet: Worksheet, columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    for place, column in enumerate(columns, 1):
        cell = sheet.cell(1, place, column)
        cell.font = Font(bold=True)
        wide = column.startswith(("label", "hint")) or column in ("ask_with", "cues", "examples")
        sheet.column_dimensions[cell.column_letter].width = _WIDE if wide else _NARROW
    sheet.freeze_panes = "A2"
    for number, row in enumerate(rows, 2):
        for place, column in enumerate(columns, 1):
            if text := row.get(column):
                cell = sheet.cell(number, place, text)
                # A text that begins with "=" is a text, and no formula.
                cell.data_type = "s"
                cell.alignment = Alignment(wrap_text=True, vertical="top")
