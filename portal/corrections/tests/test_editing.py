"""What people change of a transcript, what is refused, and what follows the words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from conftest import Cast
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import services as assessments
from portal.assessments.models import Answer
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, ProcessingStep, Turn
from portal.corrections import editing, queries
from portal.corrections.errors import Changed
from portal.corrections.models import Edit, Flag

PADRON = Finding("empadronamiento", "answered", "Sí", (Evidence(1, "calle Olmo"),), 0.8)
DECLINED = Finding("ingresos", "declined", evidence=(Evidence(3, "prefiero no hablar"),))


@pytest.fixture
def answered(conversation: Conversation, turns: list[Turn]) -> Conversation:
    assessments.record_findings(
        conversation=conversation,
        findings=[PADRON, DECLINED],
        turns=turns,
        engine="extractive",
        model="1",
    )
    return conversation


def answer(slug: str) -> Answer:
    return Answer.objects.get(question__slug=slug)


def text(conversation: Conversation, cast: Cast, turn: Turn, said: str, seen: int = 0) -> Any:
    return editing.change_text(
        conversation=conversation, employee=cast.owner, turn=turn.pk, seen=seen, text=said
    )


def split(conversation: Conversation, cast: Cast, turn: Turn, at: int, **more: Any) -> Edit:
    return editing.split_turn(
        conversation=conversation, employee=cast.owner, turn=turn.pk, seen=0, at=at, **more
    )


def merge(conversation: Conversation, cast: Cast, first: Turn, second: Turn) -> Edit:
    return editing.merge_turns(
        conversation=conversation,
        employee=cast.owner,
        turn=first.pk,
        seen=0,
        following=second.pk,
        following_seen=0,
    )


def lines(conversation: Conversation) -> list[tuple[int, str, str]]:
    turns = conversation.transcript.turns.select_related("speaker")
    return [(turn.position, turn.speaker.label, turn.text) for turn in turns]


# The text


def test_a_text_is_corrected_and_remembered(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    before = conversation.participant.last_interaction_at
    edit = text(conversation, cast, turns[1], " Sí, en la calle  Álamo, desde marzo.\n")
    turn = Turn.objects.get(pk=turns[1].pk)
    assert (turn.text, turn.version) == ("Sí, en la calle Álamo, desde marzo.", 1)
    assert turn.words[4] == ["Álamo,", 12.0, 12.5, 1.0]
    assert [word[1:] for word in turn.words[:4]] == [word[1:] for word in turns[1].words[:4]]
    assert (edit.kind, edit.employee) == ("text", cast.owner)
    assert edit.before["turns"][0]["text"] == turns[1].text
    assert edit.after["turns"][0]["text"] == turn.text
    conversation.participant.refresh_from_db()
    assert conversation.participant.last_interaction_at > before


def test_the_same_text_is_no_change(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    assert text(conversation, cast, turns[1], f" {turns[1].text} ") is None
    assert not Edit.objects.exists()


def test_a_text_that_is_sent_again_is_no_conflict(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    text(conversation, cast, turns[1], "Otra cosa")
    assert text(conversation, cast, turns[1], "Otra cosa") is None
    assert Edit.objects.count() == 1


def test_a_turn_without_text_goes_but_not_the_only_one(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    text(conversation, cast, turns[2], "  ")
    assert [position for position, *_ in lines(conversation)] == [0, 1, 2, 3]
    assert not Turn.objects.filter(pk=turns[2].pk).exists()
    Turn.objects.exclude(pk=turns[0].pk).delete()
    with pytest.raises(Refused) as refused:
        text(conversation, cast, turns[0], "")
    assert refused.value.code == "only_turn"


def test_a_text_has_its_limits(conversation: Conversation, turns: list[Turn], cast: Cast) -> None:
    with pytest.raises(Refused) as refused:
        text(conversation, cast, turns[1], "no " * editing.MAX_LENGTH)
    assert (refused.value.code, refused.value.status) == ("too_long", 422)


# Where turns end


def test_a_turn_is_split_and_the_rest_given_to_somebody_else(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    at = turns[1].text.index("desde")
    split(conversation, cast, turns[1], at, speaker=turns[0].speaker_id)
    assert lines(conversation)[1:4] == [
        (1, "S2", "Sí, en la calle Olmo,"),
        (2, "S1", "desde marzo."),
        (3, "S1", "¿Y entra algún dinero en casa?"),
    ]
    first, second = conversation.transcript.turns.all()[1:3]
    assert (first.start, first.end, second.start, second.end) == (10.0, 12.5, 12.5, 19.0)
    assert first.pk == turns[1].pk


def test_there_is_nothing_to_split_at_the_edges(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    with pytest.raises(Refused) as refused:
        split(conversation, cast, turns[1], 0)
    assert (refused.value.code, refused.value.status) == ("nothing_to_split", 422)


def test_neighbours_are_joined_whoever_speaks(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    merge(conversation, cast, turns[1], turns[2])
    assert lines(conversation)[1] == (1, "S2", f"{turns[1].text} {turns[2].text}")
    assert [position for position, *_ in lines(conversation)] == [0, 1, 2, 3]
    joined = conversation.transcript.turns.get(position=1)
    assert (joined.start, joined.end, len(joined.words)) == (10.0, 29.0, 13)


def test_only_neighbours_are_joined(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    text(conversation, cast, turns[1], "Sí.")
    with pytest.raises(Changed):
        editing.merge_turns(
            conversation=conversation,
            employee=cast.teammate,
            turn=turns[1].pk,
            seen=1,
            following=turns[3].pk,
            following_seen=0,
        )


def test_a_turn_is_given_to_another_speaker(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    def move(turn: Turn, seen: int, speaker: int) -> Edit | None:
        return editing.move_turn(
            conversation=conversation,
            employee=cast.owner,
            turn=turn.pk,
            seen=seen,
            speaker=speaker,
        )

    assert move(turns[1], 0, turns[0].speaker_id) is not None
    assert lines(conversation)[1][1] == "S1"
    assert move(turns[1], 1, turns[0].speaker_id) is None
    with pytest.raises(Refused) as refused:
        move(turns[1], 1, 10**9)
    assert refused.value.code == "no_speaker"


# Two people at once


def test_the_second_is_told_and_nothing_is_overwritten(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    editing.change_text(
        conversation=conversation,
        employee=cast.teammate,
        turn=turns[1].pk,
        seen=0,
        text="Lo de Bruno.",
    )
    with pytest.raises(Changed) as changed:
        text(conversation, cast, turns[1], "Lo de Ana.")
    assert (changed.value.status, changed.value.by) == (409, "Bruno Salas")
    assert changed.value.public_message.startswith("Bruno Salas ha cambiado")
    assert changed.value.turn == turns[1].pk
    assert lines(conversation)[1][2] == "Lo de Bruno."
    text(conversation, cast, turns[1], "Lo de Ana.", seen=1)
    assert lines(conversation)[1][2] == "Lo de Ana."


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_one_gets_through(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    together = Barrier(4)

    def attempt(number: int) -> str:
        together.wait()
        try:
            text(conversation, cast, turns[1], f"Texto {number}.")
        except Changed as changed:
            return changed.code
        finally:
            connection.close()
        return "saved"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, range(4)))
    assert outcomes == ["changed", "changed", "changed", "saved"]
    assert Edit.objects.count() == 1
    assert Turn.objects.get(pk=turns[1].pk).version == 1


def test_of_a_turn_that_was_joined_to_another_one_is_told_where_it_is(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    merge(conversation, cast, turns[1], turns[2])
    with pytest.raises(Changed) as changed:
        text(conversation, cast, turns[2], "¿Entra dinero?")
    assert changed.value.turn == turns[1].pk
    assert "desde otra ventana" in changed.value.public_message


def test_of_a_turn_nobody_knows_there_is_nothing_to_tell(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    gone = Turn(pk=10**9)
    with pytest.raises(Refused) as refused:
        text(conversation, cast, gone, "x")
    assert (refused.value.code, refused.value.status) == ("gone", 410)


def test_a_turn_may_have_changed_without_a_correction(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    Turn.objects.filter(pk=turns[1].pk).update(version=7)
    with pytest.raises(Changed) as changed:
        text(conversation, cast, turns[1], "Otra cosa")
    assert (changed.value.by, changed.value.turn) == ("", turns[1].pk)
    told = queries.changes_since(conversation, 0, also=turns[1].pk)
    assert [turn.version for turn in told.turns] == [7]


# What may not be changed


def test_without_consent_nothing_is_changed(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    conversation.consent.withdrawn_at = timezone.now()
    conversation.consent.save()
    with pytest.raises(Refused) as refused:
        text(conversation, cast, turns[1], "Otra cosa")
    assert refused.value.code == "consent_withdrawn"


@pytest.mark.parametrize(
    ("step", "state", "allowed"),
    [
        ("transcribe", "running", False),
        ("attribute", "waiting", False),
        ("transcribe", "failed", True),
        ("assess", "running", True),
    ],
)
def test_a_transcript_that_is_still_being_made_is_left_alone(
    conversation: Conversation, turns: list[Turn], cast: Cast, step: str, state: str, allowed: bool
) -> None:
    ProcessingStep.objects.create(conversation=conversation, name=step, position=1, state=state)
    if allowed:
        text(conversation, cast, turns[1], "Otra cosa")
        return
    with pytest.raises(Refused) as refused:
        text(conversation, cast, turns[1], "Otra cosa")
    assert refused.value.code == "transcribing"


def test_there_may_be_no_transcript(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    conversation.transcript.delete()
    with pytest.raises(Refused) as refused:
        text(conversation, cast, turns[1], "Otra cosa")
    assert refused.value.code == "no_transcript"


# What rests on the words


def test_proof_is_spelled_as_it_is_corrected(
    answered: Conversation, turns: list[Turn], cast: Cast
) -> None:
    text(answered, cast, turns[1], "Bueno, sí: en la Calle Olmo. Desde marzo.")
    proof = answer("empadronamiento").evidence.get()
    assert (proof.quote, proof.turn_id) == ("Calle Olmo.", turns[1].pk)
    assert (proof.start, proof.end) == (11.5, 12.5)


@pytest.mark.parametrize("said", ["Sí, en la calle Álamo, desde marzo.", "Sí, desde marzo.", ""])
def test_an_answer_whose_words_a_person_changed_is_taken_back(
    answered: Conversation, turns: list[Turn], cast: Cast, said: str
) -> None:
    text(answered, cast, turns[1], said)
    assert (answer("empadronamiento").state, answer("empadronamiento").value) == ("unasked", "")
    assert answer("ingresos").state == "declined"
    answered.participant.sheet.refresh_from_db()
    assert answered.participant.sheet.answered == 0


def test_what_a_person_answered_stays(
    answered: Conversation, turns: list[Turn], cast: Cast
) -> None:
    assessments.edit_answer(answer=answer("empadronamiento"), employee=cast.owner, value="En Olmo")
    text(answered, cast, turns[1], "Otra cosa.")
    assert answer("empadronamiento").value == "En Olmo"


def test_proof_goes_with_its_words(answered: Conversation, turns: list[Turn], cast: Cast) -> None:
    split(answered, cast, turns[1], turns[1].text.index("calle"))
    proof = answer("empadronamiento").evidence.get()
    assert proof.turn == answered.transcript.turns.get(position=2)
    assert (proof.quote, proof.start) == ("calle Olmo", 11.5)
    first, second = answered.transcript.turns.all()[1:3]
    editing.merge_turns(
        conversation=answered,
        employee=cast.owner,
        turn=first.pk,
        seen=1,
        following=second.pk,
        following_seen=0,
    )
    assert answer("empadronamiento").evidence.get().turn_id == turns[1].pk


def test_a_proof_that_is_cut_in_two_proves_nothing(
    answered: Conversation, turns: list[Turn], cast: Cast
) -> None:
    split(answered, cast, turns[1], turns[1].text.index("Olmo"), speaker=turns[0].speaker_id)
    assert answer("empadronamiento").state == "unasked"


def test_what_the_interviewer_turns_out_to_have_said_answers_nothing(
    answered: Conversation, turns: list[Turn], cast: Cast
) -> None:
    editing.move_turn(
        conversation=answered,
        employee=cast.owner,
        turn=turns[1].pk,
        seen=0,
        speaker=turns[0].speaker_id,
    )
    assert (answer("empadronamiento").state, answer("empadronamiento").value) == ("asked", "")


def test_findings_of_what_was_changed_meanwhile_do_not_count(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    """An engine reads for seconds; a person corrects, joins and removes in the meantime."""
    text(conversation, cast, turns[1], "Sí, en la calle Álamo, desde marzo.")
    text(conversation, cast, turns[3], "")
    assessments.record_findings(
        conversation=conversation,
        findings=[PADRON, DECLINED],
        turns=turns,
        engine="extractive",
        model="1",
    )
    assert [answer(slug).state for slug in ("empadronamiento", "ingresos")] == ["unasked"] * 2


def test_moments_to_review_go_with_the_seconds_they_are_of(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    moment = Flag.objects.create(
        conversation=conversation, turn=turns[1], kind="name", start=12.0, end=12.5
    )
    split(conversation, cast, turns[1], turns[1].text.index("calle"))
    first, second = conversation.transcript.turns.all()[1:3]
    moment.refresh_from_db()
    assert moment.turn == second
    editing.merge_turns(
        conversation=conversation,
        employee=cast.owner,
        turn=first.pk,
        seen=1,
        following=second.pk,
        following_seen=0,
    )
    moment.refresh_from_db()
    assert moment.turn == first


# What a page is told


def test_a_page_is_brought_up_to_date(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    assert queries.revision(conversation) == 0
    split(conversation, cast, turns[1], turns[1].text.index("desde"))
    new = conversation.transcript.turns.get(position=2)
    seen = queries.revision(conversation)
    changes = queries.changes_since(conversation, 0)
    assert [turn.pk for turn in changes.turns] == [turns[1].pk, new.pk]
    assert changes.before == (turns[0].pk, turns[1].pk)
    assert (changes.removed, changes.revision) == ((), seen)
    merge_again = {"turn": turns[1].pk, "seen": 1, "following": new.pk, "following_seen": 0}
    editing.merge_turns(conversation=conversation, employee=cast.owner, **merge_again)
    for since in (0, seen):
        changes = queries.changes_since(conversation, since)
        assert [turn.pk for turn in changes.turns] == [turns[1].pk]
        assert changes.removed == (new.pk,)
    assert queries.changes_since(conversation, changes.revision).turns == ()
