from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from portal.speech.engines.base import Word
from portal.speech.turns import LONG_PAUSE, build_turns

Spoken = list[tuple[Word, str]]


@st.composite
def spoken(draw: st.DrawFn) -> Spoken:
    """Words in order of time, never overlapping, each with a speaker."""
    words: Spoken = []
    time = 0.0
    for _ in range(draw(st.integers(0, 60))):
        time += draw(st.floats(0, 5))
        length = draw(st.floats(0, 2))
        text = draw(st.sampled_from(["sí", "no.", "¿qué?", "3,5", "bueno,", "«ya.»"]))
        words.append((Word(text, time, time + length, 0.9), draw(st.sampled_from(["S1", "S2"]))))
        time += length
    return words


def turns_of(words: Spoken):  # type: ignore[no-untyped-def]
    return build_turns([word for word, _ in words], [speaker for _, speaker in words])


@given(spoken())
def test_no_word_is_lost_or_moved(words: Spoken) -> None:
    assert [word for turn in turns_of(words) for word in turn.words] == [w for w, _ in words]


@given(spoken())
def test_a_turn_has_one_speaker(words: Spoken) -> None:
    heard = [(word, turn.speaker) for turn in turns_of(words) for word in turn.words]
    assert heard == words


@given(spoken())
def test_times_never_go_back(words: Spoken) -> None:
    turns = turns_of(words)
    assert all(turn.start <= turn.end for turn in turns)
    assert all(a.end <= b.start for a, b in pairwise(turns))


@given(spoken())
def test_text_is_the_words_and_never_empty(words: Spoken) -> None:
    assert all(turn.text == " ".join(w.text for w in turn.words) != "" for turn in turns_of(words))


@given(spoken())
def test_neighbours_differ_in_speaker_or_are_parted_for_a_reason(words: Spoken) -> None:
    turns = turns_of(words)
    for one, other in pairwise(turns):
        same = one.speaker == other.speaker
        long_pause = other.start - one.end >= LONG_PAUSE
        sentence = one.text.rstrip("»").endswith((".", "?"))
        assert not same or long_pause or sentence


def test_a_long_pause_starts_a_turn() -> None:
    words = [Word("hola", 0.0, 0.5, 1), Word("¿sigue", 4.0, 4.5, 1), Word("ahí?", 4.5, 5.0, 1)]
    turns = build_turns(words, ["S1"] * 3)
    assert [turn.text for turn in turns] == ["hola", "¿sigue ahí?"]


def test_a_long_monologue_is_cut_at_a_sentence() -> None:
    words = [Word("y" if i % 10 else "fin.", i * 1.0, i + 1.0, 1) for i in range(1, 91)]
    turns = build_turns(words, ["S1"] * len(words))
    assert len(turns) == 3
    assert all(turn.text.endswith("fin.") for turn in turns)
