from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.analysis.cues import Cue, CueError, CueIndex, parse_cue
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


LETTERS = st.sampled_from("abc")
PARTS = st.lists(LETTERS, min_size=1, max_size=3).map("|".join)
CUES = st.lists(st.tuples(st.sampled_from(["", "~0 ", "~1 ", "~2 ", "~ "]), PARTS), min_size=1).map(
    lambda parts: " ".join(gap + part for gap, part in parts)
)


def tried_out(cue: Cue, folded: Sequence[str], at: int, index: int = 0) -> int | None:
    """Every way to lay it over the words, in order."""
    if index == len(cue.elements):
        return at
    element = cue.elements[index]
    for place in range(at, min(at + element.gap + 1, len(folded))):
        if element.fits(folded[place]):
            stop = tried_out(cue, folded, place + 1, index + 1)
            if stop is not None:
                return stop
    return None


@given(CUES, st.lists(LETTERS, max_size=12))
@example("a ~1 b ~1 a|b c", list("abbcabacab"))
def test_a_cue_fits_where_trying_everything_finds_it(text: str, folded: list[str]) -> None:
    cue = parse_cue(text)
    everything = [tried_out(cue, folded, start) for start in range(len(folded))]
    assert [cue.match(folded, start, len(folded)) for start in range(len(folded))] == everything
    # Looks that know what the ones before have found, as one pass over the words has them.
    begins = cue.elements[0].fits
    found = [(match.start, match.end) for match in CueIndex({"q": [text]}).find(folded)]
    assert found == [
        (start, stop)
        for start, stop in enumerate(everything)
        if stop is not None and begins(folded[start])
    ]


class Read(tuple[str, ...]):
    """Words that may be looked at so many times."""

    left = 2_000_000

    def __getitem__(self, place: int) -> str:  # type: ignore[override]
        self.left -= 1
        assert self.left, "looked at too often"
        return super().__getitem__(place)


def test_a_cue_that_fits_in_endless_ways_ends() -> None:
    wide = "a*|b*|c*|d*|e*|f*"
    cue = "dije " + f"~9 {wide} " * 50 + "~9 nunca"
    assert not CueIndex({"q": [cue]}).find(Read(["dije", "a", "b"] * 1000))


def test_a_long_cue_fits() -> None:
    cue = "a " * 1000
    assert [match.end for match in CueIndex({"q": [cue]}).find(["a"] * 1000)] == [1000]


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
