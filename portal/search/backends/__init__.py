"""The engines that find words. One is used by an installation (`PORTAL_SEARCH`)."""

from __future__ import annotations

from portal.search.backends.base import Backend
from portal.search.backends.postgres import PostgresBackend


def get_backend() -> Backend:
    return PostgresBackend()
