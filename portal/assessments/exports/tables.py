"""Fichas as a table: one row each, named as XLSForm tools name columns. As CSV for programs, and as
an Excel workbook with the labels on a second sheet.

After the columns that say whose it is come those of the questions with their values, then one
``NAME__estado`` and one ``NAME__origen`` for each.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

from django.utils import timezone
from django.utils.translation import gettext as _
from xlsxwriter import Workbook
from xlsxwriter.format import Format as CellFormat
from xlsxwriter.worksheet import Worksheet

from portal.assessments.exports.snapshot import Asked, Ficha, Form, Given, Key, names_chosen
from portal.assessments.models import Answer, Question
from portal.conversations.exports import notice

Cell = str | int | float | date | datetime | None

STATE, ORIGIN = "__estado", "__origen"
WITHHELD = "withheld"
"""State of what may not leave any more."""

PERSON, REVIEWED, MACHINE = "person", "reviewed", "machine"
"""Origins: a person's words, a machine's that a person accepted, a machine's alone."""

# A spreadsheet takes a text that begins so for a formula; the wide ones too, after an input method.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
LONGEST = 32_767
"""Characters that a cell of Excel holds."""

UNREVIEWED = "#7d5200"  # --warn of tokens.css


@dataclass(frozen=True, slots=True)
class Columns:
    """Of a table with fichas of ``forms``. ``keys``: name of a question -> id of a form -> which of
    its questions that is."""

    forms: tuple[Form, ...]
    keys: dict[str, dict[int, Key]]
    named: bool

    @property
    def head(self) -> list[str]:
        return [
            *self.about,
            *self.keys,
            *(f"{name}{suffix}" for suffix in (STATE, ORIGIN) for name in self.keys),
        ]

    @property
    def about(self) -> list[str]:
        """Of whom and what the row is."""
        return [
            "_persona", *(["_nombre"] if self.named else []), "_equipo", "_cuestionario",
            "_version", "_actualizada", "_respondidas", "_revisadas", "_preguntas",
        ]  # fmt: skip


def columns(forms: Iterable[Form], *, named: bool) -> Columns:
    """The union, in the order of the first form and then of what the others have besides.

    A question goes by its slug. Where a form has that slug in a second domain, the later one goes
    by ``domain/slug``, as XLSForm tools write a question in a group.
    """
    forms = tuple(forms)
    keys: dict[str, dict[int, Key]] = {}
    for form in forms:
        for key, question in form.questions():
            if question.is_answered:
                domain, slug = key
                is_taken = form.pk in keys.get(slug, {})
                keys.setdefault(f"{domain}/{slug}" if is_taken else slug, {})[form.pk] = key
    return Columns(forms, keys, named)


def row(ficha: Ficha, columns: Columns) -> list[Cell]:
    """In the order of ``columns.head``; empty where no such question was put."""
    cells: list[tuple[Cell, Cell, Cell]] = []
    for by_form in columns.keys.values():
        found = ficha.find(by_form)
        if found is None:
            cells.append((None, None, None))
        else:
            asked, given = found
            state = WITHHELD if given.is_withheld else given.state
            cells.append((value(asked, given), state, origin(given)))
    return [*_about(ficha, columns), *chain.from_iterable(zip(*cells, strict=True))]


def _about(ficha: Ficha, columns: Columns) -> list[Cell]:
    # Excel knows no time zones.
    updated = timezone.make_naive(ficha.updated_at).replace(microsecond=0)
    return [
        str(ficha.participant), *([ficha.name] if columns.named else []), ficha.team_name,
        ficha.form.slug, ficha.form.version, updated, ficha.answered, ficha.reviewed, ficha.total,
    ]  # fmt: skip


def value(question: Asked, given: Given) -> Cell:
    """Typed as the question's kind says, names of choices separated by a space; the answer's text
    where nobody has typed it."""
    if given.state != Answer.State.ANSWERED:
        return None
    match question.kind, given.typed:
        case Question.Kind.INTEGER | Question.Kind.DECIMAL, int() | float() as number:
            return number
        case Question.Kind.DATE, str() as day:
            return date.fromisoformat(day)
        case Question.Kind.SELECT_ONE | Question.Kind.SELECT_MULTIPLE, chosen if chosen:
            return " ".join(names_chosen(chosen))
        case _:
            return given.value


def origin(given: Given) -> str | None:
    match given.origin:
        case Answer.Origin.PERSON:
            return PERSON
        case Answer.Origin.MACHINE:
            return REVIEWED if given.is_reviewed else MACHINE
        case _:
            return None


# CSV


def csv_pieces(fichas: Iterable[Sequence[Ficha]], columns: Columns) -> Iterator[bytes]:
    """RFC 4180 in UTF-8 with a mark at its start, by which Excel knows it; one piece for each batch
    of ``fichas``."""
    yield "\ufeff".encode() + _lines([[harmless(name) for name in columns.head]])
    for batch in fichas:
        yield _lines([harmless(cell) for cell in row(ficha, columns)] for ficha in batch)


def harmless(cell: Cell) -> Cell:
    """A text that a spreadsheet would calculate gets an apostrophe before it. Numbers stay what
    they are, also negative ones."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA):
        return f"'{cell}"
    return cell


def _lines(rows: Iterable[Iterable[Cell]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


# XLSX

GENERAL, DAY, MOMENT = "General", "yyyy-mm-dd", "yyyy-mm-dd hh:mm"

Looks = dict[tuple[str, bool], CellFormat]
"""By what a cell holds, and whether that is a machine's and nobody has reviewed it."""


def xlsx(fichas: Iterable[Sequence[Ficha]], columns: Columns) -> bytes:
    """The fichas, and on a second sheet what their columns ask. What nobody has reviewed is in
    italics."""
    file = io.BytesIO()
    # Nothing that was said becomes a formula or a link, and nothing of it is left on the disk.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(file, options) as book:
        book.set_properties({"title": _("Fichas"), "comments": notice()})
        head = book.add_format({"bold": True, "bottom": 1, "valign": "top"})
        looks = {
            (pattern, is_proposal): book.add_format(
                {
                    "num_format": pattern,
                    "valign": "top",
                    "italic": is_proposal,
                    "font_color": UNREVIEWED if is_proposal else "#000000",
                }
            )
            for pattern in (GENERAL, DAY, MOMENT)
            for is_proposal in (False, True)
        }
        _sheet_of_fichas(book.add_worksheet(_("Fichas")), fichas, columns, head, looks)
        _sheet_of_labels(book.add_worksheet(_("Preguntas")), columns, head, looks)
    return file.getvalue()


def _sheet_of_fichas(
    sheet: Worksheet,
    fichas: Iterable[Sequence[Ficha]],
    columns: Columns,
    head: CellFormat,
    looks: Looks,
) -> None:
    first, width = len(columns.about), len(columns.keys)
    for number, name in enumerate(columns.head):
        sheet.write_string(0, number, name, head)
    sheet.set_column(0, len(columns.head) - 1, 22)
    sheet.freeze_panes(1, 2 if columns.named else 1)
    line = 0
    for ficha in chain.from_iterable(fichas):
        line += 1
        cells = row(ficha, columns)
        origins = cells[first + 2 * width :]
        for number, cell in enumerate(cells):
            is_answer = first <= number < first + width
            is_proposal = is_answer and origins[number - first] == MACHINE
            _write(sheet, line, number, cell, looks, is_proposal=is_proposal)
    sheet.autofilter(0, 0, line, len(columns.head) - 1)


def _write(
    sheet: Worksheet, line: int, number: int, cell: Cell, looks: Looks, *, is_proposal: bool = False
) -> None:
    if isinstance(cell, date) and cell.year < 1900:  # before Excel's first day
        cell = cell.isoformat()
    match cell:
        case None | "":
            pass
        case str():
            text = cell if len(cell) <= LONGEST else f"{cell[: LONGEST - 1]}…"
            sheet.write_string(line, number, text, looks[GENERAL, is_proposal])
        case datetime():
            sheet.write_datetime(line, number, cell, looks[MOMENT, is_proposal])
        case date():
            sheet.write_datetime(line, number, cell, looks[DAY, is_proposal])
        case _:
            sheet.write_number(line, number, cell, looks[GENERAL, is_proposal])


def _sheet_of_labels(sheet: Worksheet, columns: Columns, head: CellFormat, looks: Looks) -> None:
    """A line for each column and each version of a questionnaire that has it."""
    titles = ["name", "label", "type", "choices", "group", "questionnaire", "version"]
    for number, title in enumerate(titles):
        sheet.write_string(0, number, title, head)
    lines: list[list[Cell]] = []
    for name, by_form in columns.keys.items():
        for form in columns.forms:
            if (key := by_form.get(form.pk)) is not None:
                section, question = form.find(key)
                lines.append(
                    [
                        name, question.text, question.kind, _choices(question), section.name,
                        form.slug, form.version,
                    ]
                )  # fmt: skip
    lines.append([])
    lines += ([name, meaning] for name, meaning in _meanings())
    for line, cells in enumerate(lines, start=1):
        for number, cell in enumerate(cells):
            _write(sheet, line, number, cell, looks)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 70)
    sheet.set_column(2, len(titles) - 1, 22)
    sheet.freeze_panes(1, 0)


def _choices(question: Asked) -> str:
    return "; ".join(f"{name} = {label}" for name, label in question.choices.items())


def _meanings() -> list[tuple[str, str]]:
    """What stands in the columns of states and origins."""
    return [
        *((f"{STATE}: {value}", str(label)) for value, label in Answer.State.choices),
        (
            f"{STATE}: {WITHHELD}",
            _("No sale: la persona retiró el consentimiento de la conversación en que lo dijo"),
        ),
        (f"{ORIGIN}: {PERSON}", _("Escrita por una persona")),
        (f"{ORIGIN}: {REVIEWED}", _("Propuesta automática que una persona ha dado por buena")),
        (
            f"{ORIGIN}: {MACHINE}",
            _("Propuesta automática que nadie ha revisado todavía (en cursiva)"),
        ),
    ]
