"""Telling an index outside; imported by Procrastinate in every process."""

from __future__ import annotations

from procrastinate.contrib.django import app

from portal.search.models import Change, Outside

HOUSEKEEPING = "housekeeping"


@app.periodic(cron="* * * * * */5")
@app.task(name="portal.search.tell", queue=HOUSEKEEPING, queueing_lock="portal.search.tell")
def tell(timestamp: int) -> None:
    """What is behind by no more than this. PostgreSQL's own index never is."""
    from django.conf import settings

    if settings.ENV.search_url is None:
        # An office that went back to PostgreSQL writes nothing down any more.
        Outside.objects.all().delete()
        Change.objects.all().delete()
        return
    from portal.search.backends.opensearch import OpenSearchBackend
    from portal.search.outside import catch_up

    catch_up(OpenSearchBackend(settings.ENV.search_url))
