from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.speech.engines.base import Word
from portal.speech.hallucinations import compression, is_credit, is_too_fast, without_loops


def words(text: str, *, each: float = 0.3) -> list[Word]:
    return [Word(w, i * each, (i + 1) * each, 0.9) for i, w in enumerate(text.split())]


def said(text: str) -> str:
    return " ".join(word.text for word in without_loops(words(text)))


@pytest.mark.parametrize(
    "text",
    [
        "Subtítulos realizados por la comunidad de Amara.org",
        " Subtítulos por la comunidad de Amara.org.",
        "¡Gracias por ver el video!",
        "Gracias por ver.",
        "¡Suscríbete!",
        "Suscríbete al canal y dale a me gusta.",
        "Thanks for watching!",
        "Más información www.ejemplo.com",
        "[Música]",
    ],
)
def test_credits_are_known(text: str) -> None:
    assert is_credit(text)


@pytest.mark.parametrize(
    "text",
    [
        "Gracias por venir, siéntese.",
        "Muchas gracias por todo, de verdad.",
        "Me gusta la música y bailar con mis hijos.",
        "Hago traducciones por las tardes para una empresa.",
        "Veo la televisión con subtítulos porque aún no entiendo bien.",
        "Muchas gracias.",
    ],
)
def test_what_people_say_is_no_credit(text: str) -> None:
    assert not is_credit(text)


def test_a_loop_is_said_once() -> None:
    assert said("vivo con mi madre " * 20 + "y ya") == "vivo con mi madre y ya"
    assert said("que " * 200) == "que"
    assert said("a ver. A ver, a ver a ver A VER y sigo") == "a ver. y sigo"


@pytest.mark.parametrize(
    "text",
    ["sí, sí, sí, claro", "no no no no", "dos y dos y dos son seis", "mucho mucho mucho frío"],
)
def test_people_repeat_themselves(text: str) -> None:
    assert said(text) == text


def test_more_words_than_a_mouth_can_say() -> None:
    assert is_too_fast(words("a b c d e f g h i j", each=0.05))
    assert not is_too_fast(words("a b c d e f g h i j", each=0.2))
    assert not is_too_fast(words("a b c", each=0.05))


def test_loops_shrink_when_compressed() -> None:
    assert compression("no lo sé " * 30) > 2.4 > compression("No lo sé, pregunte a mi hermana.")


def test_a_whole_sentence_that_comes_back_is_said_once() -> None:
    sentence = "y entonces le dije que no podía pagar el alquiler de este mes todavía. "
    assert said(sentence * 6 + "Ya está.") == sentence + "Ya está."
    assert said("Bueno. " + sentence * 2) == ("Bueno. " + sentence * 2).strip()


def test_a_loop_of_marks_alone_goes() -> None:
    assert said("… " * 40 + "y nada más") == "… y nada más"


@given(st.lists(st.sampled_from(("no", "sé", "qué", "decir", "…")), max_size=80))
def test_nothing_new_is_said_and_nothing_moves(tokens: list[str]) -> None:
    before = words(" ".join(tokens))
    after = without_loops(before)
    assert set(after) <= set(before)
    assert [word.start for word in after] == sorted(word.start for word in after)
    # Every word that was said is still said.
    assert {word.text for word in after} == {word.text for word in before}
