"""The services that take something away, and the index in the same transaction."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from conftest import Cast
from portal.assessments import services as assessments
from portal.corrections import redaction
from portal.corrections.tests.scene import FIRST, LAST, SECRETS, Talk, folder, talk
from portal.participants.models import Participant
from portal.search.models import Entry

__all__ = ["folder", "talk"]


def entries_with(word: str) -> set[str]:
    """Kinds of which an entry has a word that begins so."""
    found = Entry.objects.extra(where=["vector::text ILIKE %s"], params=[f"%{word}%"])
    return set(found.values_list("kind", flat=True))


@pytest.mark.parametrize("secret", SECRETS)
def test_what_is_struck_out_is_in_no_entry_until_it_is_given_back(
    cast: Cast, talk: Talk, secret: str
) -> None:
    word = secret[:7]
    before = entries_with(word)
    assert before >= {"turn", "answer"}
    struck = redaction.strike(
        conversation=talk.conversation, employee=cast.owner, start=FIRST, end=LAST
    )
    assert entries_with(word) == set()
    redaction.undo(redaction=struck, employee=cast.owner)
    assert entries_with(word) == before


def test_a_new_transcript_takes_the_place_of_the_old_one(talk: Talk) -> None:
    assert entries_with("zarzap") >= {"turn"}
    talk.conversation.transcript.delete()
    assert not Entry.objects.filter(kind="turn").exists()


def test_what_is_rolled_back_was_never_filed(cast: Cast, participant: Participant) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        participant.name = "Zarzaparrilla"
        participant.save()
        assert entries_with("zarzap") == {"person"}
        raise ZeroDivisionError
    assert entries_with("zarzap") == set()


def test_an_entry_is_written_only_when_its_words_change(cast: Cast, talk: Talk) -> None:
    def state() -> list[tuple[object, ...]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, xmin::text FROM search_entry ORDER BY id")
            return list(cursor.fetchall())

    before = state()
    talk.conversation.status = "processing"
    talk.conversation.duration = 12.0
    talk.conversation.save()
    turn = talk.turns[0]
    turn.words = []
    turn.save()
    assert state() == before


def test_an_answer_written_by_hand_is_filed(cast: Cast, talk: Talk) -> None:
    assessments.edit_answer(
        answer=talk.answer("ingresos"), employee=cast.owner, value="Cobra una pensión"
    )
    assert entries_with("pension") == {"answer"}
