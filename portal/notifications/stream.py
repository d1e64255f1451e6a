"""What happens to an employee's conversations, told to their browser while it happens (SSE).

An ASGI application beside Django, which would hold a thread and a connection to the database for
each stream: here an open one is three small tasks. What it tells is only *that* there is something
to look at, ``event: notifications`` or ``event: activity``; pages then ask as they always do, and
`queries.visible_to` decides what they see.

Who asks is decided in one place, `sessions.employees`: when the stream opens, when somebody signs
out (`events`), and every few seconds for all streams at once.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.http import parse_cookie

from portal import news
from portal.accounts import sessions
from portal.notifications import events

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
T = TypeVar("T")

PATH = "/notificaciones/novedades/"
SIGN_OF_LIFE_SECONDS = 20.0
"""A browser that hears nothing for longer than twice that takes the stream for broken."""
CHECK_SECONDS = 15.0
MOST_PER_EMPLOYEE = 20
"""Browsers at once; more ask from time to time instead."""

# Sign-ins are looked up one after the other: a thousand browsers that come back at once must not
# take the connections that pages need.
_DATABASE = ThreadPoolExecutor(1, thread_name_prefix="notifications")


class Beside:
    """``app``, with the stream beside it."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._check: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "GET":
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _session_key(scope)
        try:
            employee = (await _in_database(sessions.employees, [key])).get(key) if key else None
        except DatabaseError:
            await _refuse(send, 503)
            return
        if employee is None:
            await _refuse(send, 401)
            return
        if Counter(stream.employee for stream in _OPEN)[employee.pk] >= MOST_PER_EMPLOYEE:
            await _refuse(send, 429)
            return
        stream = _Stream(key, employee.pk)
        _OPEN.add(stream)
        if self._check is None:
            self._check = asyncio.create_task(self._keep_checking())
        try:
            await stream.run(receive, send)
        finally:
            _OPEN.discard(stream)
            if not _OPEN and self._check is not None:
                self._check.cancel()
                self._check = None

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            # Without a database nobody can say that a session has ended: they go on.
            try:
                open_ = await _in_database(sessions.employees, {s.key for s in _OPEN})
            except DatabaseError:
                continue
            for stream in list(_OPEN):
                if stream.key not in open_:
                    stream.end()


def end_all() -> None:
    """The server goes down: browsers come back to the next one."""
    for stream in list(_OPEN):
        stream.end()


class _Stream:
    def __init__(self, key: str, employee: int) -> None:
        self.key, self.employee = key, employee
        self._ending = asyncio.Event()

    def end(self) -> None:
        self._ending.set()

    async def run(self, receive: Receive, send: Send) -> None:
        """Until the browser goes, or `end`."""
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),  # nginx would hold it back
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        telling = asyncio.create_task(self._tell(send))
        gone = asyncio.create_task(_wait_until_gone(receive))
        ending = asyncio.create_task(self._ending.wait())
        tasks = (telling, gone, ending)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if ending.done() and not ending.cancelled():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self, send: Send) -> None:
        async with news.subscribed(events.topic(self.employee)) as told:
            # What happened until now is looked at once.
            await _write(send, news.REFRESH)
            while True:
                try:
                    async with asyncio.timeout(SIGN_OF_LIFE_SECONDS):
                        message = await told.next()
                except TimeoutError:
                    message = {"type": "alive"}
                if message["type"] != events.SIGNED_OUT:
                    await _write(send, message)
                elif await _has_ended(self.key):
                    self.end()


_OPEN: set[_Stream] = set()


async def _write(send: Send, message: Mapping[str, Any]) -> None:
    content = {name: value for name, value in message.items() if name != "type"}
    text = f"event: {message['type']}\ndata: {json.dumps(content)}\n\n"
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _has_ended(key: str) -> bool:
    try:
        return key not in await _in_database(sessions.employees, [key])
    except DatabaseError:
        return False


async def _refuse(send: Send, status: int) -> None:
    headers = [(b"content-length", b"0"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _session_key(scope: Scope) -> str:
    sent = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    return parse_cookie(sent.decode("latin-1")).get(settings.SESSION_COOKIE_NAME, "")


async def _in_database(function: Callable[..., T], *args: object) -> T:
    def call() -> T:
        close_old_connections()
        try:
            return function(*args)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_DATABASE, call)
