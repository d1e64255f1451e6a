"""What happens, told to whoever has it on screen and to nobody else: PostgreSQL's NOTIFY.

`publish` is part of the caller's transaction, so that nobody hears of what was rolled back. One
connection of a web process listens for all that are `subscribed` in it, from the first to the last
of them. When it is lost it is made again, and everybody who may have missed something gets
``{"type": "refresh"}``: look again. A topic is any short text that the two sides agree on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from typing import Any

import psycopg
from django.db import connection as django_connection

log = logging.getLogger(__name__)

Message = dict[str, Any]
REFRESH: Message = {"type": "refresh"}
CHANNEL = "portal"
MOST_BYTES = 7900
"""PostgreSQL takes less than 8000."""
MOST_WAITING = 200
"""Messages of one subscription; one that is slower than that looks again instead."""
PATIENCE_SECONDS = 3.0
PROBE_SECONDS = 15.0
MAX_PAUSE_SECONDS = 10.0


def publish(topic: str, message: Mapping[str, Any]) -> None:
    """Tell `message`; what is too long is replaced by ``{"type": "refresh"}``."""
    payload = json.dumps({"topic": topic, "message": message}, ensure_ascii=False)
    if len(payload.encode()) > MOST_BYTES:
        payload = json.dumps({"topic": topic, "message": REFRESH})
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])


class Subscription:
    """The messages about one topic, in their order."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Message] = asyncio.Queue(MOST_WAITING)
        # Something may have been said that it did not get.
        self.missed = False

    async def next(self) -> Message:
        return await self._waiting.get()

    def put(self, message: Message) -> None:
        if self._waiting.full():
            while not self._waiting.empty():
                self._waiting.get_nowait()
            message = REFRESH
        self._waiting.put_nowait(message)


class _Listener:
    """Of one event loop."""

    def __init__(self) -> None:
        self.subscriptions: defaultdict[str, set[Subscription]] = defaultdict(set)
        self.ready = asyncio.Event()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        pause = 0.5
        while True:
            try:
                async with await _connect() as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    pause = 0.5
                    self._connected()
                    await self._dispatch_all(connection)
            except Exception as error:  # whatever it is, the next connection may do better
                log.warning("No news for now: %s", type(error).__name__)
            self._lost()
            await asyncio.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    async def _dispatch_all(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            async for notify in connection.notifies(timeout=PROBE_SECONDS):
                self._dispatch(notify.payload)
            # A database that went away without a word is noticed by asking.
            async with asyncio.timeout(PROBE_SECONDS):
                await connection.execute("SELECT 1")

    def _dispatch(self, payload: str) -> None:
        content = json.loads(payload)
        for subscription in self.subscriptions.get(content["topic"], ()):
            subscription.put(content["message"])

    def _connected(self) -> None:
        self.ready.set()
        for subscription in self._all():
            if subscription.missed:
                subscription.missed = False
                subscription.put(REFRESH)

    def _lost(self) -> None:
        self.ready.clear()
        for subscription in self._all():
            subscription.missed = True

    def _all(self) -> list[Subscription]:
        return [one for several in self.subscriptions.values() for one in several]


_listeners: dict[asyncio.AbstractEventLoop, _Listener] = {}


@contextlib.asynccontextmanager
async def subscribed(topic: str) -> AsyncIterator[Subscription]:
    """Everything published about ``topic`` from here on.

    Without a database one waits a few seconds for it, and goes on with a ``refresh`` to come.
    """
    loop = asyncio.get_running_loop()
    if loop not in _listeners:
        _listeners[loop] = _Listener()
    listener = _listeners[loop]
    subscription = Subscription()
    listener.subscriptions[topic].add(subscription)
    try:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await listener.ready.wait()
        except TimeoutError:
            subscription.missed = True
        yield subscription
    finally:
        listener.subscriptions[topic].discard(subscription)
        if not listener.subscriptions[topic]:
            del listener.subscriptions[topic]
        if not listener.subscriptions:
            del _listeners[loop]
            listener.task.cancel()


async def _connect() -> psycopg.AsyncConnection[Any]:
    """One of its own: a connection that listens is of no use to anybody else."""
    parameters = django_connection.get_connection_params()
    wanted = {
        name: parameters[name]
        for name in ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert")
        if name in parameters
    }
    return await psycopg.AsyncConnection.connect(
        **wanted, autocommit=True, connect_timeout=10, application_name="portal news"
    )
