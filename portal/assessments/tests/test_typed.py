from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.assessments import typed

YES_NO = [{"name": "si", "label": "Sí"}, {"name": "no", "label": "No"}]
HOMES = [
    {"name": "piso", "label": "Piso"},
    {"name": "compartido", "label": "Piso compartido"},
    {"name": "calle", "label": "En la calle"},
    {"name": "familia", "label": "Casa de familiares"},
]


@pytest.mark.parametrize(
    ("kind", "said", "value"),
    [
        ("integer", "Somos tres en casa", 3),
        ("integer", "veintidós", 22),
        ("integer", "treinta y uno", 31),
        ("integer", "pago quinientos cincuenta euros", 550),
        ("integer", "unos mil doscientos", 1200),
        ("integer", "1.200 €", 1200),
        ("integer", "una hija", 1),
        ("integer", "una hija y dos hijos", 2),
        ("integer", "no, ninguno", 0),
        ("integer", "dos o tres", None),
        ("integer", "entre 3 y 4", None),
        ("integer", "2,5", None),
        ("integer", "no lo sé", None),
        ("decimal", "3,5 horas", 3.5),
        ("decimal", "3.5", 3.5),
        ("date", "2024-05-03", "2024-05-03"),
        ("date", "llegué el 3 de mayo de 2024", "2024-05-03"),
        ("date", "el treinta y uno de enero de dos mil veinticuatro", "2024-01-31"),
        ("date", "el uno de marzo del 2020", "2020-03-01"),
        ("date", "03/05/2024", "2024-05-03"),
        ("date", "el 31 de febrero de 2024", None),
        ("date", "en mayo de 2024", None),
        ("date", "del 1/2/2020 al 3/4/2021", None),
        ("select_one", "Sí, desde marzo", None),
        ("select_one", "vivo en un piso compartido", "compartido"),
        ("select_one", "duermo en la calle", "calle"),
        ("select_one", "no tengo piso, estoy en casa de familiares", "familia"),
        ("select_one", "piso o casa de familiares", None),
        ("select_one", "en un hotel", None),
        ("select_multiple", "pues piso compartido y a veces en la calle", ["compartido", "calle"]),
        ("select_multiple", "nada de eso", None),
        ("text", "lo que sea", None),
    ],
)
def test_what_was_said_becomes_a_value_where_it_is_sure(
    kind: str, said: str, value: typed.Value
) -> None:
    assert typed.read(kind, HOMES, said) == value


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Sí, en la calle Olmo", "si"),
        ("Claro que sí", "si"),
        ("No, todavía no", "no"),
        ("Eh", None),
    ],
)
def test_yes_and_no_are_what_the_answer_begins_with(said: str, name: str | None) -> None:
    assert typed.read("select_one", YES_NO, said) == name


def test_where_the_answer_does_not_tell_the_quote_may() -> None:
    assert typed.read("integer", [], "Convive con sus hijos", "somos cuatro") == 4


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "3,5"),
        ("integer", "tres o cuatro"),
        ("integer", "9" * 30),
        ("decimal", "mucho"),
        ("date", "ayer"),
        ("date", "nací en Lugo el 3 de mayo de 2024 por la tarde"),
        ("select_one", "Hotel"),
        ("select_one", ""),
        ("select_multiple", "Piso; Hotel"),
    ],
)
def test_what_a_person_writes_must_be_of_its_kind(kind: str, text: str) -> None:
    with pytest.raises(typed.Unreadable):
        typed.parse(kind, HOMES, text)


def test_choices_are_taken_by_label_by_name_and_as_xlsform_joins_them() -> None:
    for text in ("Piso; En la calle", "piso; calle", "calle piso", "en la CALLE;piso"):
        assert typed.parse("select_multiple", HOMES, text) == ["piso", "calle"]


VALUES = st.one_of(
    st.tuples(st.just("integer"), st.integers(-(10**12), 10**12)),
    st.tuples(
        st.just("decimal"),
        st.floats(-1e9, 1e9, allow_nan=False).map(lambda f: round(f, 6)).filter(math.isfinite),
    ),
    st.tuples(st.just("date"), st.dates(date(1000, 1, 1)).map(date.isoformat)),
    st.tuples(st.just("select_one"), st.sampled_from([c["name"] for c in HOMES])),
    st.tuples(
        st.just("select_multiple"),
        st.sets(st.sampled_from([c["name"] for c in HOMES]), min_size=1).map(
            lambda chosen: [c["name"] for c in HOMES if c["name"] in chosen]
        ),
    ),
)


@given(VALUES)
def test_what_is_shown_reads_as_the_same(pair: tuple[str, typed.Value]) -> None:
    kind, value = pair
    assert typed.parse(kind, HOMES, typed.show(kind, HOMES, value)) == value


@given(st.sampled_from(["integer", "decimal", "date", "select_one", "select_multiple"]), st.text())
def test_no_text_is_too_strange(kind: str, text: str) -> None:
    typed.read(kind, HOMES, text)
