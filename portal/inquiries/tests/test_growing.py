"""An answer on the page while it is written: as far as it has come, and not a moment longer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from django.db import connection, transaction
from django.test import Client

from conftest import Cast
from portal.analysis.engines.base import Evidence, Reply
from portal.analysis.engines.base import Turn as Spoken
from portal.conversations.models import Conversation, Transcript, Turn
from portal.engine import EngineError
from portal.inquiries import answering, forgetting, growing, services
from portal.inquiries.models import Inquiry
from portal.inquiries.tests.conftest import Scripted
from portal.inquiries.tests.test_services import talk
from portal.participants.models import Consent
from portal.usage import analysing

HTMX = {"HX-Request": "true"}
PIECES = ("Vive ", "en ", "la calle ", "Olmo", ".")


class Writer(Scripted):
    """Says it piece by piece; ``between`` is done after each, with its number from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.reply = Reply(True, "".join(PIECES), (Evidence(1, "calle Olmo"),))
        self.between: Callable[[int], None] = lambda _number: None
        self.looks = 0

    def ask_stream(self, turns: Sequence[Spoken], question: str) -> Iterator[str | Reply]:
        self.looks += 1
        for number, piece in enumerate(PIECES, 1):
            yield piece
            self.between(number)
        yield self.reply


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Writer:
    writer = Writer()
    monkeypatch.setattr(analysing, "get_engine", lambda _name, **_options: writer)
    monkeypatch.setattr(growing, "EVERY", 0.0)
    return writer


def on_the_page() -> str:
    return Inquiry.objects.values_list("unfinished", flat=True).get()


def test_it_grows_and_gives_way_to_the_whole(inquiry: Inquiry, writer: Writer) -> None:
    seen: list[str] = []
    writer.between = lambda _number: seen.append(on_the_page())
    answering.answer(inquiry.pk)
    assert seen == ["", "Vive ", "Vive en ", "Vive en la calle ", "Vive en la calle Olmo"]
    inquiry.refresh_from_db()
    assert (inquiry.state, inquiry.unfinished) == ("found", "")
    assert inquiry.replies.get().evidence[0]["quote"] == "calle Olmo"


def test_it_is_written_now_and_then(
    inquiry: Inquiry, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "EVERY", 3600.0)
    seen: list[str] = []
    writer.between = lambda _number: seen.append(on_the_page())
    answering.answer(inquiry.pk)
    assert seen == ["", "Vive ", "Vive ", "Vive ", "Vive "]


def test_what_is_said_all_at_once_does_not_pass_as_unfinished(
    inquiry: Inquiry, engine: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing.Growing, "_write", lambda _self: pytest.fail("written"))
    answering.answer(inquiry.pk)
    inquiry.refresh_from_db()
    assert inquiry.state == "found"


def test_it_goes_when_the_words_change(inquiry: Inquiry, writer: Writer) -> None:
    seen: list[str] = []

    def between(number: int) -> None:
        seen.append(on_the_page())
        if (writer.looks, number) == (1, 3):
            Turn.objects.filter(position=1).update(text="Sí, en la calle Roble.", words=[])
            writer.reply = Reply(True, "En Roble", (Evidence(1, "calle Roble"),))

    writer.between = between
    answering.answer(inquiry.pk)
    first, second = seen[: len(PIECES)], seen[len(PIECES) :]
    assert first == ["", "Vive ", "Vive en ", "", ""]
    assert second[0] == "" and writer.looks == 2
    inquiry.refresh_from_db()
    assert (inquiry.unfinished, inquiry.replies.get().answer) == ("", "En Roble")


def test_what_is_struck_out_goes_at_once_and_does_not_come_back(
    inquiry: Inquiry, writer: Writer, conversation: Conversation
) -> None:
    seen: list[str] = []

    def between(number: int) -> None:
        if (writer.looks, number) == (1, 3):
            assert on_the_page()
            Turn.objects.filter(position=1).update(text="Sí, en █████.", words=[])
            forgetting.forget(conversation=conversation, tells=lambda text: "Olmo" in text)
        if writer.looks == 1:
            seen.append(on_the_page())

    writer.between = between
    writer.reply = Reply(False)
    answering.answer(inquiry.pk)
    assert seen[2:] == ["", "", ""]


def test_an_engine_that_fails_leaves_nothing(inquiry: Inquiry, writer: Writer) -> None:
    def fail(number: int) -> None:
        if number == 3:
            assert on_the_page()
            raise EngineError("La red no responde.", retryable=True)

    writer.between = fail
    with pytest.raises(EngineError):
        answering.answer(inquiry.pk)
    inquiry.refresh_from_db()
    assert (inquiry.state, inquiry.unfinished) == ("waiting", "")


def test_a_look_begins_without_what_a_dead_worker_left(inquiry: Inquiry, writer: Writer) -> None:
    Inquiry.objects.update(unfinished="Vive en")
    seen: list[str] = []
    writer.between = lambda _number: seen.append(on_the_page())
    answering.answer(inquiry.pk)
    assert seen[0] == ""


def test_of_several_conversations_each_keeps_what_it_says(
    conversation: Conversation, consent: Consent, writer: Writer, cast: Cast
) -> None:
    inquiry = services.ask(
        participant=conversation.participant, employee=cast.owner, question="¿Dónde vive?"
    )
    other = talk(consent, cast, "Ahora vivo en la calle Roble.")
    shown = growing.Growing(inquiry)
    for one, pieces in ((conversation, ("En ", "Olmo")), (other, ("En ", "Roble", "."))):
        shown.begin(one, growing.turns_of(one))
        for piece in pieces:
            shown.add(one, piece)
        assert on_the_page()
        if one == conversation:
            shown.end(one, Reply(True, "En la calle Olmo", (Evidence(1, "calle Olmo"),)))
    assert on_the_page() == "En la calle Olmo\nEn Roble"
    Turn.objects.filter(transcript__conversation=conversation).update(text="No.")
    shown.add(other, "..")
    assert on_the_page() == ""


def test_the_page_shows_it_marked_and_without_quotes(
    cast: Cast, inquiry: Inquiry, conversation: Conversation
) -> None:
    client: Client = cast.client(cast.owner)
    address = f"/preguntas/{inquiry.pk}/"
    assert client.get(address, {"lleva": 0}, headers=HTMX).status_code == 204
    Inquiry.objects.update(unfinished="Vive en <b>Olmo</b>")
    grown = client.get(address, {"lleva": 0}, headers=HTMX)
    assert (grown["HX-Retarget"], grown["HX-Reswap"]) == ("this", "outerHTML")
    html = grown.content.decode()
    assert "Aún no está comprobado" in html and "Vive en &lt;b&gt;Olmo" in html
    assert 'aria-live="off"' in html and "lleva=19" in html
    assert "<q" not in html and "<li" not in html
    assert client.get(address, {"lleva": 19}, headers=HTMX).status_code == 204
    assert "Aún no está comprobado" in client.get(address).content.decode()
    Inquiry.objects.update(state="absent", unfinished="")
    whole = client.get(address, {"lleva": 19}, headers=HTMX)
    assert "HX-Retarget" not in whole and "inquiry-growing" not in whole.content.decode()


def test_asking_again_begins_with_nothing(cast: Cast, inquiry: Inquiry) -> None:
    Inquiry.objects.update(unfinished="Vive", state="failed")
    services.ask_again(inquiry=inquiry, employee=cast.owner)
    assert on_the_page() == ""


@pytest.mark.django_db(transaction=True)
def test_nothing_is_written_of_words_that_are_being_struck_out(
    inquiry: Inquiry, writer: Writer, conversation: Conversation
) -> None:
    """The worker waits for who holds the transcript, and sees what it left."""
    turns = growing.turns_of(conversation)
    shown = growing.Growing(inquiry)
    shown.begin(conversation, turns)
    shown.add(conversation, "Vive en la calle ")

    def write() -> None:
        shown.add(conversation, "Olmo")
        connection.close()

    worker = threading.Thread(target=write)
    with transaction.atomic():
        Transcript.objects.select_for_update().get(conversation=conversation)
        worker.start()
        worker.join(0.3)
        assert worker.is_alive()
        Turn.objects.filter(position=1).update(text="Sí, en █████.", words=[])
    worker.join()
    assert on_the_page() == ""
