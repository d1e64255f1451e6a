"""The job that answers; imported by Procrastinate in every process, so nothing heavy up here."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

from portal.inquiries.models import Inquiry

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


def enqueue_forgotten() -> int:
    """Enqueue inquiries that wait and have no job that would answer them."""
    job = ProcrastinateJob.objects.filter(task_name=ANSWER, status__in=["todo", "doing"]).annotate(
        inquiry=KeyTextTransform("inquiry_id", "args")
    )
    waiting = Inquiry.objects.filter(state=Inquiry.State.WAITING)
    forgotten = waiting.annotate(key=Cast("pk", TextField())).exclude(
        Exists(job.filter(inquiry=OuterRef("key")))
    )
    found = list(forgotten.values_list("pk", flat=True))
    for pk in found:
        enqueue(pk)
    return len(found)


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
