"""The job that answers; imported by Procrastinate in every process, so nothing heavy up here."""

from __future__ import annotations

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

ANSWER = "portal.inquiries.answer"
INQUIRIES = "inquiries"
"""A queue of its own: somebody waits, and no transcription may stand before them."""

ATTEMPTS = 3
WAIT = 2
"""Seconds until another attempt."""


def enqueue(inquiry_id: int) -> None:
    """Part of the caller's transaction."""
    configure_task(name=ANSWER, job_manager=JobManager(DjangoConnector()), queue=INQUIRIES).defer(
        inquiry_id=inquiry_id
    )


@app.task(
    name=ANSWER,
    queue=INQUIRIES,
    pass_context=True,
    retry=RetryStrategy(max_attempts=ATTEMPTS, wait=WAIT),
)
def answer(context: JobContext, inquiry_id: int) -> None:
    from portal.inquiries import answering

    if context.job.attempts < ATTEMPTS:
        answering.answer(inquiry_id)
    else:  # it failed each time, or took its worker with it
        answering.give_up(inquiry_id)
