"""Where a socket's waiting is done: never on the event loop, and never one kind behind the other.

A database that does not answer must not keep audio from the disk.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import OperationalError, close_old_connections

P = ParamSpec("P")
R = TypeVar("R")

ANSWER_SECONDS = 10.0
"""A database that takes longer counts as away, for whoever asked."""

_DISK = ThreadPoolExecutor(8, thread_name_prefix="live-disk")
# The pool of connections has twelve, and pages need some.
_DATABASE = ThreadPoolExecutor(4, thread_name_prefix="live-database")


async def on_disk(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    call = functools.partial(function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_DISK, call)


async def in_database(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """With a connection that works, given back afterwards.

    Raises django.db.Error, also when there is no answer.
    """

    def call() -> R:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asyncio.get_running_loop().run_in_executor(_DATABASE, call)
    except TimeoutError:
        raise OperationalError("no answer in time") from None
