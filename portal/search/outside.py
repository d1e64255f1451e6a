"""Telling an index outside of the database what has changed in it."""

from __future__ import annotations

from collections import defaultdict

from django.db import connection, transaction

from portal.search.backends.opensearch import OpenSearchBackend
from portal.search.models import Change, Rebuild
from portal.search.rebuilding import LOCK

AT_ONCE = 500


def catch_up(backend: OpenSearchBackend) -> None:
    """Until nothing is left. What an engine that is down was not told stays written down.

    Raises SearchDown.
    """
    while _tell(backend):
        pass


@transaction.atomic
def _tell(backend: OpenSearchBackend) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if cursor.fetchone() != (True,):
            return False
    changes = list(Change.objects.order_by("pk")[:AT_ONCE])
    if not changes:
        return False
    by_kind: defaultdict[str, set[str]] = defaultdict(set)
    for change in changes:
        by_kind[change.kind].add(change.object_id)
    # The one that is asked, and the one that is being made.
    making = Rebuild.objects.filter(backend=backend.name).values_list("into", flat=True)
    for into in {*making, *backend.in_use()}:
        for kind, keys in by_kind.items():
            backend.file(kind, sorted(keys), into=into)
    Change.objects.filter(pk__in=[change.pk for change in changes]).delete()
    return True
