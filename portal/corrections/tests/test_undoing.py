"""Every change can be taken back, as long as nothing later stands on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from conftest import Cast
from portal.accounts.models import Employee, Team
from portal.assessments.tests.conftest import LINES
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Speaker, Transcript, Turn
from portal.corrections import editing, queries, voices
from portal.corrections.models import Edit
from portal.corrections.tests.test_editing import answer, answered, lines, merge, split, text
from portal.corrections.undoing import undo
from portal.participants.models import Consent, Participant

__all__ = ["answered"]


def state(conversation: Conversation) -> list[object]:
    """All of a transcript but the versions of its turns and who was the last at its voices."""
    fields = ("pk", "position", "speaker", "start", "end", "text", "words")
    speakers = conversation.transcript.speakers.order_by("pk")
    return [
        list(conversation.transcript.turns.values_list(*fields)),
        list(speakers.values_list("pk", "label", "role", "name", "edited_by")),
    ]


def back(conversation: Conversation, edit: Edit, employee: Employee) -> Edit:
    return undo(conversation=conversation, employee=employee, edit=edit.pk)


Change = Callable[[Conversation, Cast, list[Turn]], Edit]

CHANGES: dict[str, Change] = {
    "text": lambda c, cast, t: text(c, cast, t[1], "Nada de eso."),
    "away": lambda c, cast, t: text(c, cast, t[2], ""),
    "split": lambda c, cast, t: split(c, cast, t[1], 8, speaker=t[0].speaker_id),
    "merge": lambda c, cast, t: merge(c, cast, t[2], t[3]),
    "move": lambda c, cast, t: editing.move_turn(
        conversation=c, employee=cast.owner, turn=t[1].pk, seen=0, speaker=t[0].speaker_id
    ),
    "name": lambda c, cast, t: voices.update_speaker(
        conversation=c,
        employee=cast.owner,
        speaker=t[1].speaker_id,
        seen=0,
        name="Otra",
        role="otro",
    ),
    "swap": lambda c, cast, t: voices.swap_speakers(conversation=c, employee=cast.owner, seen=0),
    "add": lambda c, cast, t: voices.add_speaker(conversation=c, employee=cast.owner)[1],
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_taken_back(
    conversation: Conversation, turns: list[Turn], cast: Cast, name: str
) -> None:
    before = state(conversation)
    edit = CHANGES[name](conversation, cast, turns)
    assert state(conversation) != before
    taken = back(conversation, edit, cast.teammate)
    assert state(conversation) == before
    assert (taken.kind, taken.undoes, taken.employee) == ("undo", edit, cast.teammate)
    with pytest.raises(Refused) as refused:
        back(conversation, edit, cast.owner)
    assert refused.value.code == "undone"
    with pytest.raises(Refused):
        back(conversation, taken, cast.owner)


def test_a_page_with_an_older_version_is_not_fooled(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    edit = merge(conversation, cast, turns[2], turns[3])
    back(conversation, edit, cast.owner)
    assert list(conversation.transcript.turns.values_list("version", flat=True)) == [0, 0, 2, 1, 0]


def test_what_a_later_change_stands_on_waits_for_that(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    first = text(conversation, cast, turns[1], "Uno.")
    second = text(conversation, cast, turns[1], "Dos.", seen=1)
    elsewhere = text(conversation, cast, turns[2], "Tres.")
    with pytest.raises(Refused) as refused:
        back(conversation, first, cast.owner)
    assert refused.value.code == "changed_since"
    assert list(queries.standing(conversation.edits.all())) == [elsewhere, second, first]
    back(conversation, second, cast.owner)
    back(conversation, first, cast.owner)
    assert list(queries.standing(conversation.edits.all())) == [elsewhere]
    assert lines(conversation)[1][2] == turns[1].text


def test_a_voice_that_speaks_is_not_taken_away(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    made, added = voices.add_speaker(conversation=conversation, employee=cast.owner)
    moved = editing.move_turn(
        conversation=conversation, employee=cast.owner, turn=turns[1].pk, seen=0, speaker=made.pk
    )
    assert moved
    with pytest.raises(Refused) as refused:
        back(conversation, added, cast.owner)
    assert refused.value.code == "speaks"
    back(conversation, moved, cast.owner)
    back(conversation, added, cast.owner)
    assert not Speaker.objects.filter(pk=made.pk).exists()


def test_no_turn_goes_back_to_a_voice_that_is_gone(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    made, added = voices.add_speaker(conversation=conversation, employee=cast.owner)
    given_turn = {"conversation": conversation, "employee": cast.owner, "turn": turns[1].pk}
    editing.move_turn(**given_turn, seen=0, speaker=made.pk)
    again = editing.move_turn(**given_turn, seen=1, speaker=turns[0].speaker_id)
    assert again
    back(conversation, added, cast.owner)
    with pytest.raises(Refused) as refused:
        back(conversation, again, cast.owner)
    assert refused.value.code == "changed_since"


def test_a_turn_comes_back_to_its_place_among_those_that_begin_with_it(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    Turn.objects.filter(position__in=(1, 2, 3)).update(start=10.0)
    before = state(conversation)
    back(conversation, text(conversation, cast, turns[2], ""), cast.owner)
    assert state(conversation) == before


def test_proof_comes_back_with_its_turn(
    answered: Conversation, turns: list[Turn], cast: Cast
) -> None:
    edit = merge(answered, cast, turns[3], turns[4])
    assert answer("ingresos").evidence.get().turn_id == turns[3].pk
    back(answered, edit, cast.owner)
    split_off = split(answered, cast, turns[1], turns[1].text.index("calle"))
    back(answered, split_off, cast.owner)
    assert answer("empadronamiento").evidence.get().turn_id == turns[1].pk
    assert answer("empadronamiento").value == "Sí"


def test_only_what_hangs_on_the_conversation_is_taken_back(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    with pytest.raises(Refused):
        undo(conversation=conversation, employee=cast.owner, edit=10**9)


class AnySequence(TestCase):
    """Whatever people do to a transcript, taking it back leads to where it began."""

    conversation: Conversation
    employee: Employee

    def setUp(self) -> None:
        self.employee = Employee.objects.create_user("ana@example.org", "x", name="Ana")
        participant = Participant.objects.create(
            team=Team.objects.create(name="Centro"),
            name="Fátima",
            email="f@example.org",
            created_by=self.employee,
        )
        consent = Consent.objects.create(
            participant=participant,
            wording="¿Sí?",
            language="es",
            record=True,
            analyse=True,
            recorded_by=self.employee,
        )
        self.conversation = Conversation.objects.create(
            participant=participant, consent=consent, created_by=self.employee, engine="local"
        )
        transcript = Transcript.objects.create(
            conversation=self.conversation, engine="local", model="b", language="es", duration=50
        )
        made = {
            role: Speaker.objects.create(transcript=transcript, label=label, role=role)
            for label, role in (("S1", "empleado"), ("S2", "usuario"))
        }
        for position, (role, line) in enumerate(LINES):
            words = [
                [w, position * 10 + n / 2, position * 10 + n / 2 + 0.5, 0.9]
                for n, w in enumerate(line.split())
            ]
            Turn.objects.create(
                transcript=transcript,
                speaker=made[role],
                position=position,
                start=position * 10,
                end=position * 10 + 9,
                text=line,
                words=words,
            )

    @settings(max_examples=30, deadline=None)
    @given(st.data())
    def test_it_leads_back(self, data: st.DataObject) -> None:
        began = state(self.conversation)
        for _ in range(data.draw(st.integers(1, 8))):
            self.change(data)
            turns = list(self.conversation.transcript.turns.all())
            assert [turn.position for turn in turns] == list(range(len(turns)))
            assert all([w[0] for w in turn.words] == turn.text.split() for turn in turns)
        for edit in queries.standing(self.conversation.edits.all()):
            back(self.conversation, edit, self.employee)
        assert state(self.conversation) == began

    def change(self, data: st.DataObject) -> None:
        turns = list(self.conversation.transcript.turns.all())
        turn = data.draw(st.sampled_from(turns), label="turn")
        speaker = data.draw(
            st.sampled_from(list(self.conversation.transcript.speakers.order_by("pk")))
        )
        who: dict[str, Any] = {"conversation": self.conversation, "employee": self.employee}
        seen: dict[str, Any] = {**who, "turn": turn.pk, "seen": turn.version}
        revision = queries.revision(self.conversation)
        kind = data.draw(st.sampled_from([*CHANGES]), label="change")
        try:
            match kind:
                case "text":
                    said = data.draw(st.lists(st.sampled_from(["sí", "no", "en", "la", "Olmo"])))
                    editing.change_text(**seen, text=" ".join(said))
                case "away":
                    editing.change_text(**seen, text="")
                case "split":
                    at = data.draw(st.integers(0, len(turn.text)))
                    editing.split_turn(**seen, at=at, speaker=speaker.pk)
                case "merge" if turn != turns[-1]:
                    following = turns[turn.position + 1]
                    editing.merge_turns(
                        **seen, following=following.pk, following_seen=following.version
                    )
                case "move":
                    editing.move_turn(**seen, speaker=speaker.pk)
                case "name":
                    role = data.draw(st.sampled_from(Speaker.Role.values))
                    voices.update_speaker(
                        **who, speaker=speaker.pk, seen=revision, name="Otra", role=role
                    )
                case "swap":
                    voices.swap_speakers(**who, seen=revision)
                case "add":
                    voices.add_speaker(**who)
        except Refused as refused:
            assert refused.code in {"only_turn", "nothing_to_split"}
