from __future__ import annotations

from io import StringIO

import webvtt
from hypothesis import given
from hypothesis import strategies as st

from portal.speech import formats
from portal.speech.captions import LONGEST, MOST_CHARACTERS, captions
from portal.speech.engines.base import Transcript, Turn, Word
from portal.speech.turns import build_turns

TEXT = st.text(st.sampled_from("aáñ.?<&-> █\n"), min_size=1, max_size=12).filter(str.strip)
STEPS = st.floats(0, 3, allow_nan=False)


def transcript(*turns: Turn) -> Transcript:
    return Transcript(turns, "es", 60.0, "local", "base")


def words(text: str, each: float = 0.4) -> tuple[Word, ...]:
    return tuple(
        Word(word, n * each, n * each + each / 2, 0.9) for n, word in enumerate(text.split())
    )


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    said, now = [], 0.0
    for text, pause, length in draw(st.lists(st.tuples(TEXT, STEPS, STEPS), max_size=40)):
        said.append(Word(text, now + pause, now + pause + length, 0.9))
        now += pause + length
    speakers = draw(st.lists(st.sampled_from(["S1", "S2"]), min_size=len(said), max_size=len(said)))
    return transcript(*build_turns(said, speakers))


@given(transcripts())
def test_no_word_is_lost_and_times_go_forward(whole: Transcript) -> None:
    cut = captions(whole)
    for speaker in ("S1", "S2"):
        before, after = (
            " ".join(turn.text for turn in one.turns if turn.speaker == speaker).split()
            for one in (whole, cut)
        )
        assert before == after
    starts = [turn.start for turn in cut.turns]
    assert starts == sorted(starts)
    assert all(turn.end > turn.start for turn in cut.turns)
    # A parser of somebody else's takes what comes of it, markup and all.
    parsed = webvtt.from_buffer(StringIO(formats.to_vtt(cut)), strict=True)
    assert [caption.voice for caption in parsed] == [turn.speaker for turn in cut.turns]


def test_a_long_turn_becomes_readable_pieces() -> None:
    text = " ".join(f"palabra{n}{'.' if n % 7 == 6 else ''}" for n in range(60))
    pieces = captions(transcript(Turn("S1", 0.0, 24.0, text, words(text)))).turns
    assert len(pieces) > 5
    assert max(len(piece.text) for piece in pieces) <= MOST_CHARACTERS
    assert max(piece.end - piece.start for piece in pieces) <= LONGEST
    assert sum(piece.text.endswith(".") for piece in pieces) == 8


def test_words_that_do_not_say_the_text_cut_nothing() -> None:
    turn = Turn("S1", 1.0, 9.0, "Lo que se corrigió. " * 9, words("Lo que se oyó " * 9))
    assert captions(transcript(turn)).turns == (turn,)


def test_a_piece_has_a_length() -> None:
    (piece,) = captions(transcript(Turn("S1", 1.0, 1.0, "Sí."))).turns
    assert piece.end > piece.start
