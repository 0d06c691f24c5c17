"""The rhythm of polls, in a clock that is turned by hand."""

import asyncio

import pytest

from lmdeck.feeds.pace import Pace


class Clock:
    """Replaces the loop's waiting: time jumps to the next timer as soon as nothing else is ready."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = 0.0
        self._select = loop._selector.select  # type: ignore[attr-defined]
        loop.time = lambda: self.now  # type: ignore[method-assign]
        loop._selector.select = self.select  # type: ignore[attr-defined]

    def select(self, timeout: float | None) -> object:
        self.now += timeout or 0.0
        return self._select(0)


@pytest.fixture
async def clock() -> Clock:
    return Clock(asyncio.get_running_loop())


async def rests(pace: Pace, clock: Clock, changes: list[bool]) -> list[float]:
    waits = []
    for changed in changes:
        begun = clock.now
        await pace.rest(changed)
        waits.append(round(clock.now - begun, 3))
    return waits


async def test_it_slows_down_while_nothing_changes_and_recovers(clock: Clock) -> None:
    pace = Pace(fast=2.0, slow=6.0)
    assert await rests(pace, clock, [True, False, False, False, False, True]) == [2.0, 3.0, 4.5, 6.0, 6.0, 2.0]


async def test_a_wake_ends_the_rest_but_not_before_the_gap(clock: Clock) -> None:
    pace = Pace(fast=2.0, slow=6.0, gap=0.3)
    asyncio.get_running_loop().call_later(1.0, pace.wake)
    assert await rests(pace, clock, [True]) == [1.0]
    pace.wake()
    assert await rests(pace, clock, [True, True]) == [0.3, 2.0]


async def test_unattended_it_is_slow(clock: Clock) -> None:
    pace = Pace(fast=2.0, slow=6.0)
    pace.attended = False
    assert await rests(pace, clock, [True, True]) == [6.0, 6.0]


async def test_another_rhythm_keeps_its_proportions(clock: Clock) -> None:
    pace = Pace(fast=2.0, slow=6.0)
    pace.tune(4.0)
    assert await rests(pace, clock, [True, False, False, False]) == [4.0, 6.0, 9.0, 12.0]
    pace.tune(0.1)
    assert await rests(pace, clock, [True]) == [0.1]
