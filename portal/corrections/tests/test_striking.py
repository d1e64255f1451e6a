"""Blocks in the place of words: nothing of them left, everything else kept, and all of it back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.corrections import striking
from portal.corrections.striking import BLOCK, Piece, Said, Stretch, Struck
from portal.corrections.traces import traces


def said(text: str, start: float = 0.0) -> Said:
    """Half a second a word, a tenth of silence after each."""
    words: list[Any] = [
        [f" {word}", start + n / 2, start + n / 2 + 0.4, 0.9] for n, word in enumerate(text.split())
    ]
    return Said(start, start + len(words) / 2, text, words)


def struck(turn: Said, start: float, end: float) -> Struck:
    taken = striking.strike(turn, Stretch(start, end))
    assert taken is not None
    return taken


def after(turn: Said, taken: Struck) -> Said:
    return Said(turn.start, turn.end, taken.text, taken.words)


def test_a_run_of_words_becomes_one_block() -> None:
    turn = said("Vivo en la calle Olmo, desde marzo.")
    taken = struck(turn, 1.4, 2.6)
    assert taken.text == f"Vivo en la {BLOCK} desde marzo."
    assert [word[0] for word in taken.words][3] == f" {BLOCK}"
    assert taken.words[3][1:3] == [1.5, 2.4]
    assert taken.pieces == (Piece(1.5, 2.4, "calle Olmo,", turn.words[3:5]),)


def test_a_word_is_struck_when_most_of_it_is_in_the_stretch() -> None:
    turn = said("uno dos tres")
    assert struck(turn, 0.65, 0.95).text == f"uno {BLOCK} tres"
    assert striking.strike(turn, Stretch(0.71, 0.95)) is None


def test_a_block_is_not_struck_again() -> None:
    turn = said("uno dos tres cuatro")
    once = after(turn, struck(turn, 0.4, 1.0))
    assert striking.strike(once, Stretch(0.4, 1.0)) is None
    wider = struck(once, 0.4, 1.5)
    assert wider.text == f"uno {BLOCK} {BLOCK} cuatro"
    assert [piece.text for piece in wider.pieces] == ["tres"]


def test_what_was_written_between_words_goes_with_them() -> None:
    turn = said("uno dos tres")
    turn.text = "uno secreto dos — y más — tres"
    assert struck(turn, 0.4, 1.0).text == f"uno {BLOCK} tres"


@pytest.mark.parametrize("text", ["Otra cosa", "dos tres uno"])
def test_a_turn_whose_words_do_not_spell_its_text_goes_altogether(text: str) -> None:
    turn = said("uno dos tres")
    turn.text = text
    taken = struck(turn, 0.4, 1.0)
    assert taken.text == BLOCK
    assert taken.words == [[BLOCK, 0.4, 1.0, 1.0]]
    assert striking.strike(turn, Stretch(1.6, 3.0)) is None


def test_a_turn_without_times_goes_when_the_stretch_is_in_it() -> None:
    turn = Said(10.0, 20.0, "Texto sin tiempos", [])
    assert striking.strike(turn, Stretch(0.0, 10.1)) is None
    taken = struck(turn, 12.0, 13.0)
    assert taken.text == BLOCK
    whole = striking.put_back(after(turn, taken), taken.pieces[0])
    assert whole == (turn.text, [])


def test_a_piece_is_put_back_in_a_turn_that_was_changed_since() -> None:
    turn = said("Vivo en la calle Olmo desde marzo")
    taken = struck(turn, 1.4, 2.6)
    changed = after(turn, taken)
    changed.text, changed.words = f"en la {BLOCK} desde abril", changed.words[1:]
    whole = striking.put_back(changed, taken.pieces[0])
    assert whole is not None
    assert whole[0] == "en la calle Olmo desde abril"
    assert striking.put_back(said("otra cosa"), taken.pieces[0]) is None


def test_a_piece_whose_block_is_gone_comes_back_at_its_time() -> None:
    turn = said("uno dos tres")
    (piece,) = struck(turn, 0.4, 1.0).pieces
    left = Said(0.0, 1.5, "uno tres", [turn.words[0], turn.words[2]])
    assert striking.insert(left, piece) == ("uno dos tres", turn.words)
    assert striking.insert(Said(0.0, 1.0, "uno", turn.words[:1]), piece)[0] == "uno dos"
    assert striking.insert(Said(0.0, 1.0, "", []), piece)[0] == "dos"


letters = st.text("abcáñ¿?.,", min_size=1, max_size=6)
seconds = st.floats(0.0, 12.0).map(lambda n: round(n, 2))


@given(
    tokens=st.lists(letters, min_size=1, max_size=20),
    stretches=st.lists(st.tuples(seconds, seconds), max_size=4),
)
def test_struck_and_put_back_it_is_what_it_was(
    tokens: list[str], stretches: list[tuple[float, float]]
) -> None:
    turn = said(" ".join(tokens))
    now, done = turn, list[Piece]()
    for start, end in stretches:
        stretch = Stretch(min(start, end), max(start, end))
        taken = striking.strike(now, stretch)
        if taken is None:
            continue
        gone = [word[0].strip() for piece in taken.pieces for word in piece.words]
        kept = [word for word in now.words if not any(word in p.words for p in taken.pieces)]
        # No word is lost, none is left, and times go on.
        assert len(kept) + len(gone) == len(now.words)
        assert [w for w in taken.words if BLOCK not in w[0]] == [
            w for w in kept if BLOCK not in w[0]
        ]
        starts = [word[1] for word in taken.words]
        assert starts == sorted(starts)
        assert all(stretch.holds(piece.start, piece.end) for piece in taken.pieces)
        assert taken.text.split() == [word[0].strip() for word in taken.words]
        assert striking.strike(after(turn, taken), stretch) is None
        now = after(turn, taken)
        done.extend(taken.pieces)
    for piece in reversed(done):
        whole = striking.put_back(now, piece)
        assert whole is not None
        now = Said(turn.start, turn.end, *whole)
    assert now == turn


# Where the same words are written elsewhere


def test_a_word_that_was_said_only_there_gives_it_away() -> None:
    told = traces(["en la calle Olmo, 12"], ["Vivo desde marzo", "¿en qué calle?"])
    assert told.single == {"olmo", "12"}
    assert told.in_("Vive en OLMO")
    assert told.in_("número 12.")
    assert not told.in_("una calle, desde marzo")
    assert told.hidden("Vive en Olmo, 12.") == f"Vive en {BLOCK}, {BLOCK}."


def test_words_that_carry_no_meaning_give_nothing_away() -> None:
    told = traces(["sí, con él"], ["Hola"])
    assert not told.in_("Sí, con alguien")


def test_two_words_together_give_away_what_neither_does() -> None:
    told = traces(["calle Olmo"], ["Una calle larga", "Doña Olmo"])
    assert not told.single
    assert not told.in_("La calle de Olmo")
    assert told.in_("calle Olmo")
    assert told.hidden("en calle Olmo") == f"en {BLOCK} {BLOCK}"


def test_what_can_still_be_read_elsewhere_gives_nothing_away() -> None:
    told = traces(["calle Olmo"], ["Sí, en la calle Olmo"])
    assert not told.in_("calle Olmo")
