"""The worker process: one conversation at a time; questions and housekeeping beside it."""

from __future__ import annotations

import asyncio
import os
import signal

from asgiref.sync import sync_to_async
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.jobs import DeleteJobCondition

from portal.conversations import scratch
from portal.inquiries.tasks import INQUIRIES
from portal.pipeline import tasks

HEARTBEAT = 5.0
"""Seconds between a worker's signs of life; a quarter of the silence that counts as death."""


NICENESS = 5
"""The pages, and the recogniser of recordings that are being made, come first: somebody looks at
them, while a conversation that is finished can take its minutes."""

PATIENCE = 8.0
"""Seconds that a worker told to stop gives a step to put itself back in line."""


def run(
    *,
    heartbeat: float = HEARTBEAT,
    silent_for: float = tasks.SILENT_FOR,
    patience: float = PATIENCE,
) -> None:
    """Work until SIGINT or SIGTERM. Needs Django set up.

    Conversations are done one at a time, since speech takes the cores and the memory of the
    machine; for more at once, start more workers, here or on other machines. Questions ("Saber
    más") do not wait for them: they have a queue and a thread of their own.

    Raises SystemExit when it can go on no longer (the database went away): start it again.
    """
    os.nice(NICENESS)
    with scratch.own():
        asyncio.run(_run(heartbeat, silent_for, patience))


async def _run(heartbeat: float, silent_for: float, patience: float) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    connector = app.connector
    assert isinstance(connector, DjangoConnector)  # noqa: S101  # for the type checker
    with app.replace_connector(connector.get_worker_connector()):
        async with app.open_async():
            workers = [
                asyncio.create_task(_work(queue, heartbeat, silent_for))
                for queue in (INQUIRIES, tasks.HOUSEKEEPING, tasks.CONVERSATIONS)
            ]
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait([stopping, *workers], return_when=asyncio.FIRST_COMPLETED)
            for task in (stopping, *workers):
                task.cancel()
            _done, late = await asyncio.wait(workers, timeout=patience)
            if late:
                # In the middle of something long, between two notes of progress. What a killed
                # worker leaves is taken up again, so nothing is lost by not waiting for it.
                os._exit(0)
    if not stop.is_set():
        raise SystemExit("El proceso de trabajo ha perdido la base de datos.")


async def _work(queue: str, heartbeat: float, silent_for: float) -> None:
    if queue == tasks.CONVERSATIONS and await sync_to_async(tasks.someone_is_processing)():
        # Perhaps it is what this worker was doing before it was killed. Taking other work now
        # would make that conversation wait behind a longer one.
        await asyncio.sleep(silent_for + 0.5)
        await sync_to_async(tasks.retry_stalled)(silent_for=silent_for)
    await app.run_worker_async(
        queues=[queue],
        name=queue,
        concurrency=1,
        install_signal_handlers=False,
        # A conversation's step puts itself back in line at its next progress.
        shutdown_graceful_timeout=0.0,
        delete_jobs=DeleteJobCondition.SUCCESSFUL,
        update_heartbeat_interval=heartbeat,
        stalled_worker_timeout=silent_for,
    )
