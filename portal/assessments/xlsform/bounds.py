"""What a workbook may cost before anything else reads it.

A few thousand bytes can unpack to millions of elements, name one long text in every cell, or lead
pyxform along all the rows and columns that a sheet may have.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.reader.excel import ExcelReader
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from pyxform.constants import SUPPORTED_SHEET_NAMES

MAX_BYTES = 2 * 2**20
# What it may grow to when it is unpacked, how many tags that may be, how many rows and columns its
# sheets may have and how many letters: more than 300 questions with all that they usually hold,
# and a few seconds to read.
MAX_UNPACKED = 6 * 2**20
MAX_TAGS = 150_000
MAX_ROWS = 5000
MAX_COLUMNS = 100
MAX_LETTERS = 2_000_000
MAX_MEMBERS = 200

# pyxform takes a sheet to end after 61 rows, and its columns after 21 headings, without a word.
_ROWS_BETWEEN = 60
_COLUMNS_BETWEEN = 20


class NotAForm(ValueError):
    """Why it can't be imported, sentence by sentence, each with the row of its sheet."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def refuse_bombs(content: bytes) -> None:
    """Raises NotAForm."""
    if len(content) > MAX_BYTES:
        raise NotAForm([_("El fichero ocupa más de %(most)d MB.") % {"most": MAX_BYTES // 2**20}])
    try:
        fits = _unpacks_small(content) and _reads_small(content)
    except Exception:  # what a hostile file makes of zipfile and openpyxl has no end of names
        raise NotAForm([broken()]) from None
    if not fits:
        text = _("El fichero se hace demasiado grande al abrirlo: no parece un cuestionario.")
        raise NotAForm([text])


def broken() -> str:
    return _(
        "El fichero no se puede leer como libro de Excel (.xlsx). Ábralo en su programa de hojas "
        "de cálculo, guárdelo otra vez como .xlsx y vuelva a intentarlo."
    )


def _unpacks_small(content: bytes) -> bool:
    """By what the archive says of itself; a part that is longer than it says is cut by zipfile."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > MAX_UNPACKED:
            return False
        # In the memory of who reads it a tag takes a hundred times its four letters.
        return sum(archive.read(member).count(b"<") for member in members) <= MAX_TAGS


def _reads_small(content: bytes) -> bool:
    """Goes through the sheets as pyxform does, and no farther than it may go."""
    _refuse_repeated_sheets(content)
    reader = ExcelReader(io.BytesIO(content), read_only=True, data_only=True)
    reader.read()
    left = MAX_LETTERS
    for sheet in _read_by_pyxform(reader.wb):
        letters = _letters(sheet, left)
        if letters is None:
            return False
        left -= letters
    return True


def _refuse_repeated_sheets(content: bytes) -> None:
    """Sheets share neither name nor part, or one would be read as often as it is named."""
    reader = ExcelReader(io.BytesIO(content), read_only=True, data_only=True)
    reader.read_manifest()
    reader.read_workbook()
    sheets = [(sheet.name.lower(), rel.target) for sheet, rel in reader.parser.find_sheets()]
    names, parts = {name for name, _part in sheets}, {part for _name, part in sheets}
    if min(len(names), len(parts)) < len(sheets):
        raise ValueError("sheets of one name or part")


def _read_by_pyxform(book: Workbook) -> list[ReadOnlyWorksheet]:
    sheets = list(book.worksheets)
    if len(book.sheetnames) == 1:
        return sheets
    return [sheet for sheet in sheets if sheet.title.lower() in SUPPORTED_SHEET_NAMES]


def _letters(sheet: ReadOnlyWorksheet, most: int) -> int | None:
    """How many are in its cells, counted in each cell though cells may share a text; None when
    there are more than ``most``, or too many rows or columns."""
    widest = MAX_COLUMNS + _COLUMNS_BETWEEN + 1
    letters = empty = 0
    rows = sheet.iter_rows(max_col=widest, values_only=True)
    for number, row in enumerate(rows, 1):
        cells = [cell for cell in row[:MAX_COLUMNS] if cell is not None]
        if number == 1:
            if any(cell is not None for cell in row[MAX_COLUMNS:]):
                return None
        elif cells:
            empty = 0
        elif empty == _ROWS_BETWEEN:
            break
        else:
            empty += 1
        letters += sum(len(str(cell)) for cell in cells)
        if letters > most or (cells and number > MAX_ROWS):
            return None
    return letters
