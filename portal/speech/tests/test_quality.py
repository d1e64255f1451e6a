"""Moments to review: each kind by itself, and that few are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from portal.speech import quality
from portal.speech.engines.base import Turn, Word
from portal.speech.quality import STEPS_PER_SECOND, Moment

Spoken = tuple[str, float, str]
TALK: tuple[Spoken, ...] = (
    ("S1", 1.0, "Buenos días. ¿Tiene usted la nacionalidad española?"),
    ("S2", 5.0, "No, soy de Colombia, pero tengo permiso de residencia."),
    ("S1", 9.0, "¿Y está empadronado en algún domicilio?"),
    ("S2", 13.0, "Sí, desde el doce de marzo, con mi hermana Yolanda."),
)


def turn_of(speaker: str, start: float, text: str, *, each: float = 0.3) -> Turn:
    """A turn whose words take ``each`` seconds and were heard well."""
    words = tuple(
        Word(word, start + i * each, start + (i + 1) * each, 0.95)
        for i, word in enumerate(text.split())
    )
    return Turn(speaker, start, words[-1].end, text, words)


def talk(*spoken: Spoken) -> list[Turn]:
    return [turn_of(*one) for one in spoken or TALK]


def doubted(turn: Turn, **probabilities: float) -> Turn:
    """``turn`` with other probabilities for the words named, without their marks."""
    words = (
        replace(word, probability=probabilities.get(word.text.strip(",.¿?"), word.probability))
        for word in turn.words
    )
    return replace(turn, words=tuple(words))


def voice_of(*stretches: tuple[float, float], seconds: float | None = None) -> NDArray[np.float32]:
    """Somebody speaks in these stretches, and nobody in the rest."""
    length = seconds if seconds is not None else max((end for _, end in stretches), default=0) + 2
    voice = np.full(int(length * STEPS_PER_SECOND), 0.01, np.float32)
    for start, end in stretches:
        voice[int(start * STEPS_PER_SECOND) : int(end * STEPS_PER_SECOND)] = 0.98
    return voice


def heard(turns: Sequence[Turn], **options: float) -> NDArray[np.float32]:
    return voice_of(*((turn.start, turn.end) for turn in turns), **options)


def found(
    turns: Sequence[Turn], voice: NDArray[np.float32] | None = None, **options: object
) -> list[Moment]:
    voice = heard(turns) if voice is None else voice
    return quality.moments(turns, voice, **({"language": "es"} | options))  # type: ignore[arg-type]


def kinds(moments: Sequence[Moment]) -> list[str]:
    return [moment.kind for moment in moments]


def test_a_clear_talk_has_none() -> None:
    assert found(talk()) == []
    assert found([], voice_of(seconds=30)) == []
    assert found(talk(), np.empty(0, np.float32)) == []


# Against the voice


def test_speech_that_nobody_wrote_down() -> None:
    turns = talk()
    (moment,) = found(turns, np.maximum(heard(turns, seconds=40), voice_of((25, 29), seconds=40)))
    assert (moment.kind, moment.turn, moment.quote) == ("missed", None, "")
    assert moment.start == pytest.approx(25, abs=0.1)
    assert moment.end == pytest.approx(29, abs=0.1)


@pytest.mark.parametrize(
    "voice",
    [(25.0, 25.9), (16.0, 17.5)],
    ids=["a cough", "the end of a word that the recogniser cut short"],
)
def test_a_little_more_voice_is_nothing(voice: tuple[float, float]) -> None:
    turns = talk()
    assert found(turns, np.maximum(heard(turns, seconds=40), voice_of(voice, seconds=40))) == []


def test_speech_in_pieces_is_heard_in_one_go() -> None:
    turns = talk()
    more = voice_of((25, 25.6), (26, 26.8), (27, 28), seconds=40)
    (moment,) = found(turns, np.maximum(heard(turns, seconds=40), more))
    assert moment.end - moment.start == pytest.approx(3, abs=0.2)


@pytest.mark.parametrize(("seconds", "expected"), [(18, []), (25, ["gap"])])
def test_a_long_silence(seconds: float, expected: list[str]) -> None:
    turns = talk(*TALK, ("S1", 17 + seconds, "Vale, seguimos con lo que faltaba."))
    assert kinds(found(turns)) == expected


def test_where_the_recording_was_stopped_silence_is_no_wonder() -> None:
    turns = talk(*TALK, ("S1", 60.0, "Vale, seguimos."))
    assert kinds(found(turns)) == ["gap"]
    assert found(turns, pauses=[30.0]) == []


def test_silence_before_and_after_the_talk_is_nothing() -> None:
    turns = [replace(turn, words=()) for turn in talk(("S1", 60.0, "Buenos días."))]
    assert found(turns, heard(turns, seconds=200)) == []


def test_text_where_nobody_speaks() -> None:
    turns = talk(*TALK, ("S1", 24.0, "Subtítulos de la comunidad"))
    (moment,) = found(turns, heard(turns[:-1], seconds=30))
    assert (moment.kind, moment.turn, moment.quote) == ("silence", 4, "Subtítulos de la comunidad")


def test_two_words_at_the_edge_of_a_silence_are_a_matter_of_timing() -> None:
    turns = talk()
    assert found(turns, voice_of((1.0, 15.9), seconds=30)) == []


def test_a_turn_without_times_of_its_words() -> None:
    turns = [replace(turn, words=()) for turn in talk(*TALK, ("S1", 24.0, "Gracias a todos."))]
    (moment,) = found(turns, heard(turns[:-1], seconds=30))
    assert (moment.kind, moment.turn, moment.quote) == ("silence", 4, "Gracias a todos")


def test_what_was_struck_out_is_neither_missing_nor_invented() -> None:
    turns = talk(*TALK, ("S2", 20.0, "████ ████ ████ ████ ████ ████"))
    assert found(turns) == []
    assert found(turns, heard(turns[:-1], seconds=30)) == []


# In the words


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        (
            "pues en el piso no hay luz en el piso no hay luz",
            "en el piso no hay luz en el piso no hay luz",
        ),
        ("que sí que sí que sí y ya está", "que sí que sí que sí"),
        ("no no no no no", "no no no no no"),
    ],
)
def test_a_phrase_that_follows_itself(text: str, quote: str) -> None:
    (moment,) = found(talk(("S2", 1.0, text)))
    assert (moment.kind, moment.turn, moment.quote) == ("loop", 0, quote)


@pytest.mark.parametrize(
    "text", ["sí, sí, sí, claro", "muy muy mal", "poco a poco", "no sé, no sé qué decirle"]
)
def test_people_repeat_themselves(text: str) -> None:
    assert found(talk(("S2", 1.0, text))) == []


def test_a_phrase_that_goes_on_in_the_next_turn() -> None:
    turns = talk(("S2", 1.0, "Vivo con mi hermana"), ("S2", 3.0, "vivo con mi hermana y ya."))
    (moment,) = found(turns)
    assert (moment.kind, moment.turn, moment.quote) == ("loop", 0, "Vivo con mi hermana")
    assert moment.end == pytest.approx(turns[1].words[3].end)


@pytest.mark.parametrize("second", [("S1", 3.0), ("S2", 6.0)], ids=["asking back", "later"])
def test_what_is_said_again_is_no_loop(second: tuple[str, float]) -> None:
    turns = talk(("S2", 1.0, "Vivo con mi hermana"), (*second, "vivo con mi hermana y ya."))
    assert found(turns) == []


@pytest.mark.parametrize(
    ("text", "doubt", "expected"),
    [
        ("Vivo con Yolanda en casa.", "Yolanda", ("name", "Yolanda")),
        ("Vivo con Yolanda Prieto, sí.", "Prieto", ("name", "Yolanda Prieto")),
        ("Llegué en marzo de aquí.", "marzo", ("number", "marzo")),
        ("Llegué el doce de marzo, creo.", "doce", ("number", "doce de marzo")),
        ("Pago treinta y dos euros.", "treinta", ("number", "treinta y dos")),
        ("Pago 350 euros.", "350", ("number", "350")),
        ("Pago quinientos euros.", "quinientos", ("number", "quinientos")),
    ],
)
def test_a_doubtful_name_or_number(text: str, doubt: str, expected: tuple[str, str]) -> None:
    turn = turn_of("S2", 1.0, text)
    assert found([turn]) == []
    (moment,) = found([doubted(turn, **{doubt: 0.2})])
    assert (moment.kind, moment.quote) == expected
    assert moment.quote in turn.text


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("Yolanda vive aquí.", "Yolanda"),
        ("Claro. Luego vine.", "Luego"),
        ("Dígame, ¿Cuándo vino?", "Cuándo"),
        ("Mi prima, Yo y mi madre.", "Yo"),
        ("Vivo con una amiga.", "una"),
        ("Vivo con una amiga.", "amiga"),
    ],
)
def test_other_words_are_not_doubted(text: str, doubt: str) -> None:
    assert found([doubted(turn_of("S2", 1.0, text), **{doubt: 0.05})]) == []


def test_a_name_is_asked_for_once_where_it_was_heard_worst() -> None:
    turns = [
        doubted(turn_of("S2", start, "Vivo con Yolanda."), Yolanda=probability)
        for start, probability in ((1.0, 0.4), (10.0, 0.1), (20.0, 0.3))
    ]
    (moment,) = found(turns)
    assert moment.turn == 1


def test_what_is_close_is_one_moment() -> None:
    turn = turn_of("S2", 1.0, "Vine con Yolanda el doce de marzo, creo.")
    (moment,) = found([doubted(turn, Yolanda=0.4, doce=0.2)])
    assert (moment.kind, moment.quote) == ("number", "Yolanda el doce de marzo")


@pytest.mark.parametrize(
    "text",
    [
        "Je ne sais pas où il est, mais je suis avec ma sœur.",
        "I do not know where they are, but my sister is with me.",
        "أعيش مع أختي في المدينة",
        "Я живу с сестрой в этом городе",
    ],
)
def test_another_language(text: str) -> None:
    (moment,) = found(talk(*TALK, ("S2", 20.0, text)))
    assert (moment.kind, moment.turn) == ("language", 4)
    assert moment.quote in text


def test_in_a_conversation_in_that_language_it_is_none() -> None:
    turns = talk(*(("S2", 6.0 * i, "Je ne sais pas où il est avec ma sœur.") for i in range(3)))
    assert kinds(found(turns, language="fr")) == []


def test_two_at_once() -> None:
    turns = talk(*TALK, ("S1", 14.5, "Ya, ya, le entiendo."))
    (moment,) = found(turns)
    assert (moment.kind, moment.turn, moment.start) == ("overlap", 4, 14.5)
    same = [replace(turn, speaker="S1") for turn in turns]
    assert found(same) == []


# Few


def test_no_kind_takes_all_the_room_and_the_worst_stay() -> None:
    names = (f"Vivo con {'AEIOU'[i % 5]}{'bcdfg'[i // 5]}a hoy." for i in range(25))
    turns = [
        doubted(turn, **{turn.words[2].text: 0.1 + i / 100})
        for i, turn in enumerate(talk(*(("S2", 5.0 * i, text) for i, text in enumerate(names))))
    ]
    voice = heard(turns, seconds=200)
    voice = np.maximum(
        voice, voice_of(*((130 + 8 * i, 133 + 8 * i) for i in range(8)), seconds=200)
    )
    moments = found(turns, voice)
    assert len(moments) <= quality.MOST
    assert kinds(moments) == ["name"] * 5 + ["missed"] * 5
    assert [moment.turn for moment in moments[:5]] == [0, 1, 2, 3, 4]


@st.composite
def transcripts(draw: st.DrawFn) -> tuple[list[Turn], NDArray[np.float32]]:
    turns, time = [], 0.0
    vocabulary = ["sí", "no.", "Yolanda", "¿Qué", "12", "marzo", "y", "████", "the", "", "«Ya»,"]
    for _ in range(draw(st.integers(0, 8))):
        words = []
        time = max(0.0, time + draw(st.floats(-2, 30)))
        for text in draw(st.lists(st.sampled_from(vocabulary), max_size=12)):
            end = time + draw(st.floats(0, 1))
            words.append(Word(text, time, end, draw(st.floats(0, 1))))
            time = end
        text = " ".join(word.text for word in words).strip()
        text = draw(st.sampled_from([text, "otra cosa", ""]))  # a person wrote something else
        speaker = draw(st.sampled_from(["S1", "S2"]))
        start = words[0].start if words else time
        turns.append(Turn(speaker, start, time, text, tuple(words)))
    steps = int(draw(st.floats(0, time + 30)) * STEPS_PER_SECOND)
    seed = draw(st.integers(0, 9))
    voice = np.random.default_rng(seed).random(steps // 20 + 1).repeat(20)[:steps]
    return turns, voice.astype(np.float32)


@given(transcripts())
def test_whatever_was_transcribed(made: tuple[list[Turn], NDArray[np.float32]]) -> None:
    turns, voice = made
    moments = found(turns, voice)
    assert len(moments) <= quality.MOST
    assert [moment.start for moment in moments] == sorted(moment.start for moment in moments)
    for moment in moments:
        assert 0 <= moment.start <= moment.end
        assert len(moment.quote) <= quality.LONGEST_QUOTE
        assert not moment.quote or moment.turn is not None
        if moment.turn is not None:
            assert moment.quote in turns[moment.turn].text
