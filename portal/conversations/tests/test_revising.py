"""A title by hand, and a second look at a transcript."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from conftest import Cast
from portal.conversations import results, revising
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, ProcessingStep
from portal.conversations.steps import StepName
from portal.participants.models import Consent


@pytest.fixture
def conversation(consent: Consent, cast: Cast) -> Conversation:
    made = Conversation.objects.create(
        participant=consent.participant,
        consent=consent,
        created_by=cast.owner,
        engine="local",
        status=Conversation.Status.READY,
        title="De la máquina",
        description="También.",
    )
    for position, name in enumerate(StepName):
        ProcessingStep.objects.create(
            conversation=made, name=name, position=position, state="done", attempts=1
        )
    return made


def call(conversation: Conversation, cast: Cast, title: str, description: str = "") -> Conversation:
    return revising.edit_description(
        conversation=conversation, employee=cast.teammate, title=title, description=description
    )


def test_a_title_by_hand_is_no_machine_s_any_more(conversation: Conversation, cast: Cast) -> None:
    call(conversation, cast, " Padrón \n y  dinero\x00", "Una frase.")
    results.save_description(conversation=conversation, title="Otro", description="Otra.")
    kept = Conversation.objects.get()
    assert (kept.title, kept.description) == ("Padrón y dinero", "Una frase.")
    assert kept.titled_by == cast.teammate
    assert conversation.title == "Padrón y dinero"


def test_until_then_machines_write_it(conversation: Conversation) -> None:
    results.save_description(conversation=conversation, title="x" * 200, description="Otra.")
    assert (conversation.title, conversation.description) == ("x" * 120, "Otra.")


def test_a_title_has_its_length(conversation: Conversation, cast: Cast) -> None:
    with pytest.raises(ValidationError):
        call(conversation, cast, "x" * 121)
    assert Conversation.objects.get().title == "De la máquina"


def test_only_the_analysis_is_done_again(conversation: Conversation, cast: Cast) -> None:
    again = revising.analyse_again(conversation=conversation, employee=cast.owner)
    assert again.status == "processing"
    states = dict(conversation.steps.values_list("name", "state"))
    assert {name for name, state in states.items() if state == "waiting"} == {
        "describe",
        "assess",
        "notify",
    }
    with pytest.raises(Refused) as refused:
        revising.analyse_again(conversation=conversation, employee=cast.owner)
    assert refused.value.code == "running"


def test_what_is_not_transcribed_is_not_analysed(conversation: Conversation, cast: Cast) -> None:
    conversation.steps.filter(name="transcribe").update(state="failed")
    with pytest.raises(Refused) as refused:
        revising.analyse_again(conversation=conversation, employee=cast.owner)
    assert refused.value.code == "not_transcribed"


def test_without_consent_nothing_is_written(conversation: Conversation, cast: Cast) -> None:
    conversation.consent.withdrawn_at = timezone.now()
    conversation.consent.save()
    with pytest.raises(Refused):
        revising.analyse_again(conversation=conversation, employee=cast.owner)
    with pytest.raises(Refused):
        call(conversation, cast, "Otro")


# The dialog


def address(conversation: Conversation) -> str:
    return f"/conversaciones/{conversation.pk}/titulo/"


def test_the_dialog_puts_it_in_its_place(conversation: Conversation, cast: Cast) -> None:
    client = cast.client(cast.owner)
    form = client.get(address(conversation), headers={"HX-Request": "true"}).content.decode()
    assert 'value="De la máquina|También."' in form
    sent = {"title": "<b>Padrón</b>", "description": "Sí.", "seen": "De la máquina|También."}
    response = client.post(address(conversation), sent, headers={"HX-Request": "true"})
    assert response["HX-Trigger"] == '{"dialog-close": {}}'
    assert "&lt;b&gt;Padrón&lt;/b&gt;" in response.content.decode()
    plain = client.post(address(conversation), sent | {"seen": "otra cosa"})
    assert plain["Location"] == f"/conversaciones/{conversation.pk}/"


def test_who_saves_second_is_told_once(conversation: Conversation, cast: Cast) -> None:
    call(conversation, cast, "Lo de Bruno", "Su frase.")
    client = cast.client(cast.owner)
    sent = {"title": "Lo de Ana", "description": "", "seen": "De la máquina|También."}
    told = client.post(address(conversation), sent)
    assert told.status_code == 422
    assert "Bruno Salas guardó: «Lo de Bruno». Su frase." in told.content.decode()
    assert Conversation.objects.get().title == "Lo de Bruno"
    client.post(address(conversation), sent | {"seen": "Lo de Bruno|Su frase."})
    assert Conversation.objects.get().title == "Lo de Ana"
