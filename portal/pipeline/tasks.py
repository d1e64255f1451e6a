"""What the workers do; imported by Procrastinate in every process, so nothing heavy up here."""

from __future__ import annotations

from uuid import UUID

from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import JobAborted
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

from portal.conversations import retrying, services
from portal.conversations.models import Conversation
from portal.conversations.steps import OPEN
from portal.inquiries import tasks as inquiries
from portal.live import services as live
from portal.pipeline.outcomes import Interrupted, TryLater

PROCESS = "portal.pipeline.process"
CONVERSATIONS, HOUSEKEEPING = "conversations", "housekeeping"
LONGEST_WAIT = 600
SILENT_FOR = 20.0
"""Seconds without a sign of life after which a worker counts as dead, and its job is given back."""

SWEEP_LOCK = 7_264_001  # any number that no other advisory lock of the database uses


class Persist(BaseRetryStrategy):
    """A job ends only when its steps say so. Whatever else goes wrong (a database that is away,
    a worker told to stop) is tried again, ever more rarely."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if isinstance(exception, JobAborted):
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, TryLater):
            return RetryDecision(retry_in={"seconds": exception.seconds})
        seconds = min(5 * 2 ** min(job.attempts, 10), LONGEST_WAIT)
        return RetryDecision(retry_in={"seconds": seconds})


@app.task(name=PROCESS, queue=CONVERSATIONS, retry=Persist(), pass_context=True)
def process(context: JobContext, conversation_id: str) -> None:
    from portal.pipeline import run

    try:
        run.process(UUID(conversation_id), stopping=context.should_abort)
    except Interrupted:
        raise JobAborted from None


@app.periodic(cron="* * * * * */15")
@app.task(name="portal.pipeline.sweep", queue=HOUSEKEEPING, queueing_lock="portal.pipeline.sweep")
def sweep(timestamp: int) -> None:
    """Pick up what a killed worker or web process left."""
    retry_stalled()
    services.finish_complete_uploads()
    live.sweep()
    enqueue_forgotten()
    inquiries.enqueue_forgotten()


@transaction.atomic
def retry_stalled(*, silent_for: float = SILENT_FOR) -> int:
    """Give back the jobs of workers that sent no sign of life for ``silent_for`` seconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SWEEP_LOCK])
        if cursor.fetchone() != (True,):
            return 0  # another worker is at it
    jobs = JobManager(DjangoConnector())
    stalled = list(async_to_sync(jobs.get_stalled_jobs)(seconds_since_heartbeat=silent_for))
    for job in stalled:
        async_to_sync(jobs.retry_job)(job)
    return len(stalled)


def someone_is_processing() -> bool:
    return ProcrastinateJob.objects.filter(task_name=PROCESS, status="doing").exists()


def enqueue_forgotten() -> int:
    """Enqueue conversations that have open steps and no job that would do them."""
    job = ProcrastinateJob.objects.filter(task_name=PROCESS, status__in=["todo", "doing"]).annotate(
        conversation=KeyTextTransform("conversation_id", "args")
    )
    forgotten = (
        Conversation.objects.filter(steps__state__in=OPEN)
        .annotate(key=Cast("pk", TextField()))
        .exclude(Exists(job.filter(conversation=OuterRef("key"))))
        .distinct()
    )
    count = 0
    for conversation in forgotten:
        retrying.enqueue(conversation)
        count += 1
    return count
