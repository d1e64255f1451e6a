"""What rests on a transcript when a better one takes its place, or its voices change roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from conftest import Cast
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import proofs, quotes, services
from portal.assessments.models import Answer, Sheet
from portal.assessments.tests.conftest import LINES
from portal.conversations import results
from portal.conversations.models import Conversation, Transcript, Turn
from portal.speech.engines import base as speech

PADRON = Finding("empadronamiento", "answered", "Sí", (Evidence(1, "calle Olmo"),), 0.8)
DECLINED = Finding("ingresos", "declined", evidence=(Evidence(3, "prefiero no hablar"),))
ASKED = Finding("estado_salud", "asked", evidence=(Evidence(4, "¿Qué tal de salud?"),))


def record(conversation: Conversation, turns: list[Turn], *findings: Finding) -> Sheet:
    return services.record_findings(
        conversation=conversation, findings=findings, turns=turns, engine="extractive", model="1"
    )


def answer(slug: str) -> Answer:
    return Answer.objects.get(question__slug=slug)


def heard(*lines: tuple[str, float, str]) -> speech.Transcript:
    """Label, start and text of each turn; half a second a word."""
    turns = []
    for label, start, text in lines:
        words = tuple(
            speech.Word(word, start + n / 2, start + n / 2 + 0.5, 0.9)
            for n, word in enumerate(text.split())
        )
        turns.append(speech.Turn(label, start, words[-1].end, text, words))
    return speech.Transcript(tuple(turns), "es", 50.0, "local", "large")


def again(shift: float = 0.3, **other: str) -> speech.Transcript:
    """The same conversation a little later by the clock; ``other``: another text of a line."""
    labels = {"empleado": "S1", "usuario": "S2"}
    return heard(
        *(
            (labels[role], position * 10.0 + shift, other.get(f"line{position}", text))
            for position, (role, text) in enumerate(LINES)
        )
    )


def replace(conversation: Conversation, transcript: speech.Transcript) -> Transcript:
    return proofs.replace_transcript(conversation=conversation, transcript=transcript)


# A second look at the same conversation


def test_a_later_answer_of_the_same_conversation_replaces_the_first(
    conversation: Conversation, turns: list[Turn]
) -> None:
    record(conversation, turns, PADRON)
    better = Finding("empadronamiento", "answered", "En Olmo", (Evidence(1, "desde marzo"),), 0.9)
    record(conversation, turns, better)
    found = answer("empadronamiento")
    assert (found.value, found.evidence.get().quote) == ("En Olmo", "desde marzo")
    record(conversation, turns, Finding("empadronamiento", "declined", "", (Evidence(1, "Sí"),)))
    assert answer("empadronamiento").state == "declined"


@pytest.mark.parametrize("state", ["asked", "unasked"])
def test_a_second_look_that_finds_less_changes_nothing(
    conversation: Conversation, turns: list[Turn], state: Any
) -> None:
    record(conversation, turns, PADRON)
    record(conversation, turns, Finding("empadronamiento", state, "", (Evidence(0, "¿Está"),)))
    assert answer("empadronamiento").value == "Sí"


def test_another_conversation_replaces_nothing(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    record(conversation, turns, PADRON)
    other = Conversation.objects.create(
        participant=conversation.participant,
        consent=conversation.consent,
        created_by=cast.owner,
        engine="local",
    )
    results.save_transcript(conversation=other, transcript=again())
    later = Finding("empadronamiento", "answered", "No", (Evidence(1, "calle Olmo"),), 0.9)
    record(other, list(other.transcript.turns.all()), later)
    assert answer("empadronamiento").value == "Sí"


# Another transcript


def test_proof_moves_to_the_same_words_of_the_new_transcript(
    conversation: Conversation, turns: list[Turn]
) -> None:
    record(conversation, turns, PADRON, DECLINED, ASKED)
    kept = replace(conversation, again())
    assert conversation.transcript == kept
    assert Transcript.objects.get().model == "large"
    proof = answer("empadronamiento").evidence.get()
    assert (proof.quote, proof.turn.position) == ("calle Olmo", 1)
    assert (proof.start, proof.end) == pytest.approx((11.8, 12.8))
    assert answer("ingresos").evidence.get().quote == "prefiero no hablar"
    assert answer("estado_salud").evidence.get().turn.position == 4


def test_other_words_at_the_same_seconds_take_their_place(
    conversation: Conversation, turns: list[Turn]
) -> None:
    record(conversation, turns, PADRON)
    replace(conversation, again(0.1, line1="Sí, en la calle holmo, desde marzo."))
    found = answer("empadronamiento")
    assert (found.value, found.state) == ("Sí", "answered")
    assert found.evidence.get().quote == "calle holmo,"


def test_where_nothing_is_said_any_more_the_question_is_open_again(
    conversation: Conversation, turns: list[Turn]
) -> None:
    sheet = record(conversation, turns, PADRON, DECLINED)
    assert sheet.answered == 1
    replace(conversation, heard(("S2", 30.0, "De eso prefiero no hablar.")))
    lost = answer("empadronamiento")
    assert (lost.state, lost.value, lost.origin, lost.conversation) == ("unasked", "", "", None)
    assert answer("ingresos").state == "declined"
    sheet.refresh_from_db()
    assert sheet.answered == 0


def test_what_a_person_wrote_stays_without_proof(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    record(conversation, turns, PADRON)
    services.edit_answer(answer=answer("empadronamiento"), employee=cast.owner, value="En Lugo")
    replace(conversation, heard(("S2", 0.0, "Hola.")))
    assert answer("empadronamiento").value == "En Lugo"
    assert not answer("empadronamiento").evidence.exists()


def test_a_conversation_without_ficha_or_transcript_just_gets_one(
    conversation: Conversation,
) -> None:
    Transcript.objects.all().delete()
    assert replace(conversation, again()).turns.count() == len(LINES)
    assert not Sheet.objects.exists()


# Other roles


def roles(conversation: Conversation, **given: str) -> None:
    results.save_roles(conversation=conversation, roles=given)
    proofs.prove_again(conversation=conversation)


def test_roles_that_agree_change_nothing(conversation: Conversation, turns: list[Turn]) -> None:
    record(conversation, turns, PADRON, DECLINED, ASKED)
    replace(conversation, again())
    roles(conversation, S1="empleado", S2="usuario")
    assert [answer(q).state for q in ("empadronamiento", "ingresos", "estado_salud")] == [
        "answered",
        "declined",
        "asked",
    ]


def test_what_turns_out_to_be_the_interviewers_words_proves_no_answer(
    conversation: Conversation, turns: list[Turn]
) -> None:
    sheet = record(conversation, turns, PADRON)
    replace(conversation, again())
    roles(conversation, S1="usuario", S2="empleado")
    found = answer("empadronamiento")
    assert (found.state, found.value, found.origin) == ("asked", "", "machine")
    assert found.evidence.get().quote == "calle Olmo"
    sheet.refresh_from_db()
    assert sheet.answered == 0


# Ticked by hand


def test_a_hand_tick_marks_what_is_unasked_and_a_machine_may_fill_it(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    services.mark_asked(
        conversation=conversation, question="empadronamiento", employee=cast.teammate
    )
    marked = answer("empadronamiento")
    assert (marked.state, marked.origin, marked.edited_by) == ("asked", "", cast.teammate)
    record(conversation, turns, PADRON)
    filled = answer("empadronamiento")
    assert (filled.value, filled.origin, filled.edited_by) == ("Sí", "machine", None)
    services.mark_asked(conversation=conversation, question="empadronamiento", employee=cast.owner)
    assert answer("empadronamiento").value == "Sí"


def test_a_hand_tick_does_not_move_what_a_person_decided_in_the_ficha(
    conversation: Conversation, sheet: Sheet, cast: Cast
) -> None:
    services.edit_answer(answer=answer("ingresos"), employee=cast.owner, value="")
    services.mark_asked(conversation=conversation, question="ingresos", employee=cast.owner)
    assert answer("ingresos").state == "unasked"


# Where words are


@dataclass
class Said:
    start: float
    end: float
    text: str
    words: list[Any] = field(default_factory=list)


def said(start: float, text: str) -> Said:
    words = [[w, start + n / 2, start + n / 2 + 0.5, 0.9] for n, w in enumerate(text.split())]
    return Said(start, words[-1][2], text, words)


def test_of_words_said_twice_the_nearest_count() -> None:
    turns = [said(0.0, "sí vale y ahora sí"), said(4.0, "sí")]
    assert quotes.find_again("sí", 2.1, 2.5, turns) == quotes.Place(0, "sí", 2.0, 2.5)
    assert quotes.find_again("sí", 3.9, 4.3, turns) == quotes.Place(1, "sí", 4.0, 4.5)


def test_a_quote_is_not_found_inside_another_word() -> None:
    assert quotes.find_again("no", 0.0, 0.5, [said(0.0, "noche cerrada")]) == quotes.Place(
        0, "noche", 0.0, 0.5
    )


def test_a_stretch_over_two_turns_is_quoted_from_the_one_with_more_of_it() -> None:
    turns = [said(0.0, "a b"), said(1.0, "c d e")]
    assert quotes.find_again("x", 0.5, 2.5, turns) == quotes.Place(1, "c d e", 1.0, 2.5)


def test_a_turn_without_words_stands_whole_or_not_at_all() -> None:
    turns = [Said(0.0, 4.0, "Texto corregido a mano")]
    assert quotes.find_again("x", 1.0, 3.0, turns) == quotes.Place(
        0, "Texto corregido a mano", 0.0, 4.0
    )
    assert quotes.find_again("x", 3.5, 4.0, turns) is None


def test_far_away_is_not_the_same_place() -> None:
    assert quotes.find_again("calle Olmo", 0.0, 1.0, [said(60.0, "calle Olmo")]) is None
