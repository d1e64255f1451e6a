"""Finding by meaning, with the real encoder and pgvector."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from conftest import Cast
from portal.analysis import meaning as analysis
from portal.analysis.encoder import MAX_CHARACTERS
from portal.conversations.models import Turn
from portal.corrections import redaction
from portal.corrections.tests.scene import FIRST, LAST, Talk, folder, talk
from portal.participants.models import Consent, Participant
from portal.search import command, meaning, queries, tasks, understanding
from portal.search.backends.base import SearchDown
from portal.search.models import Entry, Meaning
from portal.search.questions import Filters, read
from tests.contracts.search import Office

__all__ = ["folder", "talk"]

FACTORY = "Me echaron de la fábrica en marzo."
LOST_WORK = "se quedó sin trabajo"


def say(office: Office, *lines: str) -> None:
    """After what has been said."""
    first = office.turns[0]
    for line in lines:
        position = first.transcript.turns.count()
        Turn.objects.create(
            transcript=first.transcript,
            speaker=first.speaker,
            position=position,
            start=position * 5.0,
            end=position * 5.0 + 4,
            text=line,
        )


def understand() -> None:
    tasks.understand(timestamp=0)


@pytest.fixture
def office(cast: Cast, participant: Participant, consent: Consent) -> Office:
    made = Office(cast, participant, consent)
    say(made, FACTORY, "Sí, claro.", "Duermo en casa de una prima, en el sofá.")
    understand()
    return made


@pytest.fixture
def meant(office: Office) -> Callable[..., list[str]]:
    def asked(text: str, employee: Any = None, **filters: Any) -> list[str]:
        groups = queries.find_meant(employee or office.cast.owner, read(text, Filters(**filters)))
        return [found.thing.text for group in groups for found in group.found]

    return asked


def turn(text: str) -> Turn:
    return Turn.objects.get(text=text)


def test_what_shares_no_word_is_found(meant: Callable[..., list[str]]) -> None:
    assert FACTORY in meant(LOST_WORK)
    assert meant("perdió el empleo")[0] == FACTORY
    assert meant("vive con un pariente")[0].startswith("Duermo en casa de una prima")
    assert meant("fue al hospital")[0].startswith("Las evaluaciones médicas")


@pytest.mark.parametrize(
    "text", ["", " ", "-trabajo", "612 345 678", "xilófono cuántico", "asdf qwer", "telescopio"]
)
def test_nonsense_finds_nothing(meant: Callable[..., list[str]], text: str) -> None:
    assert meant(text) == []


def test_who_may_not_see_it_and_what_is_filtered_out(
    office: Office, meant: Callable[..., list[str]]
) -> None:
    assert FACTORY in meant(LOST_WORK, office.cast.teammate)
    assert meant(LOST_WORK, office.cast.stranger) == []
    assert meant(LOST_WORK, until=date(2001, 1, 1)) == []
    assert meant(LOST_WORK, brought_by=office.cast.teammate.pk) == []
    assert meant(LOST_WORK, domain="salud") == []
    assert FACTORY in meant(LOST_WORK, participant=office.participant.pk)
    assert FACTORY not in meant(f"{LOST_WORK} -fábrica")
    office.participant.team = office.cast.other_team
    office.participant.save()
    assert meant(LOST_WORK) == []
    assert FACTORY in meant(LOST_WORK, office.cast.stranger)


def test_withdrawn_consent_and_deletion_take_it_along(
    office: Office, meant: Callable[..., list[str]]
) -> None:
    turn(FACTORY).delete()
    assert FACTORY not in meant(LOST_WORK)
    assert meant(LOST_WORK)
    office.consent.withdrawn_at = timezone.now()
    office.consent.save()
    assert meant(LOST_WORK) == []
    assert not Meaning.objects.exists()


def test_a_correction_is_forgotten_at_once_and_read_anew(
    office: Office, meant: Callable[..., list[str]]
) -> None:
    Turn.objects.filter(text=FACTORY).update(text="Me gusta la fábrica de chocolate.")
    assert all("fábrica" not in text for text in meant(LOST_WORK))
    assert meaning.waiting() == 1
    Turn.objects.filter(text__contains="chocolate").update(text="Hoy llueve mucho en el pueblo.")
    understand()
    assert meant("el tiempo está malo")[0].startswith("Hoy llueve")


def test_what_is_struck_out_is_found_by_no_meaning(cast: Cast, talk: Talk) -> None:
    understand()
    texts = [t.text for t in talk.turns]

    def found() -> set[str]:
        return {
            item.thing.text
            for text in texts
            for group in queries.find_meant(cast.owner, read(text))
            for item in group.found
        }

    def read_entries() -> set[int]:
        read = Meaning.objects.extra(where=["vector IS NOT NULL"])
        return set(read.values_list("entry_id", flat=True))

    before = found()
    kept = read_entries()
    struck = redaction.strike(
        conversation=talk.conversation, employee=cast.owner, start=FIRST, end=LAST
    )
    changed = set(Turn.objects.filter(text__contains="█").values_list("pk", flat=True))
    entries = Entry.objects.filter(kind="turn", object_id__in=[str(pk) for pk in changed])
    assert changed
    assert read_entries() == kept - set(entries.values_list("pk", flat=True))
    understand()
    assert not any("zarzap" in text.lower() for text in found())
    redaction.undo(redaction=struck, employee=cast.owner)
    understand()
    assert found() == before


def test_what_changes_while_it_is_read_is_not_filed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    Meaning.objects.all().delete()
    meaning.put_in_line()
    real = analysis.said

    def meanwhile(texts: list[str], encoder: Any) -> Any:
        Turn.objects.filter(text=FACTORY).update(text="Otra cosa muy distinta, la verdad.")
        return real(texts, encoder)

    monkeypatch.setattr(analysis, "said", meanwhile)
    once = iter([False, True])
    understanding.catch_up(told=lambda done: None, enough=lambda: next(once))
    changed = Entry.objects.get(
        kind="turn", object_id=str(Turn.objects.get(text__startswith="Otra cosa").pk)
    )
    assert Meaning.objects.extra(where=["vector IS NULL"]).filter(entry=changed).exists()


def test_all_of_a_long_turn_is_read_and_nothing_of_a_short_one(
    office: Office, meant: Callable[..., list[str]]
) -> None:
    assert analysis.parts("Sí, claro que sí.") and analysis.parts("Sí, claro, hija.") == []
    long = " ".join(["Y bueno, así fuimos pasando los días uno tras otro."] * 8) + " " + FACTORY
    pieces = analysis.parts(long)
    assert " ".join(pieces) == long and max(map(len, pieces)) <= MAX_CHARACTERS
    say(office, long)
    understand()
    entry = Entry.objects.get(kind="turn", object_id=str(turn(long).pk))
    assert Meaning.objects.filter(entry=entry).count() == len(pieces) > 1
    assert meant("la despidieron de la fábrica").count(long) == 1
    Turn.objects.filter(text=long).update(text="Nada más.")
    understand()
    assert not Meaning.objects.filter(entry=entry).exists()


def test_the_same_words_are_not_read_twice(office: Office) -> None:
    before = set(Meaning.objects.values_list("pk", flat=True))
    Turn.objects.filter(text=FACTORY).update(text=FACTORY.upper())
    command.run()
    assert set(Meaning.objects.values_list("pk", flat=True)) == before


def test_reindexing_reads_what_is_missing(
    office: Office, meant: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    Meaning.objects.all().delete()
    assert meant(LOST_WORK) == []
    command.run()
    assert FACTORY in meant(LOST_WORK)
    assert "Significado" in capsys.readouterr().out


class TestAbsence:
    def test_without_vectors_words_are_found_and_it_is_said(
        self, office: Office, cast: Cast
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE search_meaning DROP COLUMN vector")
        assert meaning.lacking() is meaning.Lack.EXTENSION
        say(office, "Trabajo sin contrato.")
        understand()
        found = page(cast, q="contrato", significado="on")
        assert "la base de datos no tiene lo necesario" in found
        assert "<mark>contrato</mark>" in found
        meaning.set_up()
        assert meaning.lacking() is None
        understand()
        assert FACTORY in page(cast, q=LOST_WORK, significado="on")

    def test_a_server_that_allows_none_goes_on_without(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As where nobody has made the extension; this one only a superuser may make as well."""
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE search_meaning DROP COLUMN vector")
        monkeypatch.setattr(meaning, "EXTENSION", "file_fdw")
        meaning.set_up()
        assert meaning.lacking() is meaning.Lack.EXTENSION
        command.run()
        assert office.heard("fresa") == [0]

    def test_without_an_encoder(
        self, office: Office, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(meaning, "default_encoder", lambda: None)
        assert "le falta el programa que entiende frases" in page(
            cast, q="contrato", significado="on"
        )
        command.run()

    def test_another_encoder_reads_everything_anew(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(meaning, "_encoder_name", lambda: "another")
        assert meaning.lacking() is meaning.Lack.EXTENSION
        meaning.set_up()
        assert meaning.lacking() is None
        assert meaning.waiting() == Entry.objects.filter(kind="turn").count()


def page(cast: Cast, **asked: str) -> str:
    headers = {"HX-Request": "true", "HX-Target": "search-results"}
    return cast.client(cast.owner).get("/buscar/", asked, headers=headers).content.decode()


def test_the_page_says_how_it_is_ordered_and_what_is_still_to_be_read(
    office: Office, cast: Cast
) -> None:
    found = page(cast, q=LOST_WORK, significado="on")
    assert FACTORY in found and "De lo más parecido" in found
    assert "todavía no se encuentra así" not in found
    say(office, "Todavía nadie ha leído esto que digo.")
    assert "todavía no se encuentra así" in page(cast, q=LOST_WORK, significado="on")
    assert "decirlo de otra manera" in page(cast, q="xilófono cuántico", significado="on")
    filtered = page(cast, q=LOST_WORK, significado="on", hasta="2001-01-01")
    assert "a quitar algún filtro o a buscar por palabras" in filtered
    assert "con sus palabras" in page(cast, q="", significado="on")


def test_it_needs_no_engine_that_finds_words(
    office: Office, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down() -> None:
        raise SearchDown

    monkeypatch.setattr(queries, "get_backend", down)
    assert "Ahora mismo no se puede buscar" in page(cast, q=LOST_WORK)
    assert FACTORY in page(cast, q=LOST_WORK, significado="on")


def test_what_is_rolled_back_was_never_to_be_read(office: Office) -> None:
    before = meaning.waiting()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        say(office, "Esto nunca se llegó a decir.")
        assert meaning.waiting() == before + 1
        raise ZeroDivisionError
    assert meaning.waiting() == before
