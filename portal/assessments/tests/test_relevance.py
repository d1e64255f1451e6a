from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.assessments import relevance

KNOWN = {"casa": "alquiler", "hijos": 3, "ayudas": ["luz", "agua"], "metros": 40.5}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("", True),
        ("${casa} = 'alquiler'", True),
        ('${casa} != "alquiler"', False),
        ("${hijos} > 2", True),
        ("${hijos} = 3", True),
        ("${hijos} = '3'", True),
        ("${metros} <= 40", False),
        ("selected(${ayudas}, 'luz')", True),
        ("selected(${ayudas}, 'gas')", False),
        ("selected(${casa},'alquiler') and ${hijos}>=3", True),
        ("${hijos} < 1 or ${casa} = 'alquiler' and ${metros} > 100", False),
        ("(${hijos} < 1 or ${casa} = 'alquiler') and not(${metros} > 100)", True),
        ("${nadie} = ''", True),
        ("${nadie} != ''", False),
        ("${nadie} > 0", False),
        ("${nadie} < 0", False),
        ("${nadie} != 'x'", True),
    ],
)
def test_a_condition_is_read_as_xforms_has_it(condition: str, holds: bool) -> None:
    assert relevance.parse(condition).holds(KNOWN) is holds


def test_it_names_the_questions_it_looks_at() -> None:
    condition = relevance.parse("${a} = 1 or selected(${b}, 'x')")
    assert condition.slugs == {"a", "b"}


@pytest.mark.parametrize(
    "condition",
    [
        "${a}",
        "${a} = ",
        "${a} = 'x' and",
        "${a} = 'x' ${b} = 'y'",
        "(${a} = 'x'",
        "count(${a}) > 1",
        "selected(${a})",
        "'x",
        "${a} = today()",
        "(" * 100 + "${a} = 1" + ")" * 100,
        ". > 3",
    ],
)
def test_what_is_not_of_the_simple_form_is_refused(condition: str) -> None:
    with pytest.raises(relevance.ConditionError):
        relevance.parse(condition)


@given(st.text(alphabet="${}ab()'\"=<>!, 1andornotselc"))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    with suppress(relevance.ConditionError):
        relevance.parse(text).holds({"a": 1, "b": ["x"]})
