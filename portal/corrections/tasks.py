"""When redactions become final; imported by Procrastinate in every process."""

from __future__ import annotations

from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

from portal.corrections.models import Redaction

FINISH = "portal.corrections.finish"
HOUSEKEEPING = "housekeeping"


def finish_at(redaction: Redaction) -> None:
    """Part of the caller's transaction."""
    configure_task(
        name=FINISH,
        job_manager=JobManager(DjangoConnector()),
        queue=HOUSEKEEPING,
        schedule_at=redaction.final_at,
    ).defer()


@app.task(name=FINISH, queue=HOUSEKEEPING)
def finish() -> None:
    from portal.corrections import finality

    finality.finish_due()


@app.periodic(cron="* * * * *")
@app.task(name="portal.corrections.sweep", queue=HOUSEKEEPING, queueing_lock=FINISH)
def sweep(timestamp: int) -> None:
    """Complete what a killed worker left."""
    from portal.corrections import finality

    finality.finish_due()
    finality.tidy()
