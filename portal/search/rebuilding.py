"""Making the index anew from the database, while people go on searching and writing."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection, transaction

from portal.search.backends.base import Backend
from portal.search.models import Rebuild
from portal.search.sources import SOURCES, Source

BATCH = 1000
LOCK = 7_300_001
"""Of PostgreSQL's advisory locks: who tells an index of changes, or says which one is in use, is
alone with that until the transaction ends."""

Told = Callable[[str, int, int], None]
"""Called with a kind, how many of it are done, and how many there are."""


def rebuild(backend: Backend, *, told: Told = lambda kind, done, total: None) -> None:
    """Everything, kind by kind; what an interrupted one has done is not done again.

    What there was is found until the new is whole. Raises SearchDown.
    """
    under_way = Rebuild.objects.filter(backend=backend.name).first()
    if under_way is not None and not backend.has(under_way.into):
        under_way.delete()
        under_way = None
    if under_way is None:
        under_way = Rebuild.objects.create(
            backend=backend.name, into=backend.prepare(), kind=SOURCES[0].kind
        )
    kinds = [source.kind for source in SOURCES]
    for source in SOURCES[kinds.index(under_way.kind) :]:
        if under_way.kind != source.kind:
            under_way.kind, under_way.after = source.kind, ""
            under_way.save()
        _file(backend, source, under_way, told)
        _forget(backend, source, under_way.into)
    with transaction.atomic():
        # Who tells of a change meanwhile would know neither of the new index nor that the old goes.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        backend.finish(under_way.into)
        under_way.delete()


def _file(backend: Backend, source: Source, under_way: Rebuild, told: Told) -> None:
    objects = source.model._default_manager.order_by("pk")
    total = objects.count()
    done = objects.filter(pk__lte=under_way.after).count() if under_way.after else 0
    told(source.kind, done, total)
    while True:
        left = objects.filter(pk__gt=under_way.after) if under_way.after else objects
        with transaction.atomic():
            # Locked, or a correction made after they are read would be filed before them.
            keys = list(left.select_for_update(no_key=True).values_list("pk", flat=True)[:BATCH])
            if not keys:
                return
            backend.file(source.kind, [str(key) for key in keys], into=under_way.into)
            under_way.after = str(keys[-1])
            under_way.save()
        done += len(keys)
        told(source.kind, done, total)


def _forget(backend: Backend, source: Source, into: str) -> None:
    """What is filed and is not in the database any more."""
    after = ""
    while known := backend.filed(source.kind, after=after, into=into):
        there = source.model._default_manager.filter(pk__in=known).values_list("pk", flat=True)
        gone = set(known) - {str(key) for key in there}
        if gone:
            backend.file(source.kind, sorted(gone), into=into)
        after = known[-1]
