from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from portal.analysis.engines.base import (
    SUMMARY_MAX_WORDS,
    TITLE_MAX_WORDS,
    Description,
    Evidence,
    Finding,
    Reply,
    Turn,
)
from portal.analysis.grounding import (
    find_quote,
    ground_description,
    ground_evidence,
    ground_finding,
    ground_reply,
)

TURNS = (
    Turn("empleado", "¿Está usted  empadronada?"),
    Turn("usuario", "Sí,\nen casa de  mi hermana."),
    Turn("otro", "Dice que sí."),
)

text = st.text(alphabet="abc áñ.,\n ", max_size=30)
turn = st.builds(Turn, st.sampled_from(["empleado", "usuario", "otro", "S1"]), text)
evidence = st.builds(Evidence, st.integers(-2, 6), text)
finding = st.builds(
    Finding,
    st.just("q"),
    st.sampled_from(["unasked", "asked", "answered", "declined"]),
    text,
    st.lists(evidence, max_size=4).map(tuple),
    st.floats(allow_nan=False),
)


def answered(*pieces: Evidence, answer: str = "Sí") -> Finding:
    return Finding("q", "answered", answer, pieces, 0.8)


@given(text, st.data())
def test_any_part_of_a_text_is_found_however_it_is_spaced(whole: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    quote = whole[start:end]
    found = find_quote(whole, "  ".join(quote.split()))
    if quote.split():
        assert found is not None
        assert found in whole
        assert found.split() == quote.split()
    else:
        assert found is None


@given(st.lists(turn, max_size=4), finding, st.data())
def test_whatever_an_engine_says_only_the_proven_comes_out(
    turns: list[Turn], said: Finding, data: st.DataObject
) -> None:
    # Some of the quotes are true.
    whole = st.sampled_from([Evidence(i, t.text) for i, t in enumerate(turns)] or [Evidence(0, "")])
    said = replace(said, evidence=said.evidence + tuple(data.draw(st.lists(whole, max_size=2))))
    result = ground_finding(turns, said)
    for piece in result.evidence:
        assert piece.quote in turns[piece.turn].text
        assert piece.quote.strip()
    assert 0.0 <= result.confidence <= 1.0
    assert bool(result.answer) == (result.state == "answered")
    assert bool(result.evidence) == (result.state != "unasked")
    if result.state in ("answered", "declined"):
        assert any(turns[piece.turn].speaker != "empleado" for piece in result.evidence)
    if said.state == "unasked":
        assert result.state == "unasked"
    # What is grounded once stays as it is.
    assert ground_finding(turns, result) == result


@given(text, text)
def test_descriptions_keep_their_length_and_are_never_empty(title: str, summary: str) -> None:
    result = ground_description(Description(title * 9, summary * 9))
    assert 1 <= len(result.title.split()) <= TITLE_MAX_WORDS
    assert 1 <= len(result.summary.split()) <= SUMMARY_MAX_WORDS


def test_the_quote_comes_back_as_it_stands() -> None:
    result = ground_finding(TURNS, answered(Evidence(1, "Sí, en casa de mi hermana.")))
    assert result.evidence == (Evidence(1, "Sí,\nen casa de  mi hermana."),)


def test_words_of_the_interviewer_alone_prove_no_answer() -> None:
    result = ground_finding(TURNS, answered(Evidence(0, "usted empadronada")))
    assert (result.state, result.answer) == ("asked", "")
    assert result.evidence == (Evidence(0, "usted  empadronada"),)


def test_an_interpreter_may_prove_an_answer() -> None:
    assert ground_finding(TURNS, answered(Evidence(2, "Dice que sí."))).state == "answered"


def test_an_answer_without_a_true_quote_is_taken_back() -> None:
    assert ground_finding(TURNS, answered()).state == "unasked"
    assert ground_finding(TURNS, answered(Evidence(1, "No, en otra casa."))).state == "unasked"
    assert ground_finding(TURNS, answered(Evidence(9, "Sí"))).state == "unasked"


def test_a_quote_without_an_answer_is_no_answer() -> None:
    assert ground_finding(TURNS, answered(Evidence(1, "Sí"), answer=" ")).state == "unasked"


def test_quotes_are_not_doubled() -> None:
    twice = (Evidence(2, "Dice que sí."), Evidence(2, "Dice  que sí."))
    assert ground_evidence(TURNS, twice) == (Evidence(2, "Dice que sí."),)


def test_a_reply_without_proof_is_not_found() -> None:
    assert ground_reply(TURNS, Reply(True, "Sí", (Evidence(1, "No"),))) == Reply(False)
    assert ground_reply(TURNS, Reply(False, "Sí", (Evidence(1, "Sí"),))) == Reply(False)
    assert ground_reply(TURNS, Reply(True, "Sí", (Evidence(1, "Sí"),))).found
