"""The engines that find words. One is used by an installation: OpenSearch where its address is
given, else PostgreSQL."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from portal.search.backends.base import Backend
from portal.search.backends.postgres import PostgresBackend


@cache
def get_backend() -> Backend:
    if settings.ENV.search_url is None:
        return PostgresBackend()
    from portal.search.backends.opensearch import OpenSearchBackend

    return OpenSearchBackend(settings.ENV.search_url)
