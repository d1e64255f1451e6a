"""From a socket to its journal: who may write there, and everything that waits in one sync."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from portal.live.intake import Mode
from portal.live.journal import Busy, Journal, WriterLock, extent, lock_recording
from portal.live.protocol import SAMPLE_RATE, Entry
from portal.live.threads import on_disk

MOST_WAITING = 64
"""Entries, a megabyte at most; after that the browser waits."""

PATIENCE_SECONDS = 3.0
LOOK_AGAIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Seat:
    """The right to write one part. Who records also has the one `WriterLock` of the recording."""

    journal: Journal
    lock: WriterLock | None

    def leave(self) -> None:
        """For whoever wants it next; what is being written is finished first."""
        self.journal.close()
        if self.lock is not None:
            self.lock.close()


@dataclass(frozen=True, slots=True)
class Wish:
    part: UUID
    mode: Mode
    takeover: bool


def take_seat(journal: Path, wish: Wish) -> Seat:
    """Raises Busy, DiskFull, OSError."""
    if wish.mode is Mode.DRAIN:
        return Seat(Journal.open(journal), None)
    lock = lock_recording(journal.parent, holder=str(wish.part))
    try:
        return Seat(Journal.open(journal), lock)
    except BaseException:
        lock.close()
        raise


async def wait_for_seat(journal: Path, wish: Wish, ask: Callable[[], Awaitable[None]]) -> Seat:
    """`take_seat`; whoever is there is asked to leave when the wish is reason enough for that: for
    the same browser that comes back, or a takeover.

    Raises Busy, DiskFull, OSError.
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    asked = False
    while True:
        try:
            return await on_disk(take_seat, journal, wish)
        except Busy as busy:
            # Who holds a journal has the same part; who holds the recording says which.
            theirs = busy.holder or str(wish.part)
            if not wish.takeover and theirs != str(wish.part):
                raise
            if asyncio.get_running_loop().time() > deadline:
                raise
        if not asked:
            asked = True
            await ask()
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


def samples_beside(journal: Path) -> int:
    """In the other parts of the recording."""
    others = (path for path in journal.parent.glob("*.journal") if path != journal)
    return sum(extent(path).samples for path in others)


class Writer:
    """Appends what it is given in order, and says how far the disk has it.

    ``saved`` hears the last entry that is on disk after each append. ``failed`` hears what the
    disk refused (DiskFull, OSError), once; nothing is written after that.
    """

    def __init__(
        self,
        seat: Seat,
        *,
        beside: int,
        saved: Callable[[int], Awaitable[None]],
        failed: Callable[[Exception], None],
    ) -> None:
        self._seat = seat
        self._beside = beside
        self._saved = saved
        self._failed = failed
        self._waiting: list[Entry] = []
        self._again = False
        self._broken = False
        self._committing: asyncio.Task[None] | None = None

    @property
    def samples(self) -> int:
        """On disk, in all parts."""
        return self._beside + self._seat.journal.samples

    @property
    def saved_ms(self) -> int:
        return self.samples * 1000 // SAMPLE_RATE

    async def put(self, entry: Entry) -> None:
        """Returns at once unless too much is waiting already."""
        if self._broken:
            return
        self._waiting.append(entry)
        self._start()
        if len(self._waiting) >= MOST_WAITING:
            await self.flush()

    def acknowledge_again(self) -> None:
        self._again = True
        self._start()

    async def flush(self) -> None:
        """Until all that was given is on disk and said to be, or the disk has refused it."""
        if self._committing is not None:
            await asyncio.shield(self._committing)

    def _start(self) -> None:
        if not self._broken and (self._committing is None or self._committing.done()):
            self._committing = asyncio.create_task(self._commit())

    async def _commit(self) -> None:
        journal = self._seat.journal
        while self._waiting or self._again:
            batch, self._waiting, self._again = self._waiting, [], False
            if batch:
                try:
                    await on_disk(journal.append, batch)
                except Exception as error:
                    self._broken = True
                    self._waiting.clear()
                    self._failed(error)
                    return
            if journal.next_seq:
                await self._saved(journal.next_seq - 1)
