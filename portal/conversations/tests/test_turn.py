"""A turn as it is drawn: every word with its second, nothing lost, nothing taken for markup."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from conftest import Cast
from portal.conversations import turn_view
from portal.conversations.models import Conversation, Speaker, Transcript, Turn
from portal.conversations.templatetags.conversations import spoken_words
from portal.participants.models import Consent

SPAN = re.compile(r'<span data-w="(\d+\.\d\d)">([^<]*)</span>')


def words_of(text: str, start: float = 0.0) -> list[list[object]]:
    return [[word, start + n / 2, start + n / 2 + 0.4, 0.9] for n, word in enumerate(text.split())]


def test_each_word_has_its_second() -> None:
    turn = Turn(text="Sí, en Olmo.", words=words_of("Sí, en Olmo.", 61.25))
    assert spoken_words(turn) == (
        '<span data-w="61.25">Sí,</span> <span data-w="61.75">en</span> '
        '<span data-w="62.25">Olmo.</span>'
    )


def test_words_without_a_time_stay_words() -> None:
    turn = Turn(text="Sí, en la calle Olmo.", words=words_of("Sí, calle"))
    assert spoken_words(turn) == (
        '<span data-w="0.00">Sí,</span> en la <span data-w="0.50">calle</span> Olmo.'
    )
    assert spoken_words(Turn(text="Hola & adiós", words=[])) == "Hola &amp; adiós"


TEXT = st.text(st.sampled_from("ab<>&\"' ñ█"), max_size=40)


@given(TEXT, TEXT)
def test_nothing_is_lost_and_nothing_is_markup(text: str, other: str) -> None:
    for words in (words_of(text), words_of(other)):
        html = spoken_words(Turn(text=text, words=words))
        plain = SPAN.sub(r"\2", html)
        assert "<" not in plain
        assert unescape(plain) == text


@pytest.fixture
def talk(consent: Consent, cast: Cast) -> Conversation:
    made = Conversation.objects.create(
        participant=consent.participant,
        consent=consent,
        created_by=cast.owner,
        engine="local",
        status=Conversation.Status.READY,
        title="Padrón",
        duration=7200.0,
    )
    transcript = Transcript.objects.create(
        conversation=made, engine="local", model="base", language="es", duration=7200.0
    )
    speakers = [
        Speaker.objects.create(transcript=transcript, label=f"S{n}", role=role)
        for n, role in enumerate(("empleado", "usuario", "otro"), start=1)
    ]
    text = "Pues mire, eso es lo que le quería decir yo a usted."
    Turn.objects.bulk_create(
        Turn(
            transcript=transcript,
            speaker=speakers[n % 3],
            position=n,
            start=n * 12.0,
            end=n * 12.0 + 8,
            text=text,
            words=words_of(text, n * 12.0),
        )
        for n in range(600)
    )
    return made


def test_a_long_transcript_costs_the_same_queries(talk: Conversation, cast: Cast) -> None:
    client = cast.client(cast.owner)
    address = f"/conversaciones/{talk.pk}/"
    client.get(address)
    with CaptureQueriesContext(connection) as long:
        html = client.get(address).content.decode()
    assert html.count("data-w=") == 600 * 12
    assert 'id="turno-599"' in html
    talk.transcript.turns.filter(position__gte=3).delete()
    with CaptureQueriesContext(connection) as short:
        client.get(address)
    assert len(long) == len(short)


def test_one_turn_alone_is_as_on_the_page(talk: Conversation, cast: Cast) -> None:
    page = cast.client(cast.owner).get(f"/conversaciones/{talk.pk}/").content.decode()
    turn = talk.transcript.turns.select_related("speaker").get(position=2)
    with CaptureQueriesContext(connection) as queries:
        alone = turn_view.html(turn, talk, talk.transcript)
    assert len(queries) <= 1  # who recorded it, once
    assert f'data-turn="{turn.pk}"' in alone
    assert 'data-version="0"' in alone
    assert "Voz 3" in alone
    assert "".join(alone.split()) in "".join(page.split())
