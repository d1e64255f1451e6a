"""A thousand browsers with an open stream of news: what a web process needs, how fast they hear.

    python -m bench.notify [--json] [--streams 1000]

Starts an installation of its own in a temporary folder, and removes it. Every stream has a session
of its own, of one of fifty employees; each news is told by the database to the twenty browsers of
one of them, as a worker would.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from dataclasses import dataclass, field

import psutil

from bench.installation import installation, running
from bench.pipeline import child

STREAMS = 1000
PER_EMPLOYEE = 20
NEWS = 200
EVERY = 0.05
"""Seconds between two of them: more than all workers of an organisation have to tell."""
AT_ONCE = 50
"""Streams that are being opened; more only queue before the same sign-in."""
MB = 1024 * 1024
SENT = "bench-sent"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one flat object as the last line")
    parser.add_argument("--streams", type=int, default=STREAMS)
    arguments = parser.parse_args()
    figures = notifying(arguments.streams)
    show(figures)
    if arguments.json:
        print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


def show(figures: dict[str, float]) -> None:
    for name, what, wanted in TABLE:
        print(f"{what:<66}{figures[name]:>10.1f}  {wanted}")


TABLE = (
    ("sse_streams", "streams open at once, in one web process", "1000"),
    ("sse_open_s", "seconds until the last one was open", ""),
    ("sse_mb_1000", "memory of that process with all of them, MB", "< 300"),
    ("sse_kb_each", "  of that, for each stream, kB", ""),
    ("sse_threads", "  its threads", ""),
    ("sse_listeners", "connections to the database that listen for all of them", "1"),
    ("sse_p50_ms_1000", "from NOTIFY to the browser, median, ms", ""),
    ("sse_p95_ms_1000", "from NOTIFY to the browser, 95 of 100, ms", "< 500"),
    ("sse_burst_p95_ms_1000", "the same when all of them are told at once", ""),
    ("sse_lost", "news that a browser did not hear", "0"),
)


def notifying(streams: int = STREAMS) -> dict[str, float]:
    """The figures of TABLE."""
    with installation() as (_, environment), running(environment) as (portal, supervisor, _s):
        from bench.live import database_url

        os.environ["PORTAL_DATA"] = environment["PORTAL_DATA"]
        os.environ["PORTAL_DATABASE_URL"] = database_url(environment)
        sessions = _sessions(streams)
        web = child(supervisor, "web")
        before = web.memory_info().rss
        crowd = Crowd(portal.host, portal.port, sessions)
        figures = asyncio.run(crowd.measured(web))
        figures["sse_kb_each"] = (web.memory_info().rss - before) / streams / 1024
        return figures


def _sessions(number: int) -> list[tuple[int, str]]:
    """-> (employee, session key) each; PER_EMPLOYEE browsers of one employee."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from django.test import Client

    from portal.accounts.models import Employee

    made: list[tuple[int, str]] = []
    while len(made) < number:
        if len(made) % PER_EMPLOYEE == 0:
            employee = Employee.objects.create_user(f"bench-{len(made)}@example.org", name="B")
        client = Client()
        client.force_login(employee)
        made.append((employee.pk, client.cookies["sessionid"].value))
    return made


@dataclass
class Crowd:
    host: str
    port: int
    sessions: list[tuple[int, str]]
    delays: list[float] = field(default_factory=list)

    async def measured(self, web: psutil.Process) -> dict[str, float]:
        gate = asyncio.Semaphore(AT_ONCE)
        begun = time.monotonic()
        open_ = await asyncio.gather(*(self._open(gate, key) for _, key in self.sessions))
        took = time.monotonic() - begun
        listening = [asyncio.create_task(self._listen(reader)) for reader, _ in open_]
        employees = list(dict.fromkeys(employee for employee, _ in self.sessions))
        size = {e: sum(other == e for other, _ in self.sessions) for e in employees}

        expected = 0
        for number in range(NEWS):
            employee = employees[number % len(employees)]
            await asyncio.to_thread(_tell, [employee])
            expected += size[employee]
            await asyncio.sleep(EVERY)
        await self._until(expected)
        steady, memory = self.delays.copy(), web.memory_info().rss
        await asyncio.to_thread(_tell, employees)
        await self._until(expected + len(self.sessions))
        burst = self.delays[len(steady) :]
        figures = {
            "sse_streams": float(len(open_)),
            "sse_open_s": took,
            "sse_mb_1000": memory / MB,
            "sse_threads": float(web.num_threads()),
            "sse_listeners": float(await asyncio.to_thread(_listeners)),
            "sse_p50_ms_1000": statistics.median(steady) * 1000,
            "sse_p95_ms_1000": statistics.quantiles(steady, n=100)[94] * 1000,
            "sse_burst_p95_ms_1000": statistics.quantiles(burst, n=100)[94] * 1000,
            "sse_lost": float(expected + len(self.sessions) - len(self.delays)),
        }
        for task in listening:
            task.cancel()
        for _, writer in open_:
            writer.close()
        return figures

    async def _until(self, heard: int, *, patience: float = 20.0) -> None:
        deadline = time.monotonic() + patience
        while len(self.delays) < heard and time.monotonic() < deadline:
            await asyncio.sleep(0.05)

    async def _open(
        self, gate: asyncio.Semaphore, key: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with gate:
            reader, writer = await asyncio.open_connection(self.host, self.port)
            writer.write(
                f"GET /notificaciones/novedades/ HTTP/1.1\r\nHost: {self.host}\r\n"
                f"Cookie: sessionid={key}\r\n\r\n".encode()
            )
            status = await reader.readline()
            if b" 200 " not in status:
                raise SystemExit(f"a stream was refused: {status!r}")
            await reader.readuntil(b"event: refresh")
            return reader, writer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if SENT.encode() in line:
                sent = json.loads(line.removeprefix(b"data: "))[SENT]
                self.delays.append(time.time() - sent)


def _tell(employees: list[int]) -> None:
    from portal import news
    from portal.notifications import events

    for employee in employees:
        news.publish(events.topic(employee), {"type": "activity", SENT: time.time()})


def _listeners() -> int:
    """Connections to the database that listen, of all processes."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'portal news'"
        )
        found: int = cursor.fetchone()[0]
        return found


if __name__ == "__main__":
    main()
