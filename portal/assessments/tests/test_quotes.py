from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from portal.assessments.quotes import locate

TOKENS = st.lists(st.text("abcñ", min_size=1, max_size=4), min_size=1, max_size=12)


def _words(tokens: list[str]) -> list[list[object]]:
    return [[f" {token}", float(n), n + 0.5, 0.9] for n, token in enumerate(tokens)]


@given(TOKENS, st.data())
def test_a_run_of_words_gets_exactly_their_times(tokens: list[str], data: st.DataObject) -> None:
    # Numbered, so that a quote stands in the text once.
    tokens = [f"{token}{n}x" for n, token in enumerate(tokens)]
    first = data.draw(st.integers(0, len(tokens) - 1))
    last = data.draw(st.integers(first, len(tokens) - 1))
    span = locate(
        " ".join(tokens[first : last + 1]), " ".join(tokens), _words(tokens), 0.0, len(tokens)
    )
    assert span == (float(first), last + 0.5)


@given(TOKENS, st.data())
def test_any_verbatim_piece_lies_inside_its_turn(tokens: list[str], data: st.DataObject) -> None:
    text = " ".join(tokens)
    first = data.draw(st.integers(0, len(text) - 1))
    quote = text[first : data.draw(st.integers(first + 1, len(text)))]
    span = locate(quote, text, _words(tokens), 0.0, float(len(tokens)))
    assert (span is None) == (not quote.strip())
    if span:
        assert 0.0 <= span[0] < span[1] <= len(tokens)


@given(TOKENS)
def test_words_that_are_not_there_prove_nothing(tokens: list[str]) -> None:
    assert locate("zeta", " ".join(tokens), _words(tokens), 0.0, 9.0) is None


def test_half_a_word_still_plays_the_whole_word() -> None:
    assert locate("cobr", "Ya no cobro", _words(["Ya", "no", "cobro"]), 0.0, 3.0) == (2.0, 2.5)


def test_a_turn_without_word_times_gives_its_own() -> None:
    assert locate("no cobro", "Ya no cobro", [], 12.0, 14.5) == (12.0, 14.5)


def test_a_corrected_text_keeps_what_times_still_fit() -> None:
    words = _words(["Soy", "de", "Mali"])
    assert locate("de Malí", "Soy de Malí", words, 0.0, 3.0) == (1.0, 1.5)
