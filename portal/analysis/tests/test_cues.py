from __future__ import annotations

import pytest

from portal.analysis.cues import CueError, CueIndex, parse_cue
from portal.analysis.text import is_spanish, sentences, shorten, stretches, words


def fits(cue: str, text: str) -> bool:
    return bool(CueIndex({"q": [cue]}).find(words(text).folded))


@pytest.mark.parametrize(
    ("cue", "text", "expected"),
    [
        ("empadron*", "¿Está EMPADRONADO?", True),
        ("empadron*", "el padrón", False),
        ("padrón", "el padron", True),
        ("vivo|vivimos en", "vivimos en Lugo", True),
        ("vivo en", "vivo ahora en Lugo", False),
        ("vivo ~ en", "vivo por ahora y desde mayo en Lugo", False),
        ("vivo ~ en", "vivo por ahora en Lugo", True),
        ("debo # meses", "debo dos meses", True),
        ("debo # meses", "debo 2 meses", True),
        ("cuido ~1 @fam", "cuido a mi abuela", False),
        ("cuido ~2 @fam", "cuido a mi abuela", True),
    ],
)
def test_notation(cue: str, text: str, expected: bool) -> None:
    assert fits(cue, text) is expected


def test_the_first_mark_says_in_whose_mouth_it_counts() -> None:
    kinds = [parse_cue(cue).kind for cue in ("¿vive sola?", "+vivo sola", "-vivía", "nevera")]
    assert kinds == ["ask", "state", "miss", "topic"]


@pytest.mark.parametrize("cue", ["", "¿?", "+", "a.b", "@nadie", "~"])
def test_a_cue_that_cannot_be_read_is_refused(cue: str) -> None:
    with pytest.raises(CueError):
        parse_cue(cue)


def test_words_are_folded_and_keep_their_place() -> None:
    parsed = words("Sí, Ñu: 1.100 €")
    assert parsed.folded == ("si", "nu", "1", "100")
    assert parsed.slice(0, 2) == "Sí, Ñu"


def pieces(text: str) -> list[tuple[str, bool]]:
    parsed = words(text)
    return [(parsed.slice(s.start, s.end), s.interrogative) for s in sentences(parsed)]


def test_sentences_and_which_of_them_ask() -> None:
    assert pieces("Ya veo. ¿Y el padrón? Bien") == [
        ("Ya veo", False),
        ("Y el padrón", True),
        ("Bien", False),
    ]
    assert pieces("Viven juntos, ¿verdad?") == [("Viven juntos, ¿verdad", True)]
    assert pieces("La casa, ¿cómo está?") == [("La casa, ¿cómo está", True)]
    assert pieces("gano 1.100 euros") == [("gano 1.100 euros", False)]


def test_long_speech_without_stops_is_cut_without_losing_a_word() -> None:
    parsed = words("pues yo vivo con mi madre y ella está enferma pero yo trabajo y " * 9)
    cut = stretches(parsed, sentences(parsed))
    assert [p.start for p in cut[1:]] == [p.end for p in cut[:-1]]
    assert (cut[0].start, cut[-1].end) == (0, len(parsed))
    assert max(p.end - p.start for p in cut) <= 16


def test_spanish_is_told_from_other_languages() -> None:
    assert is_spanish(words("Vivo con mi madre en un piso").folded)
    assert is_spanish(words("Sí").folded)
    assert not is_spanish(words("j'habite avec ma mère dans notre appartement").folded)
    assert not is_spanish(words("نعم").folded)


def test_shortening_says_so() -> None:
    assert shorten("uno  dos\ntres", 3) == "uno dos tres"
    assert shorten("uno, dos, tres", 2) == "uno, dos…"
