"""The socket of a live recording, where the network, the clock and the database meet.

`protocol.py` says what is spoken, `intake.py` decides on each message, `writer.py` keeps it.

Audio needs nothing but the disk once it flows: a database or a recogniser that is away only delays
what is shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Coroutine, Mapping
from typing import Any
from uuid import uuid4

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone, translation

from portal import news
from portal.conversations.errors import Refused
from portal.faults import kind_and_place
from portal.live import admission, events, queries, services
from portal.live.admission import Admission, Turned
from portal.live.intake import Begin, Change, Intake, Keep, Mode, Phase, Repeat, Step, Stop
from portal.live.journal import Busy, DiskFull
from portal.live.protocol import SENTENCES, Audio, CloseCode
from portal.live.threads import in_database, on_disk
from portal.live.transcription import TranscriptionWatch
from portal.live.writer import Seat, Wish, Writer, samples_beside, wait_for_seat

log = logging.getLogger(__name__)

HELLO_SECONDS = 10.0
NOTE_SECONDS = 5.0
CHECK_SECONDS = 15.0
FAREWELL_SECONDS = 2.0
ENDING_SECONDS = 5.0

INTERNAL_ERROR = 1011
TRY_AGAIN_LATER = 1013
"""Codes of RFC 6455, for what is not the browser's doing."""

SHOWN = frozenset({"partial", "turns", "coverage", "state"})
"""Messages of others that are passed on as they are."""


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels is not typed
    """One connection, from its acceptance to its end."""

    admitted: Admission
    seat: Seat | None = None
    writer: Writer | None = None

    def __init__(self) -> None:
        super().__init__()
        self.name = str(uuid4())
        self.language = settings.LANGUAGE_CODE
        self.intake = Intake(most_seconds=settings.ENV.live_max_seconds)
        self.wish: Wish | None = None
        self.transcription = TranscriptionWatch()
        self.ending = False
        self.closed = False
        self.holding = contextlib.AsyncExitStack()
        self.tasks: set[asyncio.Task[None]] = set()
        self.note_now = asyncio.Event()
        self.begun_at = time.monotonic()

    async def dispatch(self, message: Mapping[str, Any]) -> None:
        """Not as the base class does it: that waits for a thread at every message, which all
        sockets would share. What goes wrong here ends this socket and no other."""
        try:
            match message["type"]:
                case "websocket.connect":
                    await self.connect()
                case "websocket.receive":
                    await self._receive(message)
                case "websocket.disconnect":
                    await self._end(None)
                    raise StopConsumer
        except StopConsumer:
            raise
        except Exception as error:
            await self._broke(error)

    async def connect(self) -> None:
        await self.accept()
        recording_id = self.scope["url_route"]["kwargs"]["pk"]
        self.session_key = self.scope["cookies"].get(settings.SESSION_COOKIE_NAME)
        self.admitted = await in_database(admission.admit, self.session_key, recording_id)
        self.language = self.admitted.employee.language
        age = timezone.now() - self.admitted.recording.created_at
        self.begun_at = time.monotonic() - age.total_seconds()
        self._start(self._wait_for_hello())

    async def _receive(self, message: Mapping[str, Any]) -> None:
        text = message.get("text")
        if text is not None:
            step = self.intake.text(text)
        else:
            elapsed = time.monotonic() - self.begun_at
            step = self.intake.binary(message["bytes"], elapsed=elapsed)
        if step is not None:
            await self._do(step)

    async def _do(self, step: Step) -> None:
        match step:
            case Begin(part, mode, takeover):
                await self._begin(Wish(part, mode, takeover))
            case Keep(entry) if self.writer is not None:
                if isinstance(entry, Audio):
                    self.transcription.audio(time.monotonic())
                await self.writer.put(entry)
            case Repeat() if self.writer is not None:
                self.writer.acknowledge_again()
            case Change():
                self.note_now.set()
            case Stop(code):
                await self._end(code)

    async def _begin(self, wish: Wish) -> None:
        """Take the seat and tell how things are. What is said from then on comes after that."""
        recording = self.admitted.recording
        said = await self.holding.enter_async_context(news.subscribed(events.topic(recording.pk)))
        part = await in_database(services.part_for, recording=recording, token=wish.part)

        async def ask() -> None:
            await in_database(events.publish, recording.pk, self._request(wish))

        try:
            seat = await wait_for_seat(part.journal, wish, ask)
        except Busy:
            # Whoever ends the recording has its seats too.
            await self._check()
            await self._end(CloseCode.BUSY)
            return
        self.seat = seat
        self.writer = Writer(
            seat,
            beside=await on_disk(samples_beside, part.journal),
            saved=self._acknowledge,
            failed=lambda error: self._start(self._broke(error)),
        )
        self.wish = wish
        await self._check()  # it may have been ended, and its journals taken away, just before
        told = await in_database(queries.snapshot, recording)
        self.intake.opened(next_seq=seat.journal.next_seq, samples=self.writer.samples)
        welcome = {
            "type": "welcome",
            "next": seat.journal.next_seq,
            "transcription": self.transcription.status,
        }
        await self._send({**welcome, **told, "saved_ms": self.writer.saved_ms})
        self._start(self._pass_on(said))
        self._start(self._keep_checking())
        if wish.mode is Mode.RECORD:
            self._start(self._keep_noting())
            self._start(self._watch_transcription())

    def _request(self, wish: Wish) -> dict[str, Any]:
        return {
            "type": "yield",
            "by": self.name,
            "part": str(wish.part),
            "mode": wish.mode,
            "takeover": wish.takeover,
        }

    async def _acknowledge(self, seq: int) -> None:
        if self.writer is not None:
            await self._send({"type": "ack", "seq": seq, "saved_ms": self.writer.saved_ms})

    # What runs beside the messages.

    async def _wait_for_hello(self) -> None:
        await asyncio.sleep(HELLO_SECONDS)
        if self.intake.phase is Phase.WAITING:
            await self._end(CloseCode.NO_HELLO)

    async def _pass_on(self, said: news.Subscription) -> None:
        while True:
            message = await said.next()
            match message:
                case {"type": "ended"}:
                    await self._end(CloseCode.ENDED, farewell=message)
                case {"type": "yield"}:
                    await self._yield(message)
                case {"type": "refresh"}:
                    await self._look_again()
                case {"type": "transcription", "status": status}:
                    await self._tell_transcription(
                        self.transcription.heard(status, time.monotonic())
                    )
                case {"type": kind} if kind in SHOWN:
                    await self._send(message)

    async def _yield(self, request: Mapping[str, Any]) -> None:
        """Make room for who has more right to it: see `Mode`, and `writer.wait_for_seat`."""
        if request["part"] is None:
            # Somebody ends the recording: `ended` comes next, unless that fails.
            await self._leave()
            self._start(self._wait_for_ending())
            return
        mine = self.wish
        if mine is None or request["by"] == self.name:
            return
        if request["mode"] == Mode.DRAIN and mine.mode is Mode.RECORD:
            return
        if request["part"] == str(mine.part):
            # The same browser came back: this connection is the one it lost.
            await self._end(CloseCode.TAKEN_OVER, silently=True)
        elif request["takeover"] and mine.mode is Mode.RECORD:
            await self._end(CloseCode.TAKEN_OVER)

    async def _wait_for_ending(self) -> None:
        await asyncio.sleep(ENDING_SECONDS)
        await self._end(TRY_AGAIN_LATER)

    async def _look_again(self) -> None:
        with contextlib.suppress(DatabaseError):
            await self._check()
            told = await in_database(queries.snapshot, self.admitted.recording)
            await self._send({"type": "turns", "turns": told["turns"]})
            coverage = {part: told[part] for part in told if part in ("ticks", "left_out")}
            await self._send({"type": "coverage", **coverage})

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            # Without a database nobody can say that it is not allowed any more: it goes on.
            with contextlib.suppress(DatabaseError):
                await self._check()

    async def _check(self) -> None:
        """Raises Turned."""
        self.admitted = await in_database(
            admission.admit, self.session_key, self.admitted.recording.pk
        )
        self.language = self.admitted.employee.language

    async def _keep_noting(self) -> None:
        # A browser that comes back in a pause says so in a moment: see `intake`.
        await self._note(state=None)
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(NOTE_SECONDS):
                    await self.note_now.wait()
            self.note_now.clear()
            await self._note(state=self.intake.phase)

    async def _note(self, *, state: str | None) -> None:
        if self.writer is None or self.wish is None or self.wish.mode is not Mode.RECORD:
            return
        with contextlib.suppress(DatabaseError):
            await in_database(
                services.note_alive,
                recording_id=self.admitted.recording.pk,
                saved_ms=self.writer.saved_ms,
                state=state,
            )

    async def _note_gone(self) -> None:
        if self.wish is not None and self.wish.mode is Mode.RECORD and self.writer is not None:
            with contextlib.suppress(DatabaseError):
                await in_database(services.note_gone, recording_id=self.admitted.recording.pk)

    async def _watch_transcription(self) -> None:
        while True:
            await asyncio.sleep(1)
            await self._tell_transcription(self.transcription.look(time.monotonic()))

    async def _tell_transcription(self, status: str | None) -> None:
        if status is not None:
            await self._send({"type": "transcription", "status": status})

    # How it ends.

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Beside the others; what goes wrong in it ends the connection."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:
                await self._broke(error)

        task = asyncio.create_task(guarded())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _broke(self, error: Exception) -> None:
        match error:
            case Turned():
                self.language = error.language
                await self._end(error.code)
            case Refused():
                await self._end(_CODES.get(error.code, CloseCode.ENDED))
            case DiskFull():
                await self._end(CloseCode.DISK_FULL)
            case DatabaseError():
                await self._end(TRY_AGAIN_LATER)
            case _:
                log.error("The socket of a live recording broke: %s", kind_and_place(error))
                await self._end(INTERNAL_ERROR)

    async def _end(
        self,
        code: int | None,
        *,
        farewell: Mapping[str, Any] | None = None,
        silently: bool = False,
    ) -> None:
        """Keep what came, let go of the seat, say why (``code`` None: nobody is there any more)."""
        if self.ending:
            return
        self.ending = True
        current = asyncio.current_task()
        for task in self.tasks - {current}:
            task.cancel()
        await self._leave()
        if code is not None:
            if farewell is not None:
                await self._send(farewell)
            elif code in SENTENCES and not silently:
                await self._send(self._error(CloseCode(code)))
            self.closed = True
            with contextlib.suppress(OSError):
                await self.close(code)
        await self._note(state=None)
        if code != CloseCode.TAKEN_OVER:
            await self._note_gone()
        await self.holding.aclose()

    async def _leave(self) -> None:
        """Keep what came, take no more, and make room for others."""
        self.intake.close()
        if self.writer is not None:
            # Acknowledgements may wait for a network that is gone, others for this seat.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await self.writer.flush()
        if self.seat is not None:
            await on_disk(self.seat.leave)

    def _error(self, code: CloseCode) -> dict[str, Any]:
        with translation.override(self.language):
            return {"type": "error", "code": int(code), "message": str(SENTENCES[code])}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if self.closed:
            return
        # That somebody is gone comes as a message of its own.
        with contextlib.suppress(OSError):
            await self.send(text_data=json.dumps(message, ensure_ascii=False))


_CODES = {
    "consent_missing": CloseCode.CONSENT,
    "consent_withdrawn": CloseCode.CONSENT,
}
"""Of what `services.part_for` refuses; otherwise the recording has ended."""
