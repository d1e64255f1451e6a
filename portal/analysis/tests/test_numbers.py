"""Numbers as they are said and written."""

from __future__ import annotations

import pytest

from portal.analysis.numbers import numbers, unsaid


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tengo mil cien euros y dos hijos", [1100, 2]),
        ("1.100 euros, 3,5 y 2019", [1100, 3, 5, 2019]),
        ("una casa con treinta y un vecinos", [31]),
        ("dos tres", [2, 3]),
        ("y nada más", []),
    ],
)
def test_all_numbers_are_found_in_order(text: str, found: list[int]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("Nació en 1985", "nací en el ochenta y cinco"),
        ("600 123", "es el seis cero cero uno dos tres"),
        ("600123456", "600 12 34 56"),
        ("15/03", "el quince de marzo"),
        ("a las 8:30", "a las ocho y media"),
        ("1 hijo", "tengo un hijo"),
        ("tiene una hija", "mi hija"),
        ("mil cien euros", "cobro 1.100"),
    ],
)
def test_the_same_number_is_known_however_it_is_said(told: str, said: str) -> None:
    assert not unsaid(told, said)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("3 hijos", "dos hijos"),
        ("tres hijos", "mis hijos"),
        ("900 euros", "cobro 1.100"),
        ("1985", "hace mucho"),
        ("12", "uno, y dos"),
    ],
)
def test_a_number_of_nobodys_is_known(told: str, said: str) -> None:
    assert unsaid(told, said)
