"""Names and roles of voices, the two exchanged, and more of them."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import Cast
from portal.conversations import results
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Speaker, Turn
from portal.corrections import queries, voices
from portal.corrections.errors import Changed
from portal.corrections.models import Edit
from portal.corrections.tests.test_editing import answer, answered

__all__ = ["answered"]


def voice(label: str) -> Speaker:
    return Speaker.objects.get(label=label)


def update(conversation: Conversation, cast: Cast, label: str = "S2", **fields: Any) -> Any:
    given = {"name": "", "role": "usuario", "seen": 0, "employee": cast.owner}
    return voices.update_speaker(
        conversation=conversation, speaker=voice(label).pk, **(given | fields)
    )


def test_a_voice_is_named(conversation: Conversation, cast: Cast) -> None:
    edit = update(conversation, cast, name=" Fati  ")
    assert (voice("S2").name, voice("S2").edited_by) == ("Fati", cast.owner)
    assert edit.kind == "speaker"
    assert update(conversation, cast, name="Fati", seen=edit.pk) is None


@pytest.mark.parametrize("fields", [{"role": "jefe"}, {"name": "x" * 121}])
def test_what_no_voice_can_be_is_refused(
    conversation: Conversation, cast: Cast, fields: dict[str, str]
) -> None:
    with pytest.raises(Refused) as refused:
        update(conversation, cast, **fields)
    assert refused.value.status == 422


def test_the_second_to_name_a_voice_is_told(conversation: Conversation, cast: Cast) -> None:
    update(conversation, cast, name="Lo de Bruno", employee=cast.teammate)
    with pytest.raises(Changed) as changed:
        update(conversation, cast, name="Lo de Ana")
    assert changed.value.by == "Bruno Salas"
    assert voice("S2").name == "Lo de Bruno"
    update(conversation, cast, "S1", name="Otra", role="empleado")
    update(conversation, cast, name="Lo de Ana", seen=queries.revision(conversation))
    assert voice("S2").name == "Lo de Ana"


def test_the_two_voices_are_exchanged(answered: Conversation, cast: Cast) -> None:
    update(answered, cast, name="Fati")
    seen = queries.revision(answered)
    voices.swap_speakers(conversation=answered, employee=cast.owner, seen=seen)
    assert [(v.label, v.role, v.name) for v in Speaker.objects.order_by("label")] == [
        ("S1", "usuario", "Fati"),
        ("S2", "empleado", ""),
    ]
    # What the interviewer said answers nothing; it shows that it was asked about.
    assert (answer("empadronamiento").state, answer("ingresos").state) == ("asked", "asked")
    with pytest.raises(Changed):
        voices.swap_speakers(conversation=answered, employee=cast.teammate, seen=seen)


def test_of_several_voices_the_main_ones_are_exchanged(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    Speaker.objects.create(transcript=conversation.transcript, label="S0", role="empleado")
    voices.swap_speakers(conversation=conversation, employee=cast.owner, seen=0)
    roles = dict(Speaker.objects.values_list("label", "role"))
    assert roles == {"S0": "empleado", "S1": "usuario", "S2": "empleado"}


def test_where_a_role_has_no_voice_the_two_that_speak_most_are_exchanged(
    conversation: Conversation, cast: Cast
) -> None:
    Speaker.objects.filter(label="S2").update(role="otro")
    voices.swap_speakers(conversation=conversation, employee=cast.owner, seen=0)
    assert dict(Speaker.objects.values_list("label", "role")) == {"S1": "otro", "S2": "empleado"}


def test_one_voice_is_exchanged_with_none(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    Turn.objects.update(speaker=voice("S1"))
    voice("S2").delete()
    with pytest.raises(Refused) as refused:
        voices.swap_speakers(conversation=conversation, employee=cast.owner, seen=0)
    assert refused.value.code == "one_voice"


def test_a_voice_is_added(conversation: Conversation, cast: Cast) -> None:
    made, edit = voices.add_speaker(
        conversation=conversation, employee=cast.owner, name="Intérprete"
    )
    assert (made.label, made.role, made.name) == ("S3", "otro", "Intérprete")
    assert edit.before == {"turns": [], "speakers": []}
    assert edit.after["speakers"][0]["id"] == made.pk


def test_machines_leave_alone_what_people_said_of_a_voice(
    conversation: Conversation, cast: Cast
) -> None:
    update(conversation, cast, role="otro")
    results.save_roles(conversation=conversation, roles={"S1": "otro", "S2": "empleado"})
    assert dict(Speaker.objects.values_list("label", "role")) == {"S1": "otro", "S2": "otro"}
    assert Edit.objects.count() == 1
