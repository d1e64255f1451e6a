"""A real worker process, killed without warning in every step, and what a second one makes of it.

A step is caught in the act by a trigger of the test's own, which makes it wait for a lock when it
writes its result: it stands there, RUNNING, until it is killed. No product code knows of this.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from portal.assessments.models import Answer, Evidence, Sheet
from portal.conversations import scratch
from portal.conversations.models import Conversation, ProcessingStep, Speaker, Transcript, Turn
from portal.inquiries import services as inquiries
from portal.inquiries.models import Inquiry
from portal.notifications.models import Notification
from portal.pipeline import tasks
from portal.pipeline.tests.conftest import SPOKEN, Receive

HEARTBEAT, SILENT_FOR = 0.3, 2.0
WRITES = {
    "probe": "UPDATE ON conversations_recording",
    "transcribe": "INSERT ON conversations_transcript",
    "attribute": "UPDATE ON conversations_speaker",
    "assess": "INSERT ON assessments_evidence",
    "describe": "UPDATE OF title ON conversations_conversation",
    "review": "DELETE ON corrections_flag",
    "notify": "INSERT ON notifications_notification",
    "playback": "INSERT ON conversations_playback",
}


@pytest.fixture
def let_go(db: None) -> Iterator[Callable[[str], None]]:
    """Every step waits where it writes, until the function given is called with its name."""
    keys = {step: 9000 + number for number, step in enumerate(WRITES)}
    wanted = ("dbname", "user", "password", "host", "port")
    given = connection.get_connection_params()
    with psycopg.connect(
        **{name: given[name] for name in wanted if given.get(name)},
        application_name="holder",
        autocommit=True,
    ) as holder:
        holder.execute(
            "CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN PERFORM pg_advisory_xact_lock(TG_ARGV[0]::bigint); RETURN NEW; END $$"
        )
        for step, event in WRITES.items():
            holder.execute(
                f"CREATE TRIGGER wait_{step} BEFORE {event}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION wait_here({keys[step]})"
            )
            holder.execute("SELECT pg_advisory_lock(%s)", [keys[step]])
        try:
            yield lambda step: holder.execute("SELECT pg_advisory_unlock(%s)", [keys[step]])
        finally:
            holder.execute("SELECT pg_advisory_unlock_all()")
            holder.execute("DROP FUNCTION wait_here CASCADE")


class Worker:
    def __init__(self, media: str) -> None:
        database = connection.settings_dict
        code = (
            "import django; from django.conf import settings;"
            f"settings.DATABASES['default'].update(NAME={database['NAME']!r});"
            f"settings.MEDIA_ROOT = {media!r}; django.setup();"
            "from portal.pipeline import worker;"
            f"worker.run(heartbeat={HEARTBEAT}, silent_for={SILENT_FOR}, patience=90)"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "PGAPPNAME": "worker"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=100)


@pytest.fixture
def start(settings: Any) -> Iterator[Callable[[], Worker]]:
    started: list[Worker] = []

    def begin() -> Worker:
        started.append(Worker(str(settings.MEDIA_ROOT)))
        return started[-1]

    yield begin
    for worker in started:
        if worker.process.poll() is None:
            worker.kill()
    with connection.cursor() as cursor:  # what the killed ones left open would block the flush
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'worker'"
        )


def until(condition: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def states(conversation: Conversation) -> dict[str, str]:
    return dict(conversation.steps.values_list("name", "state"))


def counts() -> dict[str, int]:
    kinds = (Transcript, Turn, Speaker, Sheet, Answer, Evidence, Notification)
    return {kind.__name__: kind.objects.count() for kind in kinds}


@pytest.mark.model
@pytest.mark.django_db(transaction=True)
def test_killed_in_every_step(
    receive: Receive, let_go: Callable[[str], None], start: Callable[[], Worker]
) -> None:
    conversation = receive((SPOKEN / "participant_first.ogg").read_bytes())
    worker = start()
    for step in WRITES:
        until(lambda step=step: states(conversation)[step] == "running")
        worker.kill()
        assert states(conversation)[step] == "running"
        let_go(step)
        worker = start()
    until(lambda: states(conversation)["playback"] == "done")
    assert set(states(conversation).values()) == {"done"}
    attempts = dict(conversation.steps.values_list("name", "attempts"))
    assert attempts == dict.fromkeys(WRITES, 2)
    conversation.refresh_from_db()
    assert conversation.status == "ready"
    assert conversation.title
    made = counts()
    assert (made["Transcript"], made["Sheet"], made["Notification"]) == (1, 1, 1)
    assert made["Turn"] == Turn.objects.filter(transcript__conversation=conversation).count()
    assert made["Answer"] == 16
    until(lambda: not ProcrastinateJob.objects.filter(task_name=tasks.PROCESS).exists())
    # Of those that were killed nothing is left, and of this one nothing will be.
    assert len([path for path in scratch.root().iterdir() if path.is_dir()]) == 1
    assert worker.stop() == 0
    assert [path for path in scratch.root().iterdir() if path.is_dir()] == []


@pytest.mark.model
@pytest.mark.django_db(transaction=True)
def test_told_to_stop_it_puts_its_step_back(receive: Receive, start: Callable[[], Worker]) -> None:
    conversation = receive((django_settings.PROJECT / "demo/audio/salma.ogg").read_bytes())
    worker = start()
    moving = conversation.steps.filter(name="transcribe", state="running", progress__gt=0)
    until(moving.exists)
    assert worker.stop() == 0
    step = ProcessingStep.objects.get(conversation=conversation, name="transcribe")
    assert (step.state, step.attempts) == ("waiting", 0)
    assert ProcrastinateJob.objects.get(task_name=tasks.PROCESS).status == "todo"


@pytest.mark.django_db(transaction=True)
def test_a_question_does_not_wait_for_a_conversation(
    receive: Receive, let_go: Callable[[str], None], start: Callable[[], Worker]
) -> None:
    processed = receive((SPOKEN / "dialogue.ogg").read_bytes())
    let_go("transcribe")
    transcript = Transcript.objects.create(
        conversation=processed, engine="local", model="base", language="es", duration=9.0
    )
    speaker = Speaker.objects.create(transcript=transcript, label="S1", role="usuario")
    Turn.objects.create(
        transcript=transcript,
        speaker=speaker,
        position=0,
        start=0.0,
        end=9.0,
        text="Tengo dos hijos, Youssef y Amina.",
    )
    start()
    until(lambda: states(processed)["probe"] == "running")
    inquiry = inquiries.ask(
        participant=processed.participant,
        conversation=processed,
        employee=processed.created_by,
        question="¿Cuántos hijos tiene?",
    )
    until(lambda: Inquiry.objects.get(pk=inquiry.pk).state != Inquiry.State.WAITING)
    assert Inquiry.objects.get(pk=inquiry.pk).state in ("found", "absent")
    assert states(processed)["probe"] == "running"


@pytest.mark.django_db(transaction=True)
def test_a_conversation_without_a_job_is_found(receive: Receive) -> None:
    conversation = receive(b"sound")
    assert tasks.enqueue_forgotten() == 0
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    assert tasks.enqueue_forgotten() == 1
    job = ProcrastinateJob.objects.get()
    assert job.args == {"conversation_id": str(conversation.pk)}
    conversation.steps.update(state="done")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    assert tasks.enqueue_forgotten() == 0


@pytest.mark.django_db(transaction=True)
def test_questions_without_a_job_are_looked_for_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr(tasks.inquiries, "enqueue_forgotten", lambda: looked.append("questions"))
    tasks.sweep(0)
    assert looked == ["questions"]


@pytest.mark.django_db(transaction=True)
def test_jobs_of_silent_workers_are_given_back(receive: Receive) -> None:
    receive(b"sound")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES"
            " (now() - interval '1 minute'), (now()) RETURNING id"
        )
        silent, alive = (row[0] for row in cursor.fetchall())
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [alive])
        assert tasks.retry_stalled() == 0
        cursor.execute("UPDATE procrastinate_jobs SET worker_id = %s", [silent])
        assert tasks.someone_is_processing()
        assert tasks.retry_stalled() == 1
    assert ProcrastinateJob.objects.get().status == "todo"
