"""Telling an index outside, and reading what was said; imported by Procrastinate in every process,
so nothing heavy up here."""

from __future__ import annotations

import time

from procrastinate.contrib.django import app

from portal.search.models import Change, Outside

CONVERSATIONS, HOUSEKEEPING = "conversations", "housekeeping"
AFTER_CONVERSATIONS = -10
"""Priority: encoding takes a core, so it is done when no conversation waits for it."""

LONGEST = 5.0
"""Seconds that a conversation which comes meanwhile waits at most."""


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


@app.periodic(cron="* * * * * */5")
@app.task(
    name="portal.search.understand",
    queue=CONVERSATIONS,
    priority=AFTER_CONVERSATIONS,
    queueing_lock="portal.search.understand",
)
def understand(timestamp: int) -> None:
    from portal.search.understanding import catch_up

    end = time.monotonic() + LONGEST
    catch_up(told=lambda done: None, enough=lambda: time.monotonic() > end)
