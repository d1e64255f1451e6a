"""Turns joined as if they had been heard at once. No database: rows that were never saved."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from portal.live.merging import merged
from portal.live.models import LivePart, LiveTurn
from portal.speech.engines.base import Word
from portal.speech.turns import build_turns

FIRST, SECOND = LivePart(number=1), LivePart(number=2)


def turn(
    text: str, start: float, *, speaker: str = "S1", role: str = "usuario", part: LivePart = FIRST
) -> LiveTurn:
    """Four words a second."""
    words = [
        [word, start + number / 4, start + (number + 1) / 4, 0.9]
        for number, word in enumerate(text.split())
    ]
    end = start + len(words) / 4
    return LiveTurn(
        part=part, speaker=speaker, role=role, start=start, end=end, text=text, words=words
    )


def test_what_follows_is_joined() -> None:
    first = turn("Vivo en Getafe con", 0.0)
    [whole] = merged([first, turn("mi madre.", 1.5)])
    assert whole.text == "Vivo en Getafe con mi madre."
    assert (whole.start, whole.end, whole.speaker, whole.role, whole.part) == (
        0.0, 2.0, "S1", "usuario", 1,
    )  # fmt: skip
    assert whole.words[:4] == first.words
    assert [word[0] for word in whole.words] == whole.text.split()


def test_another_speaker_role_part_or_a_long_pause_starts_a_new_one() -> None:
    turns = [
        turn("Hola.", 0.0),
        turn("Hola.", 1.0, speaker="S2", role="empleado"),
        turn("Hola.", 2.0, speaker="S2", role="otro"),
        turn("Hola.", 3.0, speaker="S2", role="otro", part=SECOND),
        turn("Hola.", 6.0, speaker="S2", role="otro", part=SECOND),
    ]
    assert [(m.role, m.part, m.start) for m in merged(turns)] == [
        ("usuario", 1, 0.0),
        ("empleado", 1, 1.0),
        ("otro", 1, 2.0),
        ("otro", 2, 3.0),
        ("otro", 2, 6.0),
    ]


@given(st.sets(st.integers(1, 299), max_size=60))
def test_cut_anywhere_it_reads_like_the_whole(places: set[int]) -> None:
    sentence = "y entonces me dijeron que no había sitio para nosotros. "
    words = [
        Word(word, number / 4, (number + 1) / 4, 0.9)
        for number, word in enumerate((sentence * 30).split())
    ]
    whole = build_turns(words, ["S1"] * len(words))
    assert len(whole) > 1
    pieces = [
        turn(" ".join(word.text for word in words[low:high]), low / 4)
        for low, high in pairwise([0, *sorted(places), len(words)])
    ]
    assert [(m.text, m.start, m.end) for m in merged(pieces)] == [
        (t.text, t.start, t.end) for t in whole
    ]


def test_turns_without_words_keep_their_text() -> None:
    wordless = LiveTurn(
        part=FIRST, speaker="S1", role="usuario", start=1.0, end=2.0, text="De Perú."
    )
    [whole] = merged([turn("Soy.", 0.0), wordless])
    assert whole.text == "Soy. De Perú."
    assert whole.end == 2.0
    assert [word[0] for word in whole.words] == ["Soy."]
