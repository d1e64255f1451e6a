"""Tables read back by programs that are not ours."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from zipfile import ZipFile

import openpyxl
import pytest
from hypothesis import given as tried
from hypothesis import strategies as st

from portal.assessments.exports import tables
from portal.assessments.exports.snapshot import Asked, Ficha, Given, Section, plain
from portal.assessments.tests.fichas import FILLED, FORM, HOME, NAME, PERSON, ficha, machine, person

HOSTILE = ["=1+1", "+34 600", "-5 o así", "@SUM(A1)", "\t=1", '  =HYPERLINK("x")', "＝1", "\r=1"]


def read_csv(*fichas: Ficha, named: bool = True) -> list[dict[str, str]]:
    forms = list({one.form.pk: one.form for one in fichas}.values())
    pieces = tables.csv_pieces([fichas], tables.columns(forms, named=named))
    return list(csv.DictReader(io.StringIO(b"".join(pieces).decode("utf-8-sig"), newline="")))


def read_xlsx(*fichas: Ficha) -> openpyxl.Workbook:
    forms = list({one.form.pk: one.form for one in fichas}.values())
    content = tables.xlsx([fichas], tables.columns(forms, named=True))
    return openpyxl.load_workbook(io.BytesIO(content))


def answers(**of_home: Given) -> Ficha:
    return ficha({("vivienda", slug): given for slug, given in of_home.items()})


def test_a_row_has_typed_values_by_the_names_of_the_questions() -> None:
    (row,) = read_csv(ficha())
    assert {name: row[name] for name in row if "__" not in name} == {
        "_persona": str(PERSON), "_nombre": NAME, "_equipo": "Oficina Centro",
        "_cuestionario": "acogida", "_version": "2", "_actualizada": "2026-11-03 10:30:00",
        "_respondidas": "6", "_revisadas": "4", "_preguntas": "6",
        "lugar": "En la calle Olmo\ncon mi prima", "personas": "4", "alquiler": "350.5",
        "desde": "2026-03-01", "regimen": "alquiler", "suministros": "luz gas",
    }  # fmt: skip
    assert "_nombre" not in read_csv(ficha(), named=False)[0]


def test_a_row_says_in_which_state_each_answer_is_and_who_stands_for_it() -> None:
    (row,) = read_csv(
        answers(
            lugar=Given("declined", origin="person", is_reviewed=True),
            personas=machine("cuatro", 4),
            alquiler=machine("350", 350, is_reviewed=True),
            desde=Given("asked", origin="machine"),
            regimen=Given(is_withheld=True),
        )
    )
    assert [row[f"{name}__estado"] for name in ("lugar", "personas", "desde", "regimen")] == [
        "declined", "answered", "asked", "withheld",
    ]  # fmt: skip
    assert row["suministros__estado"] == "unasked"
    assert [row[f"{name}__origen"] for name in ("lugar", "personas", "alquiler", "regimen")] == [
        "person", "machine", "reviewed", "",
    ]  # fmt: skip
    assert row["lugar"] == row["regimen"] == ""


def test_what_nobody_has_typed_stays_as_it_was_said() -> None:
    (row,) = read_csv(answers(personas=person("unos cuatro"), suministros=person("luz y agua")))
    assert (row["personas"], row["suministros"]) == ("unos cuatro", "luz y agua")


@pytest.mark.parametrize("text", HOSTILE)
def test_what_was_said_is_never_a_formula(text: str) -> None:
    (row,) = read_csv(ficha({("vivienda", "lugar"): person(text)}, name=text))
    assert row["lugar"] == row["_nombre"] == f"'{text}"
    sheet = read_xlsx(answers(lugar=person(text))).worksheets[0]
    cell = next(c for c in sheet[2] if sheet.cell(1, c.column).value == "lugar")
    assert cell.data_type == "s"


def test_a_negative_number_is_a_number() -> None:
    assert read_csv(answers(personas=machine("menos tres", -3)))[0]["personas"] == "-3"


@tried(st.text(max_size=60).map(plain))
def test_any_text_comes_back_from_csv(text: str) -> None:
    (row,) = read_csv(answers(lugar=person(text)))
    assert row["lugar"].removeprefix("'") == text.removeprefix("'")
    assert not row["lugar"].lstrip(" ").startswith(tables.FORMULA)


def test_a_workbook_is_typed_and_says_what_its_columns_ask() -> None:
    book = read_xlsx(ficha(), ficha({}, name="=1+1"))
    sheet, labels = book.worksheets
    assert (sheet.title, labels.title) == ("Fichas", "Preguntas")
    head = [cell.value for cell in sheet[1]]
    row = dict(zip(head, sheet[2], strict=True))
    assert (row["personas"].value, row["alquiler"].value) == (4, 350.5)
    assert row["desde"].is_date
    assert row["desde"].value.isoformat() == "2026-03-01T00:00:00"
    assert row["_actualizada"].value.isoformat() == "2026-11-03T10:30:00"
    assert [row[name].font.italic for name in ("personas", "alquiler")] == [True, False]
    assert sheet.max_row == 3
    assert sheet["B3"].value == "=1+1"
    assert sheet["B3"].data_type == "s"
    told = {line[0]: line for line in labels.iter_rows(min_row=2, values_only=True)}
    assert told["suministros"] == (
        "suministros", "¿Qué suministros tiene?", "select_multiple",
        "luz = Luz; agua = Agua; gas = Gas", "Vivienda", "acogida", 2,
    )  # fmt: skip
    assert "aviso" not in told
    assert "nadie ha revisado" in told["__origen: machine"][1]


def test_what_excel_cannot_hold_is_brought_into_it() -> None:
    long = answers(lugar=person("x" * 40_000), desde=person("1899", "1899-12-30"))
    sheet = read_xlsx(long).worksheets[0]
    row = dict(zip([c.value for c in sheet[1]], [c.value for c in sheet[2]], strict=True))
    assert len(row["lugar"]) == tables.LONGEST
    assert row["lugar"].endswith("x…")
    assert row["desde"] == "1899-12-30"


def test_a_workbook_has_no_link_and_no_formula() -> None:
    content = tables.xlsx(
        [[answers(lugar=person("https://example.org/?a=1"))]], tables.columns([FORM], named=True)
    )
    with ZipFile(io.BytesIO(content)) as zipped:
        sheet = zipped.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet


def test_versions_share_the_columns_of_one_name() -> None:
    older = replace(
        FORM,
        pk=2,
        version=1,
        sections=(
            replace(HOME, slug="casa", questions=(Asked("lugar", "¿Vive?"), Asked("patio", "¿?"))),
        ),
    )
    before = ficha({("casa", "lugar"): person("Sí"), ("casa", "patio"): person("No")}, form=older)
    new, old = read_csv(ficha(), before)
    names = [name for name in new if not name.startswith("_") and "__" not in name]
    assert names == [asked.slug for asked in HOME.questions[1:]] + ["patio"]
    assert (old["lugar"], old["patio"], old["personas"]) == ("Sí", "No", "")
    assert (new["patio"], new["patio__estado"], old["patio__estado"]) == ("", "", "answered")


def test_what_was_not_put_is_empty() -> None:
    (row,) = read_csv(ficha(skipped=frozenset({"alquiler"})))
    assert row["alquiler"] == row["alquiler__estado"] == row["alquiler__origen"] == ""


def test_what_an_earlier_version_asked_stays_in_the_row() -> None:
    before = replace(
        FORM, pk=2, version=1, sections=(replace(HOME, questions=(Asked("patio", "¿Patio?"),)),)
    )
    left = {("vivienda", "patio"): person("Sí, pequeño")}
    columns = tables.columns([FORM, before], named=False)
    cells = dict(
        zip(columns.head, tables.row(ficha(earlier=((before, left),)), columns), strict=True)
    )
    assert (cells["patio"], cells["patio__origen"]) == ("Sí, pequeño", "person")
    assert cells["personas"] == 4
    assert dict(zip(columns.head, tables.row(ficha(), columns), strict=True))["patio"] is None


def test_two_questions_of_one_name_are_two_columns() -> None:
    other = Section("salud", "Salud", "teal", "heart", (Asked("lugar", "¿Dónde le tratan?"),))
    form = replace(FORM, sections=(HOME, other))
    given = {**FILLED, ("salud", "lugar"): person("En el centro")}
    (row,) = read_csv(ficha(given, form=form))
    assert row["lugar"].startswith("En la calle Olmo")
    assert row["salud/lugar"] == "En el centro"
