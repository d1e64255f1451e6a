"""How many recordings a recogniser listens to at once, when it cannot listen to all of them.

The newest give way, so that the older ones stay within seconds of what is said; those left out are
transcribed at the end. Decided from what the recordings show, not from what the machine should be
able to do: it does other things too. Pure: the time is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

TOO_FAR = 8.0
"""Seconds of sound not yet listened to from which a recording is late. A machine that keeps up is
at most one stretch of speech behind (8 s are cut in any case), and works on that for a second."""

SETTLE = 10.0
"""Seconds for which somebody must be late, with no less to do at their end than at their beginning,
before one gives way: after a restart or a lost connection all have much to catch up, and do. The
first feeds after a start are slow, since models load."""

NEAR = 3.0
"""Seconds behind up to which a recording keeps up."""

CALM = 20.0
"""Seconds for which all must keep up before another joins; doubled each time that was too much."""

MOST_CALM = 320.0

TRIAL = 60.0
"""Seconds after one joined within which somebody giving way means that it was too much."""

MOST_LOAD = 0.8
"""Share of the processors that those who listen may use with one more among them."""


@dataclass(frozen=True, slots=True)
class Load:
    """A recording listened to, and the seconds of its sound that wait."""

    recording: UUID
    behind: float


@dataclass(frozen=True, slots=True)
class Decision:
    give_way: UUID | None = None
    join: UUID | None = None


class Overload:
    """Asked about every second; remembers what it needs to tell a moment from a state."""

    def __init__(self) -> None:
        self._calm = CALM
        self._late: tuple[float, float] | None = None  # since when, and what there was to do
        self._keeping_up: float | None = None
        self._joined = float("-inf")

    def decide(
        self, now: float, *, listening: Sequence[Load], waiting: Sequence[UUID], load: float
    ) -> Decision:
        """Who gives way or joins now: at most one. Both lists begin with the oldest recording.

        ``load``: the share of the processors, 0 to 1, that listening takes.
        """
        behind = sum(one.behind for one in listening)
        worst = max((one.behind for one in listening), default=0.0)
        if self._stays_late(now, worst, behind):
            if now - self._joined < TRIAL:
                self._calm = min(2 * self._calm, MOST_CALM)
            self._late, self._keeping_up = None, None
            return Decision(give_way=listening[-1].recording)
        if not waiting and now - self._joined >= TRIAL:
            self._calm = CALM
        share = load / len(listening) if listening else 0.0
        if worst > NEAR or load + share > MOST_LOAD:
            self._keeping_up = None
            return Decision()
        if self._keeping_up is None:
            self._keeping_up = now
        if waiting and now - self._keeping_up >= self._calm:
            self._joined, self._keeping_up = now, None
            return Decision(join=waiting[0])
        return Decision()

    def _stays_late(self, now: float, worst: float, behind: float) -> bool:
        if worst <= TOO_FAR:
            self._late = None
        elif self._late is None:
            self._late = (now, behind)
        elif now - self._late[0] >= SETTLE:
            before = self._late[1]
            self._late = (now, behind)
            return behind >= before
        return False
