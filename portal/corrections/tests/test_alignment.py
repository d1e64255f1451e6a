from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.corrections.alignment import Spoken, Stretch, clean, correct, merge, split

TOKENS = st.lists(
    st.text("abcñáNo.,¿?█1", min_size=1, max_size=5), min_size=1, max_size=14
)  # few letters, so that words come again


@st.composite
def stretches(draw: st.DrawFn, begins: float = 0.0, most: int = 14) -> Stretch:
    """Words and pauses of any length, nought too, with silence before the first and after the
    last."""
    tokens = draw(TOKENS)[:most]
    lengths = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.7])
    now = begins + draw(lengths)
    words: list[list[Any]] = []
    for token in tokens:
        end = now + draw(lengths)
        words.append([token, now, end, draw(st.sampled_from([0.2, 0.9, 1.0]))])
        now = end + draw(lengths)
    return Stretch(begins, now, " ".join(tokens), words)


def check(said: Spoken, *, start: float, end: float) -> None:
    """Every word of the text has its times, they never go back and stay inside."""
    assert [word[0] for word in said.words] == said.text.split()
    assert all(word[1] <= word[2] for word in said.words)
    assert all(one[1] <= two[1] for one, two in pairwise(said.words))
    assert all(start <= word[1] and word[2] <= end for word in said.words)
    assert start <= said.start <= said.end <= end


@given(stretches(), TOKENS)
def test_no_word_is_lost_and_times_never_go_back(said: Stretch, tokens: list[str]) -> None:
    corrected = correct(said, " ".join(tokens))
    assert corrected.text.split() == tokens
    assert (corrected.start, corrected.end) == (said.start, said.end)
    check(corrected, start=said.start, end=said.end)


@given(stretches(), st.data())
def test_words_that_stay_keep_everything(said: Stretch, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(said.words)))
    tokens = said.text.split()
    corrected = correct(said, " ".join([*tokens[:at], "nuevazzz", *tokens[at:]]))
    assert [*corrected.words[:at], *corrected.words[at + 1 :]] == said.words
    assert corrected.words[at][3] == 1.0


@given(stretches())
def test_the_same_text_changes_nothing(said: Stretch) -> None:
    assert correct(said, f"  {said.text}\n") == said


@given(stretches(), st.data())
def test_what_is_split_and_merged_is_as_it_was(said: Stretch, data: st.DataObject) -> None:
    at = data.draw(st.integers(-2, len(said.text) + 2))
    try:
        first, second = split(said, at)
    except ValueError:
        # Nothing stood on one side of the nearest boundary.
        assert at < len(said.text.split()[0]) or at > len(said.text) - len(said.text.split()[-1])
        return
    for half in (first, second):
        check(half, start=said.start, end=said.end)
    assert merge(first, second) == said


@given(stretches(most=6), stretches(begins=1.3, most=6))
def test_neighbours_that_overlap_are_one_line(first: Stretch, second: Stretch) -> None:
    joined = merge(first, second)
    assert joined.text == f"{first.text} {second.text}"
    assert [word[3] for word in joined.words] == [w[3] for w in [*first.words, *second.words]]
    check(joined, start=joined.start, end=joined.end)


def said(text: str, *, each: float = 0.5) -> Stretch:
    words = [[w, n * each, n * each + 0.4, 0.9] for n, w in enumerate(text.split())]
    return Stretch(0.0, len(words) * each, text, words)


def test_a_better_spelling_keeps_its_time_and_is_certain() -> None:
    corrected = correct(said("Soy de mali y no cobro"), "Soy de Malí, y no cobro.")
    assert corrected.words[2] == ["Malí,", 1.0, 1.4, 1.0]
    assert corrected.words[3] == ["y", 1.5, 1.9, 0.9]
    assert corrected.words[5] == ["cobro.", 2.5, 2.9, 1.0]


def test_other_words_share_the_time_of_those_they_replace() -> None:
    corrected = correct(said("la calle holmo sí"), "la calle del Olmo sí")
    assert corrected.words[2:4] == [
        ["del", 1.0, pytest.approx(1.0 + 0.4 * 3 / 7), 1.0],
        ["Olmo", pytest.approx(1.0 + 0.4 * 3 / 7), 1.4, 1.0],
    ]
    assert corrected.words[4] == ["sí", 1.5, 1.9, 0.9]


def test_what_is_put_in_between_takes_the_pause() -> None:
    assert correct(said("uno tres", each=2.0), "uno dos tres").words[1] == ["dos", 0.4, 2.0, 1.0]


def test_a_turn_without_times_is_given_none() -> None:
    plain = Stretch(3.0, 5.0, "Algo que se dijo", [])
    assert correct(plain, "Algo que dijo ella") == Stretch(3.0, 5.0, "Algo que dijo ella", [])
    first, second = split(plain, 9)
    assert (first.text, second.text) == ("Algo que", "se dijo")
    assert first.end == second.start == pytest.approx(4.0)
    assert merge(first, second) == plain


def test_beside_one_with_times_it_gets_some_of_its_own() -> None:
    joined = merge(Stretch(0.0, 2.0, "sí, claro", []), said("sí"))
    check(joined, start=0.0, end=2.0)


@pytest.mark.parametrize("at", [-1, 0, 3, 11, 40])
def test_nothing_is_split_off_at_the_edges(at: int) -> None:
    with pytest.raises(ValueError):
        split(said("empiezo ahora"), at)


def test_text_is_kept_on_one_line() -> None:
    assert clean(" Sí,\ten\r\nla\x00 calle\x07 Olmo ") == "Sí, en la calle Olmo"
