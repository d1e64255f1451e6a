"""The addresses that the page's script and its dialogs ask."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from conftest import Cast
from portal.conversations.models import Conversation, ProcessingStep, Speaker, Turn
from portal.conversations.steps import StepName
from portal.corrections import queries
from portal.corrections.models import Edit

HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


def post(client: Client, turn: Turn, what: str, **fields: Any) -> HttpResponse:
    conversation = turn.transcript.conversation_id
    return client.post(
        f"/conversaciones/{conversation}/intervenciones/{turn.pk}/{what}/",
        {"version": 0, "revision": 0} | fields,
    )


def done(conversation: Conversation, **states: str) -> None:
    for position, name in enumerate(StepName):
        ProcessingStep.objects.create(
            conversation=conversation,
            name=name,
            position=position,
            state=states.get(name, "done"),
            started_at=conversation.created_at,
        )


# The script


def test_a_correction_answers_what_the_page_needs(client: Client, turns: list[Turn]) -> None:
    answer = post(client, turns[1], "texto", text="<b>Otra</b> cosa").json()
    [turn] = answer["turns"]
    assert (turn["id"], turn["after"], turn["version"]) == (turns[1].pk, turns[0].pk, 1)
    assert turn["text"] == "<b>Otra</b> cosa"
    assert "&lt;b&gt;Otra&lt;/b&gt;" in turn["html"]
    assert "<b>" not in turn["html"]
    assert f'data-turn="{turns[1].pk}"' in turn["html"]
    assert answer["touched"] == [turns[1].pk]
    assert answer["revision"] == Edit.objects.get().pk
    assert "Fátima Belkacem" in answer["legend"]
    assert "Deshacer el último cambio" in answer["bar"]
    assert answer["removed"] == []


def test_every_correction_has_its_address(client: Client, turns: list[Turn]) -> None:
    speaker = turns[0].speaker_id
    split = post(client, turns[1], "dividir", at=8, speaker=speaker).json()
    assert split["touched"] == [turn["id"] for turn in split["turns"]]
    second = Turn.objects.get(pk=split["touched"][1])
    merged = post(
        client,
        turns[1],
        "unir",
        version=1,
        following=second.pk,
        following_version=0,
        revision=split["revision"],
    ).json()
    assert merged["removed"] == [second.pk]
    assert post(client, turns[3], "voz", speaker=speaker).status_code == 200
    assert Turn.objects.get(pk=turns[3].pk).speaker_id == speaker
    assert post(client, turns[3], "deshacer", version=1).status_code == 200
    assert Turn.objects.get(pk=turns[3].pk).speaker_id == turns[3].speaker_id
    assert post(client, turns[3], "deshacer", version=2).json()["code"] == "undone"


def test_who_comes_second_gets_the_newer_text(
    client: Client, turns: list[Turn], cast: Cast
) -> None:
    post(cast.client(cast.teammate), turns[1], "texto", text="Lo de Bruno.")
    response = post(client, turns[1], "texto", text="Lo de Ana.")
    answer = response.json()
    assert (response.status_code, answer["code"], answer["turn"]) == (409, "changed", turns[1].pk)
    assert answer["message"].startswith("Bruno Salas ha cambiado")
    assert (answer["turns"][0]["text"], answer["turns"][0]["version"]) == ("Lo de Bruno.", 1)


@pytest.mark.parametrize(
    ("what", "fields", "status"),
    [
        ("texto", {"version": "x"}, 400),
        ("texto", {"revision": ""}, 400),
        ("dividir", {"at": 0, "speaker": 1}, 409),
        ("voz", {"speaker": 10**30}, 409),
        ("voz", {}, 400),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    client: Client, turns: list[Turn], what: str, fields: dict[str, object], status: int
) -> None:
    response = post(client, turns[1], what, **fields)
    assert response.status_code == status
    assert response.json()["message"].endswith((".", "."))
    assert not Edit.objects.exists()


def test_what_is_new_since_a_revision(client: Client, turns: list[Turn]) -> None:
    address = f"/conversaciones/{turns[0].transcript.conversation_id}/cambios/"
    assert client.get(address).status_code == 204
    revision = post(client, turns[1], "texto", text="Otra cosa").json()["revision"]
    assert [turn["id"] for turn in client.get(f"{address}?desde=0").json()["turns"]] == [
        turns[1].pk
    ]
    assert client.get(f"{address}?desde={revision}").status_code == 204
    assert client.get(f"{address}?desde=ayer").status_code == 200


# The dialogs


def voices_sent(conversation: Conversation, **changed: str) -> dict[str, object]:
    sent: dict[str, object] = {"seen": queries.revision(conversation)}
    for voice in Speaker.objects.all():
        sent[f"voz-{voice.pk}-name"] = changed.get(voice.label, voice.name)
        sent[f"voz-{voice.pk}-role"] = changed.get(f"{voice.label}_role", voice.role)
    return sent


def test_voices_are_named_in_a_dialog(client: Client, conversation: Conversation) -> None:
    address = f"/conversaciones/{conversation.pk}/voces/"
    assert b"3 intervenciones" in client.get(address, headers=HTMX).content
    response = client.post(address, voices_sent(conversation, S2="Fati"), headers=HTMX)
    assert response.status_code == 204
    assert "transcript-changed" in response["HX-Trigger"]
    assert Speaker.objects.get(label="S2").name == "Fati"
    assert Edit.objects.count() == 1
    plain = client.post(address, voices_sent(conversation, S2=""))
    assert plain["Location"] == f"/conversaciones/{conversation.pk}/"


def test_voices_are_exchanged_in_a_dialog(client: Client, conversation: Conversation) -> None:
    address = f"/conversaciones/{conversation.pk}/voces/"
    sent = voices_sent(conversation) | {"intercambiar": "1"}
    client.post(address, sent, headers=HTMX)
    assert dict(Speaker.objects.values_list("label", "role")) == {
        "S1": "usuario",
        "S2": "empleado",
    }
    again = client.post(address, sent, headers=HTMX)
    assert again.status_code == 422
    assert "desde otra ventana" in again.content.decode()


def test_a_voice_that_cannot_be_is_said_in_the_dialog(
    client: Client, conversation: Conversation
) -> None:
    address = f"/conversaciones/{conversation.pk}/voces/"
    sent = voices_sent(conversation, S1_role="jefe")
    assert client.post(address, sent, headers=HTMX).status_code == 422
    assert not Edit.objects.exists()


def test_a_new_voice_gets_the_turn_it_was_made_for(
    client: Client, conversation: Conversation, turns: list[Turn]
) -> None:
    address = f"/conversaciones/{conversation.pk}/voces/nueva/"
    form = client.get(f"{address}?turn={turns[1].pk}&version=0", headers=HTMX).content.decode()
    assert f'value="{turns[1].pk}"' in form
    sent = {"name": "Intérprete", "role": "otro", "turn": turns[1].pk, "version": 0}
    assert client.post(address, sent, headers=HTMX).status_code == 204
    assert Turn.objects.get(pk=turns[1].pk).speaker.name == "Intérprete"
    again = client.post(address, sent | {"name": "Otra"}, headers=HTMX)
    assert again.status_code == 422
    assert "desde otra ventana" in again.content.decode()
    assert Speaker.objects.count() == 3


def test_the_history_of_a_turn(client: Client, turns: list[Turn], cast: Cast) -> None:
    address = (
        f"/conversaciones/{turns[0].transcript.conversation_id}/intervenciones/{turns[1].pk}/"
        "historial/"
    )
    assert "Nadie ha cambiado" in client.get(address).content.decode()
    post(cast.client(cast.teammate), turns[1], "texto", text="<i>Uno</i>")
    post(client, turns[1], "texto", text="Dos", version=1)
    html = client.get(address, headers=HTMX).content.decode()
    assert html.index("Ana Robles") < html.index("Bruno Salas")
    assert "&lt;i&gt;Uno&lt;/i&gt;" in html
    assert turns[1].text in html
    # The older of the two stands under the newer one.
    assert html.count("Deshacer este cambio") == 1


def test_undoing_by_a_button(client: Client, turns: list[Turn]) -> None:
    conversation = turns[0].transcript.conversation_id
    post(client, turns[1], "texto", text="Otra cosa")
    address = f"/conversaciones/{conversation}/correcciones/{Edit.objects.get().pk}/deshacer/"
    response = client.post(address, headers=HTMX)
    assert (response.status_code, Turn.objects.get(pk=turns[1].pk).text) == (204, turns[1].text)
    again = client.post(address, headers=HTMX)
    assert "ya est" in again["HX-Trigger"]
    assert client.post(address)["Location"] == f"/conversaciones/{conversation}/"


# The analysis


def test_after_a_correction_the_page_offers_to_analyse_again(
    client: Client, conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    done(conversation)
    bar = f"/conversaciones/{conversation.pk}/correcciones/"
    assert "Volver a analizar" not in client.get(bar).content.decode()
    post(client, turns[1], "texto", text="Otra cosa")
    assert "Volver a analizar" in client.get(bar).content.decode()
    response = client.post(f"/conversaciones/{conversation.pk}/analizar/", headers=HTMX)
    assert "otra vez" in response.content.decode()
    assert "activity" in response["HX-Trigger"]
    assert {step.name for step in conversation.steps.filter(state="waiting")} == {
        "describe",
        "assess",
        "notify",
    }
    assert "?en-marcha" in client.get(bar).content.decode()
    again = client.post(f"/conversaciones/{conversation.pk}/analizar/", headers=HTMX)
    assert "toast" in again["HX-Trigger"]
    conversation.steps.update(state="done")
    conversation.steps.update(started_at=Edit.objects.get().made_at)
    finished = client.get(f"{bar}?en-marcha").content.decode()
    assert "Analizada con las correcciones" in finished
    assert 'hx-swap-oob="true"' in finished


def test_the_page_brings_its_tools(client: Client, conversation: Conversation) -> None:
    html = client.get(f"/conversaciones/{conversation.pk}/").content.decode()
    assert "<portal-editing" in html
    assert 'data-revision="0"' in html
