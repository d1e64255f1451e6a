from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.search.backends.base import Backend
from portal.search.backends.postgres import PostgresBackend
from tests.contracts.search import SearchBackendContract


class TestPostgresBackend(SearchBackendContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return PostgresBackend()

    @pytest.fixture
    def catch_up(self) -> Callable[[], None]:
        return lambda: None
