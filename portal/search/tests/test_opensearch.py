"""The contract of the engines that search, kept by OpenSearch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection
from opensearchpy import OpenSearch

from portal.search.backends.base import SearchDown
from portal.search.backends.opensearch import OpenSearchBackend
from portal.search.models import Change, Rebuild
from portal.search.outside import catch_up as tell
from portal.search.rebuilding import LOCK, rebuild
from tests.contracts.search import Office, SearchBackendContract
from tests.servers.opensearch import address

__all__ = ["address"]


class TestOpenSearchBackend(SearchBackendContract):
    @pytest.fixture
    def backend(self, address: str, db: None) -> OpenSearchBackend:
        made = OpenSearchBackend(address)
        rebuild(made)
        return made

    @pytest.fixture
    def catch_up(self, backend: OpenSearchBackend) -> Callable[[], None]:
        return lambda: tell(backend)

    def test_an_engine_that_is_away_is_told_when_it_is_back(
        self, office: Office, backend: OpenSearchBackend
    ) -> None:
        office.turns[0].text = "Vendimia"
        office.turns[0].save()
        with pytest.raises(SearchDown):
            tell(OpenSearchBackend("http://127.0.0.1:9"))
        assert Change.objects.exists()
        tell(backend)
        assert not Change.objects.exists()
        assert office.heard("vendimia") == [0]

    def test_an_index_that_is_gone_is_not_made_by_writing_to_it(
        self, office: Office, backend: OpenSearchBackend, address: str
    ) -> None:
        client = OpenSearch(hosts=[address])
        gone = backend.prepare()
        client.indices.delete(index=gone)
        with pytest.raises(SearchDown):
            backend.file("turn", [str(office.turns[0].pk)], into=gone)
        assert set(client.indices.get(index="portal-search-*")) == set(backend.in_use())

    def test_a_rebuilding_begins_anew_when_its_index_is_gone_and_takes_away_what_is_left(
        self, office: Office, backend: OpenSearchBackend, address: str
    ) -> None:
        client = OpenSearch(hosts=[address])
        backend.prepare()
        gone = backend.prepare()
        client.indices.delete(index=gone)
        Rebuild.objects.create(backend=backend.name, into=gone, kind="inquiry")
        rebuild(backend)
        assert office.heard("fresa") == [0]
        assert set(client.indices.get(index="portal-search-*")) == set(backend.in_use())

    @pytest.mark.django_db(transaction=True)
    def test_what_changes_as_a_new_index_takes_over_is_told_to_the_new_one(
        self, office: Office, backend: OpenSearchBackend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down(into: str) -> None:
            raise SearchDown

        with monkeypatch.context() as patch, pytest.raises(SearchDown):
            patch.setattr(backend, "finish", down)
            rebuild(backend)
        office.turns[0].text = "Vendimia"
        office.turns[0].save()

        def take_over() -> None:
            rebuild(backend)
            connection.close()

        other = threading.Thread(target=take_over)
        in_use = backend.in_use

        def asked_just_before() -> list[str]:
            before = in_use()
            if other.ident is None:
                other.start()
                while other.is_alive() and not waiting_for(LOCK):
                    time.sleep(0.01)
            return before

        with monkeypatch.context() as patch:
            patch.setattr(backend, "in_use", asked_just_before)
            tell(backend)
        other.join()
        assert not Rebuild.objects.exists()
        assert office.heard("vendimia") == [0]
        assert not office.found("fresa")


def waiting_for(lock: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks"
            " WHERE locktype = 'advisory' AND objid = %s AND NOT granted)",
            [lock],
        )
        return cursor.fetchone() == (True,)
