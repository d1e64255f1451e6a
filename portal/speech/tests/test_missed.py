from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from portal.speech.audio import SAMPLE_RATE
from portal.speech.engines.base import Word
from portal.speech.missed import STEPS, fill_in, gaps
from portal.speech.pieces import Piece
from portal.speech.vad import STEP

OFFSET = 100.0


def piece(*spoken: tuple[float, float], seconds: float = 20.0) -> Piece:
    """Silence but for the seconds ``spoken``."""
    probability = np.zeros(int(seconds * STEPS), np.float32)
    for start, end in spoken:
        probability[int(start * STEPS) : int(end * STEPS)] = 0.95
    sound = np.zeros(len(probability) * STEP, np.float32)
    return Piece(OFFSET, sound, probability, None)


def word(text: str, start: float, end: float, probability: float = 0.9) -> Word:
    return Word(text, OFFSET + start, OFFSET + end, probability)


def said(text: str, start: float, *, probability: float = 0.9) -> list[Word]:
    return [
        word(part, start + i * 0.4, start + i * 0.4 + 0.3, probability)
        for i, part in enumerate(text.split())
    ]


def nothing(_: Piece) -> list[Word]:
    raise AssertionError("nothing was passed over")


QUESTION, ANSWER = said("¿Qué edad tiene?", 1.0), said("Veintidós recién cumplidos.", 6.0)


def test_where_every_word_was_heard_nothing_is_heard_again() -> None:
    whole = piece((1.0, 2.1), (6.0, 7.1))
    assert fill_in(whole, [*QUESTION, *ANSWER], nothing) == [*QUESTION, *ANSWER]


def test_a_turn_that_was_passed_over_is_put_in_its_place() -> None:
    turn = said("Madre mía, ¿y el padrón?", 3.0)
    asked = []

    def hear(cut: Piece) -> list[Word]:
        asked.append((cut.offset, cut.offset + len(cut.samples) / SAMPLE_RATE))
        return turn

    whole = piece((1.0, 2.1), (3.0, 5.0), (6.0, 7.1))
    assert fill_in(whole, [*QUESTION, *ANSWER], hear) == [*QUESTION, *turn, *ANSWER]
    ((start, end),) = asked
    assert 102.3 < start < 102.6 and 105.4 < end < 105.6  # with a margin on each side


def test_also_at_the_beginning_and_the_end_and_where_there_is_no_word() -> None:
    first, last = said("Hola, buenas tardes.", 0.5), said("Hasta luego, gracias.", 18.0)
    whole = piece((0.5, 1.6), (6.0, 7.1), (18.0, 19.1))

    def hear(cut: Piece) -> list[Word]:
        return first if cut.offset < OFFSET + 5 else last

    assert fill_in(whole, ANSWER, hear) == [*first, *ANSWER, *last]
    assert fill_in(piece((0.5, 1.6)), [], hear) == first


def test_words_of_the_margin_are_not_doubled() -> None:
    turn = said("Madre mía, ¿y el padrón?", 3.0)

    def hear(_: Piece) -> list[Word]:
        return [QUESTION[-1], *turn, word("Veintidós", 6.0, 6.3)]

    whole = piece((1.0, 2.1), (3.0, 5.0), (6.0, 7.1))
    assert fill_in(whole, [*QUESTION, *ANSWER], hear) == [*QUESTION, *turn, *ANSWER]


def test_a_guess_is_not_taken() -> None:
    whole = piece((1.0, 2.1), (3.0, 5.0))
    guess = said("que das en el jardín", 3.0, probability=0.28)
    assert fill_in(whole, QUESTION, lambda _: guess) == QUESTION


def test_an_echo_of_the_words_beside_it_is_not_taken() -> None:
    whole = piece((1.0, 4.0))
    echo = said("qué edad tiene", 2.4)
    assert fill_in(whole, QUESTION, lambda _: echo) == QUESTION


def test_a_word_that_was_stretched_over_the_gap_gives_way() -> None:
    stretched = [*said("mi primo", 0.5), word("Darwin,", 1.3, 4.9), *said("sí, claro.", 5.0)]
    turn = said("¿y qué edad tiene?", 2.9)
    whole = piece((0.5, 2.1), (2.9, 4.5), (5.0, 5.8))
    filled = fill_in(whole, stretched, lambda _: turn)
    assert [w.text for w in filled][2:5] == ["Darwin,", "¿y", "qué"]
    assert filled[2].end <= turn[0].start


def test_a_word_that_opens_a_sentence_was_said_at_the_end_of_its_time() -> None:
    stretched = [*said("al mes.", 0.5), word("Yo", 1.4, 6.3), *said("soy electricista.", 6.3)]
    turn = said("¿y qué quieres hacer?", 3.0)
    whole = piece((0.5, 1.2), (3.0, 5.0), (5.9, 7.2))
    filled = fill_in(whole, stretched, lambda _: turn)
    assert [w.text for w in filled][1:4] == ["mes.", "¿y", "qué"]
    assert [w.text for w in filled][-3:] == ["Yo", "soy", "electricista."]


def test_a_long_number_is_not_taken_for_a_gap() -> None:
    whole = piece((1.0, 4.5))
    assert gaps(whole, [word("cuesta", 1.0, 1.4), word("463", 1.4, 4.5)]) == []


times = st.lists(st.floats(0, 19), min_size=2, max_size=24).map(sorted)


@given(times, times, st.lists(st.floats(0, 19.9), min_size=2, max_size=12).map(sorted))
def test_no_word_is_lost_and_times_never_go_back(
    known: list[float], found: list[float], spoken: list[float]
) -> None:
    words = [word(f"a{i}", start, end) for i, (start, end) in enumerate(pairwise(known))]
    others = [word(f"b{i}", start, end) for i, (start, end) in enumerate(pairwise(found))]
    whole = piece(*zip(spoken[::2], spoken[1::2], strict=False))
    filled = fill_in(whole, words, lambda _: others)
    assert [w.text for w in filled if w.text[0] == "a"] == [w.text for w in words]
    assert all(w.start <= w.end for w in filled)
    assert all(one.end <= other.start for one, other in pairwise(filled))
