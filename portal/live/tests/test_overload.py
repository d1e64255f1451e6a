"""Who gives way when more is recorded than can be heard. Time is a number here."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from uuid import UUID

from portal.live.overload import CALM, MOST_CALM, SETTLE, Load, Overload

FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))


@dataclass
class Machine:
    """Hears `speed` seconds of sound in a second, shared among those it listens to."""

    speed: float
    recorded: list[UUID]
    now: float = 0.0
    load: float = 0.3
    behind: dict[UUID, float] = field(default_factory=dict)
    left_out: set[UUID] = field(default_factory=set)
    policy: Overload = field(default_factory=Overload)
    happened: list[tuple[float, str, UUID]] = field(default_factory=list)

    @property
    def listening(self) -> list[UUID]:
        return [one for one in self.recorded if one not in self.left_out]

    def goes_on(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1.0
            listening = self.listening
            for one in listening:
                share = self.speed / len(listening)
                self.behind[one] = max(0.0, self.behind.get(one, 0.0) + 1.0 - share)
            decision = self.policy.decide(
                self.now,
                listening=[Load(one, self.behind[one]) for one in listening],
                waiting=[one for one in self.recorded if one in self.left_out],
                load=self.load,
            )
            if decision.give_way:
                self.left_out.add(decision.give_way)
                self.happened.append((self.now, "gives way", decision.give_way))
            if decision.join:
                self.left_out.discard(decision.join)
                self.behind[decision.join] = 0.0
                self.happened.append((self.now, "joins", decision.join))


def test_a_machine_that_keeps_up_hears_everybody() -> None:
    machine = Machine(speed=4, recorded=[FIRST, SECOND, THIRD])
    machine.goes_on(600)
    assert machine.happened == []


def test_the_newest_gives_way_and_the_others_catch_up() -> None:
    machine = Machine(speed=2.5, recorded=[FIRST, SECOND, THIRD])
    machine.goes_on(90)
    assert [what for _, *what in machine.happened] == [["gives way", THIRD]]
    assert machine.listening == [FIRST, SECOND]
    assert max(machine.behind[one] for one in machine.listening) < 3
    machine = Machine(speed=1.5, recorded=[FIRST, SECOND, THIRD])
    machine.goes_on(40)
    assert machine.listening == [FIRST]


def test_much_to_catch_up_is_no_overload() -> None:
    machine = Machine(speed=8, recorded=[FIRST, SECOND])
    machine.goes_on(5)
    machine.behind = {FIRST: 120.0, SECOND: 5.0}
    machine.goes_on(120)
    assert machine.happened == []


def test_the_only_one_gives_way_to_the_present() -> None:
    machine = Machine(speed=0.5, recorded=[FIRST])
    machine.goes_on(60)
    assert machine.happened[0][1:] == ("gives way", FIRST)


def test_it_comes_back_when_there_is_room() -> None:
    machine = Machine(speed=2.5, recorded=[FIRST, SECOND, THIRD])
    machine.goes_on(60)
    machine.recorded.remove(FIRST)
    machine.goes_on(int(CALM) + 60)
    assert machine.listening == [SECOND, THIRD]
    machine.goes_on(300)
    assert len(machine.happened) == 2


def test_a_busy_machine_takes_nobody_back() -> None:
    machine = Machine(speed=2.5, recorded=[FIRST, SECOND, THIRD])
    machine.goes_on(60)
    machine.recorded.remove(FIRST)
    machine.load = 0.9
    machine.goes_on(600)
    assert machine.listening == [SECOND]


def test_what_was_too_much_is_tried_more_and_more_rarely() -> None:
    machine = Machine(speed=2.2, recorded=[FIRST, SECOND, THIRD])
    machine.goes_on(3600)
    joins = [when for when, what, _ in machine.happened if what == "joins"]
    between = [later - earlier for earlier, later in itertools.pairwise(joins)]
    assert between[0] < between[-1]
    assert between[-1] >= MOST_CALM
    assert {who for _, _, who in machine.happened} == {THIRD}
    assert SETTLE < CALM
