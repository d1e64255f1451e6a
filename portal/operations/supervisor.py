"""`portal up`: the database, the web, the recogniser and the worker under one process.

A child that dies is started again; Ctrl-C or SIGTERM ends web, recogniser, worker and database in
that order; none survives this process, even when it is killed with -9. The terminal stays quiet:
what the children say goes to `data/log`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import functools
import json
import logging.handlers
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import click

from portal.analysis.llm import local_models
from portal.operations import database

PORTAL = (sys.executable, "-m", "portal.cli")
LOG_BYTES = 5_000_000
STEADY_SECONDS = 60.0
MAX_PAUSE_SECONDS = 30.0


class StartError(Exception):
    """The portal cannot start; the message says why and what to do."""


class Child:
    """One `portal` process, started again for as long as it is wanted."""

    def __init__(
        self, label: str, *arguments: str, patience: float, data: Path, pass_fds: tuple[int, ...]
    ) -> None:
        self.label = label
        self.arguments = arguments
        self.patience = patience  # seconds to finish what it is at, when asked to end
        self.pass_fds = pass_fds
        self.log = data / "log" / f"{arguments[0]}.log"
        self.failures = 0
        self._wanted = True
        self._process: asyncio.subprocess.Process | None = None

    async def keep(self) -> None:
        while self._wanted:
            started = time.monotonic()
            self._process = await start(*self.arguments, pass_fds=self.pass_fds)
            await self._copy_output(self._process)
            code = await self._process.wait()
            if not self._wanted:
                return
            self.failures = 1 if time.monotonic() - started > STEADY_SECONDS else self.failures + 1
            pause = min(2.0 ** (self.failures - 1), MAX_PAUSE_SECONDS)
            click.echo(
                f"{self.label} se ha cerrado (código {code}) y vuelve a arrancar en {pause:.0f} s. "
                f"Detalles en {self.log}"
            )
            await asyncio.sleep(pause)

    async def _copy_output(self, process: asyncio.subprocess.Process) -> None:
        """Through us, not straight into the file: so that the file can be turned over."""
        handler = logging.handlers.RotatingFileHandler(
            self.log, maxBytes=LOG_BYTES, backupCount=3, encoding="utf-8"
        )
        handler.terminator = ""
        with contextlib.closing(handler):
            while chunk := await _output(process).read(65536):
                handler.emit(logging.makeLogRecord({"msg": chunk.decode("utf-8", "replace")}))

    async def end(self) -> None:
        self._wanted = False
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), self.patience)
        self.kill()
        await process.wait()

    def kill(self) -> None:
        """The process and whatever it started itself."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])


async def start(
    *arguments: str,
    pass_fds: tuple[int, ...] = (),
    stdout: int | None = subprocess.PIPE,
    stderr: int | None = subprocess.STDOUT,
) -> asyncio.subprocess.Process:
    """A `portal` command as a child that ends with us at the latest."""
    return await asyncio.create_subprocess_exec(
        *PORTAL,
        *arguments,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        pass_fds=pass_fds,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        # A session of its own: Ctrl-C reaches us alone, and we end them in order. What was
        # received is on disk and a job is repeated, so nothing is lost when they die with us.
        start_new_session=True,
        preexec_fn=functools.partial(database.die_with_parent, signal.SIGKILL),
    )


def _output(process: asyncio.subprocess.Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise TypeError("started without a pipe for its output")
    return process.stdout


@contextlib.asynccontextmanager
async def _ending(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    """The process does not outlast the block, however that is left."""
    try:
        yield
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def listen(host: str, port: int) -> socket.socket:
    """The web's socket is ours, so that visitors wait rather than fail while it starts again."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise StartError(
            f"No se puede usar {host}:{port} ({error.strerror}). Seguramente otro programa usa ya "
            f"ese puerto: ciérrelo, o elija otro con «portal up --port {port + 1}» "
            f"(«make run PORT={port + 1}»)."
        ) from None


@contextlib.contextmanager
def only_one(data: Path, address: str) -> Iterator[None]:
    data.mkdir(parents=True, exist_ok=True)
    (data / "log").mkdir(mode=0o700, exist_ok=True)
    with (data / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise StartError(
                f"El portal ya está en marcha con los datos de {data}: {lock.read().strip()}. "
                "Ábralo en el navegador, o ciérrelo con Ctrl-C allí donde se inició."
            ) from None
        lock.truncate(0)
        lock.write(f"{address} (proceso {os.getpid()})")
        lock.flush()
        yield


def up(*, data: Path, embedded: bool, host: str, port: int, demo: bool) -> None:
    """Run the portal until it is told to end. Raises StartError or DatabaseError."""
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}"
    with only_one(data, address), listen(host, port) as listener:
        asyncio.run(_Portal(data, embedded, listener, address, demo).run())


class _Portal:
    def __init__(
        self, data: Path, embedded: bool, listener: socket.socket, address: str, demo: bool
    ) -> None:
        self.data = data
        self.embedded = embedded
        self.listener = listener
        self.address = address
        self.demo = demo
        descriptor = listener.fileno()
        self.web = Child(
            "El servidor web", "web", "--fd", str(descriptor),
            patience=5, data=data, pass_fds=(descriptor,),
        )  # fmt: skip
        self.worker = Child("El proceso de trabajo", "worker", patience=10, data=data, pass_fds=())
        self.recogniser = Child("El reconocedor", "recogniser", patience=4, data=data, pass_fds=())
        self.language_model = Child(
            "El modelo de lenguaje", "language-model", patience=4, data=data, pass_fds=()
        )
        self.children = [self.web, self.recogniser, self.worker]
        if local_models.problem(data / "models") is None:
            self.children.append(self.language_model)
        self.database: subprocess.Popen[bytes] | None = None
        self._opened = asyncio.Event()

    async def run(self) -> None:
        asked_to_end = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ask_to_end, asked_to_end)
        serving = asyncio.create_task(self._serve())
        ending = asyncio.create_task(asked_to_end.wait())
        await asyncio.wait((serving, ending), return_when=asyncio.FIRST_COMPLETED)
        if asked_to_end.is_set():
            click.echo("\nCerrando el portal…")
        for child in self.children:
            await child.end()
        serving.cancel()
        [outcome] = await asyncio.gather(serving, return_exceptions=True)
        self._end_database()
        if asked_to_end.is_set():
            click.echo("Cerrado. Los datos se conservan.")
        elif isinstance(outcome, Exception):
            raise outcome

    def _ask_to_end(self, asked_to_end: asyncio.Event) -> None:
        if asked_to_end.is_set():  # asked twice: somebody is in a hurry
            for child in self.children:
                child.kill()
        asked_to_end.set()

    def _end_database(self) -> None:
        if self.database is not None and self.database.poll() is None:
            self.database.send_signal(signal.SIGINT)
            self.database.wait()

    async def _serve(self) -> None:
        if self.embedded:
            self.database = database.ensure_running(self.data)
        prepared = await self._prepare()
        await asyncio.gather(
            self.web.keep(),
            *(self._keep_later(child) for child in self.children if child is not self.web),
            self._keep_database(),
            self._open(prepared),
        )

    async def _keep_later(self, child: Child) -> None:
        await self._opened.wait()  # the first page should not share the cores with its start
        await child.keep()

    async def _prepare(self) -> dict[str, Any]:
        process = await start("prepare", *(("--demo",) if self.demo else ()), stderr=None)
        async with _ending(process):
            answer = await _output(process).read()
            if await process.wait() != 0:
                raise StartError("La preparación ha fallado; la causa está más arriba.")
        prepared: dict[str, Any] = json.loads(answer)
        return prepared

    async def _keep_database(self) -> None:
        """A restart here blocks the others for the moment it takes: they could do nothing."""
        while self.embedded:
            await asyncio.sleep(1)
            if self.database is None:  # somebody else's when we began: it may end any time
                self.database = database.ensure_running(self.data)
            elif self.database.poll() is not None:
                click.echo("La base de datos se ha cerrado y vuelve a arrancar.")
                self.database = database.ensure_running(self.data)

    async def _open(self, prepared: dict[str, Any]) -> None:
        while not await self._answers():
            if self.web.failures >= 3:
                raise StartError(
                    f"El servidor web no arranca. Del final de {self.web.log}:\n"
                    f"{self.web.last_lines()}"
                )
            await asyncio.sleep(0.1)
        self._opened.set()
        if prepared["demo_pending"]:
            click.echo(
                f"El portal ya atiende en {self.address}. Solo la primera vez: se procesan las "
                "conversaciones de muestra."
            )
            following = await start("demo", stdout=None, stderr=None)
            async with _ending(following):
                await following.wait()
        click.secho(f"\nPortal listo: {self.address}", bold=True)
        for line in prepared["welcome"]:
            click.echo(line)
        click.echo(f"Los datos están en {self.data}. Ctrl-C lo cierra todo y los conserva.")

    async def _answers(self) -> bool:
        host, port = self.listener.getsockname()[:2]
        try:
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection(host, port)
                writer.write(b"GET /salud/ HTTP/1.0\r\nHost: localhost\r\n\r\n")
                line = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return line.startswith(b"HTTP/")
