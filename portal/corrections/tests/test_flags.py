"""Moments to review: kept, cleared by people, and not asked twice."""

from __future__ import annotations

import pytest
from django.test import Client

from conftest import Cast
from portal.conversations.models import Conversation, Speaker, Transcript, Turn
from portal.corrections import flag_queries, flags
from portal.participants.models import Consent
from portal.speech.quality import Moment

TEXT = "Vivo con Yolanda desde el doce de marzo."
NAME = Moment("name", 11.0, 11.4, 1, "Yolanda")
NUMBER = Moment("number", 12.5, 13.9, 1, "doce de marzo")
MISSED = Moment("missed", 40.0, 44.0)


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    made = Conversation.objects.create(
        participant=consent.participant,
        consent=consent,
        created_by=cast.owner,
        engine="local",
        status=Conversation.Status.READY,
        title="Padrón",
        duration=60.0,
    )
    transcript = Transcript.objects.create(
        conversation=made, engine="local", model="base", language="es", duration=60.0
    )
    speaker = Speaker.objects.create(transcript=transcript, label="S1", role="usuario")
    for position, text in enumerate(("¿Con quién vive?", TEXT, "Muy bien.")):
        start = position * 10.0
        Turn.objects.create(
            transcript=transcript,
            speaker=speaker,
            position=position,
            start=start,
            end=start + 5,
            text=text,
        )
    return made


def save(talk: Conversation, *moments: Moment) -> None:
    turns = list(talk.transcript.turns.all())
    flags.save(conversation=talk, moments=moments, turns=turns)


def waiting(talk: Conversation) -> list[str]:
    return [flag.kind for flag in talk.flags.filter(resolved_at=None)]


def test_found_again_they_are_as_many(talk: Conversation) -> None:
    save(talk, NAME, MISSED)
    save(talk, NAME, MISSED)
    name, missed = talk.flags.all()
    assert (name.kind, name.quote, name.turn.position) == ("name", "Yolanda", 1)
    assert (missed.kind, missed.turn, missed.start, missed.end) == ("missed", None, 40.0, 44.0)
    save(talk, MISSED)
    assert waiting(talk) == ["missed"]


@pytest.mark.parametrize("moment", [NAME, MISSED])
def test_what_a_person_dealt_with_is_not_asked_again(
    talk: Conversation, cast: Cast, moment: Moment
) -> None:
    save(talk, NAME, NUMBER, MISSED)
    flags.resolve(flag=talk.flags.get(kind=moment.kind), employee=cast.owner)
    save(talk, NAME, NUMBER, MISSED)
    kept = talk.flags.get(kind=moment.kind)
    assert kept.resolved_by == cast.owner
    assert len(waiting(talk)) == 2


def test_it_stays_dealt_with_in_a_new_transcript(talk: Conversation, cast: Cast) -> None:
    save(talk, NAME)
    flags.resolve(flag=talk.flags.get(), employee=cast.owner)
    talk.transcript.turns.all().delete()
    assert talk.flags.get().turn is None
    save(talk, Moment("missed", 10.5, 12.0))
    assert waiting(talk) == ["missed"]


def test_the_same_name_elsewhere_is_another_moment(talk: Conversation, cast: Cast) -> None:
    save(talk, NAME)
    flags.resolve(flag=talk.flags.get(), employee=cast.owner)
    save(talk, Moment("name", 50.0, 50.4, 2, "Yolanda"))
    assert waiting(talk) == ["name"]


def test_an_edit_clears_the_words_that_it_changed(talk: Conversation, cast: Cast) -> None:
    save(talk, NAME, NUMBER, Moment("overlap", 10.0, 10.8, 1), MISSED)
    turn = talk.transcript.turns.get(position=1)
    turn.text = "Vivo con Jolanda desde el doce de marzo."
    turn.save()
    flags.clear_for(turn=turn, employee=cast.teammate)
    assert waiting(talk) == ["number", "missed"]
    assert {flag.resolved_by for flag in talk.flags.exclude(resolved_at=None)} == {cast.teammate}


def test_the_first_who_says_so_counts(talk: Conversation, cast: Cast) -> None:
    save(talk, NAME)
    flag = talk.flags.get()
    flags.resolve(flag=flag, employee=cast.owner)
    flags.resolve(flag=flag, employee=cast.teammate)
    assert talk.flags.get().resolved_by == cast.owner
    flags.reopen(flag=flag)
    assert waiting(talk) == ["name"]


def test_what_is_not_written_leads_to_the_turn_before(talk: Conversation) -> None:
    save(talk, NAME, MISSED, Moment("missed", 0.0, 2.0))
    shown, settled = flag_queries.shown(talk)
    assert [item.position for item in shown] == [0, 1, 2]
    assert settled == []


# The pages


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


def panel(client: Client, talk: Conversation) -> str:
    response = client.get(f"/conversaciones/{talk.pk}/momentos/", headers={"HX-Request": "true"})
    return " ".join(response.content.decode().split())


def test_the_panel(client: Client, talk: Conversation) -> None:
    assert panel(client, talk) == ""
    save(talk, NAME, MISSED)
    html = panel(client, talk)
    assert "Revise estos 2 momentos" in html
    assert "Yolanda" in html
    assert 'data-play-from="10.00"' in html
    assert 'href="#turno-1"' in html
    assert "<html" not in html


def test_correct_and_back_again(client: Client, talk: Conversation, cast: Cast) -> None:
    save(talk, NAME, MISSED)
    name, missed = talk.flags.all()
    htmx = {"HX-Request": "true"}
    html = client.post(f"/momentos/{name.pk}/", headers=htmx).content.decode()
    assert "Revise este momento" in html
    assert "1 ya revisado" in html
    assert "Ana Robles" in html
    html = client.post(f"/momentos/{missed.pk}/", headers=htmx).content.decode()
    assert "Ha revisado todos" in html
    html = client.post(f"/momentos/{name.pk}/", {"de_nuevo": "1"}, headers=htmx).content.decode()
    assert waiting(talk) == ["name"]
    assert html.count("autofocus") == 1
    talk.participant.refresh_from_db()
    assert talk.participant.last_interaction_at is not None


def test_it_works_as_a_page_too(client: Client, talk: Conversation) -> None:
    address = f"/conversaciones/{talk.pk}/momentos/"
    assert "No hemos encontrado nada dudoso" in client.get(address).content.decode()
    save(talk, NAME)
    html = client.get(address).content.decode()
    assert f'href="/conversaciones/{talk.pk}/#turno-1"' in html
    assert "hx-post" not in html.split("<main")[1].split("</main>")[0]
    response = client.post(f"/momentos/{talk.flags.get().pk}/")
    assert (response.status_code, response["Location"]) == (302, address)


def test_the_card_says_how_many(client: Client, talk: Conversation, cast: Cast) -> None:
    card = f"/conversaciones/{talk.pk}/tarjeta/"
    assert "que revisar" not in client.get(card).content.decode()
    save(talk, NAME, NUMBER, MISSED)
    flags.resolve(flag=talk.flags.filter(kind="missed").get(), employee=cast.owner)
    html = client.get(card).content.decode()
    assert "2 momentos que revisar" in html
    assert f'href="/conversaciones/{talk.pk}/#momentos"' in html


def test_words_are_never_markup(client: Client, talk: Conversation) -> None:
    save(talk, Moment("name", 10.0, 11.0, 1, "<b>x</b>"))
    assert "<b>x</b>" not in panel(client, talk)


def test_nobody_else_clears_them(talk: Conversation, cast: Cast) -> None:
    save(talk, NAME)
    address = f"/momentos/{talk.flags.get().pk}/"
    assert cast.client(cast.stranger).post(address).status_code == 404
    assert waiting(talk) == ["name"]
    assert cast.client(cast.owner).get(address).status_code == 405
