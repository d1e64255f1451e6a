from __future__ import annotations

from collections.abc import Callable

import click
import pytest
from django.contrib.postgres.search import SearchVector
from django.db.models import Value

from conftest import Cast
from portal.participants.models import Consent, Participant
from portal.search import command
from portal.search.backends.base import Backend, SearchDown
from portal.search.backends.postgres import PostgresBackend
from portal.search.models import Entry
from tests.contracts.search import Office, SearchBackendContract


class TestPostgresBackend(SearchBackendContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return PostgresBackend()

    @pytest.fixture
    def catch_up(self) -> Callable[[], None]:
        return lambda: None


@pytest.fixture
def office(cast: Cast, participant: Participant, consent: Consent) -> Office:
    return Office(cast, participant, consent)


def test_reindexing_mends_whatever_is_wrong(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    Entry.objects.filter(kind="turn").delete()
    one = Entry.objects.get(kind="conversation")
    Entry.objects.create(
        kind="turn", object_id="987654321", team=one.team, participant=one.participant,
        conversation=one.conversation, at=one.at, vector=SearchVector(Value("fresa")),
    )  # fmt: skip
    Entry.objects.filter(pk=one.pk).update(vector=SearchVector(Value("otra")))
    assert not office.found("alquiler")
    command.run()
    assert office.found("alquiler") == {"conversation", "turn"}
    assert office.heard("fresa") == [0]
    assert not Entry.objects.filter(object_id="987654321").exists()
    assert "El índice del buscador está al día." in capsys.readouterr().out


def test_an_engine_that_does_not_answer_is_told_plainly(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_asked: object, **_more: object) -> None:
        raise SearchDown

    monkeypatch.setattr(PostgresBackend, "file", down)
    with pytest.raises(click.ClickException, match="seguirá donde iba"):
        command.run()
