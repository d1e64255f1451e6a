"""The contract of the engines that search, kept by OpenSearch."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.search.backends.base import SearchDown
from portal.search.backends.opensearch import OpenSearchBackend
from portal.search.models import Change
from portal.search.outside import catch_up as tell
from portal.search.rebuilding import rebuild
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
