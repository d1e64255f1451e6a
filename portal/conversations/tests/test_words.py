from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.conversations.templatetags.conversations import (
    clock,
    exact_length,
    length_words,
    percent,
    spoken_language,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (65.9, "1:05"), (3599.9, "59:59"), (4325.2, "1:12:05"), (None, "")],
)
def test_clock(seconds: float | None, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 segundo"),
        (20.4, "20 segundos"),
        (59.6, "1 minuto"),
        (754, "13 minutos"),
        (3590, "1 h 0 min"),
        (4325, "1 h 12 min"),
    ],
)
def test_length(seconds: float, text: str) -> None:
    assert length_words(seconds) == text


@given(st.floats(-1, 2, allow_nan=False))
def test_a_share_is_100_percent_only_when_all_is_done(share: float) -> None:
    assert 0 <= percent(share) <= 100
    assert (percent(share) == 100) == (share >= 1)


@pytest.mark.parametrize(
    ("code", "name"), [("es", "Español"), ("zh", "Chino"), ("", ""), ("wo", "wo")]
)
def test_a_language_nobody_knows_keeps_its_code(code: str, name: str) -> None:
    assert spoken_language(code) == name


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "1 s"), (45.0, "45 s"), (130.2, "2 min 10 s"), (120.0, "2 min"), (3605.0, "1 h 5 s")],
)
def test_exact_length(seconds: float, text: str) -> None:
    assert exact_length(seconds) == text
