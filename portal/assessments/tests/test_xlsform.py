from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.xml.constants import SHARED_STRINGS

from conftest import Cast
from portal.analysis.cues import CueError, parse_cue
from portal.assessments import blueprint, queries
from portal.assessments.blueprint import Blueprint, PlannedDomain, PlannedQuestion
from portal.assessments.tests.plans import HELP, HOUSEHOLD, PLAN
from portal.assessments.xlsform import bounds, reading
from portal.assessments.xlsform.bounds import NotAForm
from portal.assessments.xlsform.languages import code_of, name_of
from portal.assessments.xlsform.writing import write

Rows = Sequence[Sequence[str | None]]
HEADING = ("type", "name", "label", "required", "relevant", "cues")


def book(survey: Rows, choices: Rows = (), settings: Rows = ()) -> bytes:
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in (("survey", survey), ("choices", choices), ("settings", settings)):
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


def refused(content: bytes) -> str:
    with pytest.raises(NotAForm) as caught:
        reading.read(content)
    return "\n".join(caught.value.problems)


def test_what_is_exported_is_imported_the_same() -> None:
    once = reading.read(write(PLAN, version=3))
    assert once.plan == PLAN
    assert once.notices == ()
    assert reading.read(write(once.plan, version=4)).plan == PLAN


def test_the_default_goes_out_and_comes_back(cast: Cast) -> None:
    default = blueprint.of(queries.in_use(cast.team.pk))
    assert reading.read(write(default, version=1)).plan == default


def test_a_form_of_another_program_is_taken() -> None:
    survey = [
        ("type", "name", "label::English (en)", "label::Español (es)", "hint::Español (es)",
         "required", "relevant", "constraint"),
        ("start", "start", None, None, None, None, None, None),
        ("begin_group", "casa", "Home", "Casa", None, None, None, None),
        ("select_one si_no", "tiene", "Housed?", "¿Tiene casa?", "pista", "TRUE", None, None),
        ("begin group", "dentro", None, "Dentro", None, None, "${tiene} = 'si'", None),
        ("int", "cuantos", "How many?", "¿Cuántos?", None, None, "${tiene} != ''", ". > 0"),
        ("end group", None, None, None, None, None, None, None),
        ("end_group", None, None, None, None, None, None, None),
        ("note", "gracias", "Thanks", "Gracias", None, None, None, None),
    ]  # fmt: skip
    choices = [
        ("list_name", "name", "label::English (en)", "label::Español (es)"),
        ("si_no", "si", "Yes", "Sí"),
        ("si_no", "no", "No", "No"),
    ]
    found = reading.read(book(survey, choices, [("form_title", "form_id"), ("Mi ficha", "mi_id")]))
    plan = found.plan
    assert (plan.slug, plan.name, plan.language) == ("mi_id", "Mi ficha", "es")
    assert [domain.slug for domain in plan.domains] == ["casa", "general"]
    assert plan.domains[0].translations == {"en": "Home"}
    housed, number, thanks = plan.questions
    assert (housed.kind, housed.required, housed.hint) == ("select_one", True, "pista")
    assert housed.choices == (("si", "Sí"), ("no", "No"))
    assert housed.translations == {"en": {"text": "Housed?", "choices": {"si": "Yes", "no": "No"}}}
    assert (number.kind, number.relevant) == (
        "integer",
        "(${tiene} = 'si') and (${tiene} != '')",
    )
    assert thanks.kind == "note"
    assert any("Fila 5" in notice for notice in found.notices)
    assert any("constraint" in notice for notice in found.notices)
    assert reading.read(write(plan, version=1)).plan == plan


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (("geopoint", "q", "¿Dónde?"), "Fila 4: el tipo «geopoint» no se puede usar"),
        (("texto", "q", "¿?"), "Fila 4"),
        (("select_one nada", "q", "¿?"), "Fila 4: la lista «nada» no está"),
        (("select_multiple", "q", "¿?"), "Fila 4"),
        (("text", None, "¿?"), "Fila 4: falta el nombre"),
        ((None, "q", "¿?"), "Fila 4: falta el tipo"),
        (("text", "q", None), "Fila 4"),
        (("text", "con espacio", "¿?"), "Fila 4"),
        (("text", "primera", "¿?"), "repetido"),
        (("text", "q", "¿?", "1 = 2"), "Fila 4: «required»"),
        (("text", "q", "¿?", None, "${despues} = 'x'"), "Fila 4: La condición mira «despues»"),
        (("text", "q", "¿?", None, "today() > 3"), "Fila 4: "),
        (("text", "q", "¿?", None, None, "a ~~~ b"), "Fila 4: "),
        (("text", "q", "x" * 400), "Fila 4: Hay un texto de más de 300"),
        (("begin_repeat", "q", "Hijos"), "Fila 4"),
        (("end_group",), "Fila 4"),
    ],
)
def test_what_is_wrong_is_told_with_its_row(row: Sequence[str | None], text: str) -> None:
    start = [HEADING, ("text", "primera", "¿Primera?"), ()]
    assert text in refused(book([*start, row, ("text", "despues", "¿Y?")]))


def test_all_that_is_wrong_is_told_at_once() -> None:
    told = refused(book([HEADING, ("geopoint", "a", "¿?"), ("text", "b", "x" * 301)]))
    assert told.index("Fila 2") < told.index("Fila 3")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "Excel"),
        (b"PK\x03\x04 broken", "Excel"),
        (book([]), "survey"),
        (book([HEADING]), "survey"),
        (book([HEADING, ("note", "n", "Hola")]), "ninguna pregunta"),
        (book([("type", "name", "label::Klingon"), ("text", "a", "nuqneH")]), "Klingon"),
    ],
)
def test_what_is_no_form_is_refused(content: bytes, text: str) -> None:
    assert text in refused(content)


def archive(members: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return written.getvalue()


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = archive({"xl/workbook.xml": b"", "xl/worksheets/sheet1.xml": bytes(64 * 2**20)})
    assert len(bomb) < 2**17
    assert "demasiado grande" in refused(bomb)


def test_a_bomb_that_lies_about_its_size_does_no_harm() -> None:
    honest = book([HEADING, ("text", "a", "¿?")])
    source = zipfile.ZipFile(io.BytesIO(honest))
    members = {m.filename: source.read(m) for m in source.infolist()}
    members["xl/worksheets/sheet1.xml"] += bytes(32 * 2**20)
    content = bytearray(archive(members))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as made:
        size = made.getinfo("xl/worksheets/sheet1.xml").file_size.to_bytes(4, "little")
    while (place := content.find(size)) >= 0:
        content[place : place + 4] = (1000).to_bytes(4, "little")
    assert "Excel" in refused(bytes(content))


def test_many_members_a_large_file_and_entities_are_refused() -> None:
    crowd = archive({f"xl/{n}.xml": b"" for n in range(300)} | {"xl/workbook.xml": b""})
    assert "demasiado grande" in refused(crowd)
    assert "2 MB" in refused(bytes(3 * 2**20))
    rows = [HEADING, *(("note", f"n{number}", "x") for number in range(bounds.MAX_ROWS + 1))]
    assert "demasiado grande" in refused(book(rows))
    source = zipfile.ZipFile(io.BytesIO(book([HEADING, ("text", "a", "¿?")])))
    members = {m.filename: source.read(m) for m in source.infolist()}
    entities = (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    )
    members["xl/worksheets/sheet1.xml"] = entities
    assert refused(archive(members))


def part(content: bytes, path: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        return source.read(path)


def with_parts(content: bytes, **parts: bytes) -> bytes:
    """A workbook with these in the place of its own: ``sheet`` is the first of its sheets."""
    paths = {"types": TYPES, "sheet": SHEET, "strings": STRINGS, "workbook": WORKBOOK}
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    return archive(members | {paths[name]: part for name, part in parts.items()})


TYPES, WORKBOOK = "[Content_Types].xml", "xl/workbook.xml"
SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def test_one_long_text_in_many_cells_is_counted_in_each() -> None:
    long = "x" * 40_000 + " "  # without the space all cells would have one copy
    strings = "".join(f"<si><t>{text}</t></si>" for text in ("type", "name", "label", long))
    row = '<row><c t="s"><v>{}</v></c><c t="s"><v>{}</v></c><c t="s"><v>{}</v></c></row>'
    rows = row.format(0, 1, 2) + row.format(3, 3, 3) * 4000
    whole = book([HEADING])
    shared = f'<Override PartName="/{STRINGS}" ContentType="{SHARED_STRINGS}"/></Types>'.encode()
    content = with_parts(
        whole,
        types=part(whole, TYPES).replace(b"</Types>", shared),
        sheet=f"<worksheet {SPACE}><sheetData>{rows}</sheetData></worksheet>".encode(),
        strings=f'<sst {SPACE} xml:space="preserve">{strings}</sst>'.encode(),
    )
    assert len(content) < 2**13
    assert "demasiado grande" in refused(content)


def test_a_sheet_that_goes_on_for_ever_is_refused() -> None:
    """Where the columns and the rows are never so far apart that it would count as ended."""
    made = Workbook()
    sheet = made.worksheets[0]
    sheet.title = "survey"
    for column in range(1, 16_385, 20):
        sheet.cell(1, column, f"c{column}")
    for row in range(2, 2**20, 600):
        sheet.cell(row, 1, "x")
    written = io.BytesIO()
    made.save(written)
    assert len(written.getvalue()) < 2**15
    assert "demasiado grande" in refused(written.getvalue())


@pytest.mark.parametrize(
    ("columns", "rows", "too_large"),
    [
        (range(1, bounds.MAX_COLUMNS + 1, 3), [2], False),
        (range(1, bounds.MAX_COLUMNS + 42, 21), [2], True),
        ([1, 2, 3], range(2, bounds.MAX_ROWS, 60), False),
        ([1, 2, 3], range(2, bounds.MAX_ROWS + 62, 61), True),
    ],
)
def test_how_wide_and_how_long_a_sheet_may_be(
    columns: Sequence[int], rows: Sequence[int], too_large: bool
) -> None:
    made = Workbook()
    sheet = made.worksheets[0]
    sheet.title = "survey"
    for column in columns:
        sheet.cell(1, column, f"c{column}")
    for row in rows:
        sheet.cell(row, 1, "x")
    written = io.BytesIO()
    made.save(written)
    assert ("demasiado grande" in refused(written.getvalue())) is too_large


def test_millions_of_tags_are_refused_unread() -> None:
    sheet = b"<worksheet><sheetData><row>" + b"<c/>" * 10**6 + b"</row></sheetData></worksheet>"
    content = with_parts(book([HEADING]), sheet=sheet)
    assert len(content) < 2**15
    assert "demasiado grande" in refused(content)


@pytest.mark.parametrize("name", ["survey", "otra"])
def test_no_sheet_is_read_twice(name: str) -> None:
    content = book([HEADING, ("text", "a", "¿?")])
    workbook = part(content, WORKBOOK).decode()
    first = workbook.index("<sheet ")
    again = workbook[first : workbook.index("/>", first) + 2].replace('"survey"', f'"{name}"')
    workbook = workbook[:first] + again + workbook[first:]
    assert "Excel" in refused(with_parts(content, workbook=workbook.encode()))


def test_a_cell_at_the_far_end_of_a_sheet_costs_nothing() -> None:
    made = Workbook()
    sheet = made.worksheets[0]
    sheet.title = "survey"
    sheet.append(["type", "name", "label"])
    sheet.append(["text", "a", "¿?"])
    sheet["XFD1048576"] = "x"
    written = io.BytesIO()
    made.save(written)
    assert [q.slug for q in reading.read(written.getvalue()).plan.questions] == ["a"]


def test_a_text_that_looks_like_a_formula_stays_a_text() -> None:
    question = PlannedQuestion("q", "=1+1", prompt="+2")
    plan = replace(PLAN, domains=(replace(HELP, questions=(question,)),))
    content = write(plan, version=1)
    assert load_workbook(io.BytesIO(content))["survey"]["C3"].data_type == "s"
    assert reading.read(content).plan == plan


@pytest.mark.parametrize(
    ("name", "code"),
    [("Español (es)", "es"), ("English", "en"), ("fr", "fr"), ("Wolof (wo)", "wo"), ("xx", None)],
)
def test_languages_have_codes(name: str, code: str | None) -> None:
    assert code_of(name) == code


def test_every_code_has_a_name_that_says_it() -> None:
    assert all(code_of(name_of(code)) == code for code in ("es", "en", "wo", "zh-hans", "pt-br"))


SENTENCES = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=40
).map(blueprint.clean).filter(bool).filter(lambda text: "${" not in text)  # fmt: skip
# pyxform makes typewriter's quotes of curly ones.
TEXTS = SENTENCES.filter(lambda text: not set(text) & set("‘’“”"))


def is_cue(text: str) -> bool:
    try:
        parse_cue(text)
    except CueError:
        return False
    return True


@st.composite
def plans(draw: st.DrawFn) -> Blueprint:
    """Any questionnaire that could be published."""
    names = iter(draw(st.lists(st.from_regex(r"[a-z][a-z0-9_]{2,12}", fullmatch=True), min_size=6,
                               max_size=6, unique=True)))  # fmt: skip

    def question() -> PlannedQuestion:
        kind = draw(st.sampled_from(["text", "integer", "date", "select_one", "select_multiple"]))
        labels = draw(st.lists(TEXTS.filter(lambda t: ";" not in t), min_size=1, max_size=3,
                               unique=True)) if kind.startswith("select") else []  # fmt: skip
        english = draw(st.none() | TEXTS)
        return PlannedQuestion(
            slug=next(names),
            text=draw(TEXTS),
            kind=kind,
            prompt=draw(TEXTS),
            hint=draw(TEXTS),
            required=draw(st.booleans()),
            choices=tuple((f"c{n}", label) for n, label in enumerate(labels)),
            cues=tuple(draw(st.lists(TEXTS.filter(is_cue), max_size=2, unique=True))),
            examples=tuple(draw(st.lists(SENTENCES, max_size=2, unique=True))),
            translations={"en": {"text": english}} if english else {},
        )

    domains = tuple(
        PlannedDomain(next(names), draw(TEXTS), "blue", "people", (question(), question()))
        for _number in range(2)
    )
    return Blueprint(next(iter(["f"])), draw(TEXTS), "es", domains)


@settings(max_examples=25, deadline=None)
@given(plans())
def test_whatever_is_written_is_read_the_same(plan: Blueprint) -> None:
    if blueprint.check(plan):
        return
    assert reading.read(write(plan, version=1)).plan == plan


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 5000))
def test_no_damage_is_too_strange(noise: bytes, place: int) -> None:
    content = bytearray(write(replace(PLAN, domains=(HOUSEHOLD,)), version=1))
    content[place : place + len(noise)] = noise
    try:
        reading.read(bytes(content))
    except NotAForm as error:
        assert error.problems
