"""How many requests are under way at once, over time."""

from __future__ import annotations

import math
import sys
from collections import Counter
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TypeVar

T = TypeVar("T")
ALL = ""

_SECONDS = 3_700
_MINUTE, _MINUTES = 60, 20_160
_MOST_EVENTS = 50_000


@dataclass(slots=True)
class Cell:
    """The most at once in one piece of time, and how many were left at its end."""

    peak: int = 0
    left: int = 0


class Flight:
    """Peaks of the requests under way, of each instance and of all together (`""`), by the second for an hour and by
    the minute for a fortnight. Begins and ends may come in any order until they are read."""

    def __init__(self) -> None:
        self._events: list[tuple[float, int, str]] = []
        self._levels: Counter[str] = Counter()
        self._session: Counter[str] = Counter()
        self._peaks: dict[int, dict[str, int]] = {}
        self._seconds: dict[int, Cell] = {}
        self._minutes: dict[int, Cell] = {}

    def begin(self, instance_id: str, at: float) -> None:
        """A request has come."""
        self._expect(at, 1, instance_id)

    def end(self, instance_id: str, at: float) -> None:
        """A request has ended; one that comes in the same moment comes after it."""
        self._expect(at, -1, instance_id)

    def settle(self, now: float, most: int = sys.maxsize) -> None:
        """Count what has happened until `now`, or the first of it."""
        while most and self._events and self._events[0][0] <= now:
            self._count(*heappop(self._events))
            most -= 1
        _shorten(self._peaks, _SECONDS)
        _shorten(self._seconds, _SECONDS)
        _shorten(self._minutes, _MINUTES)

    def peak(self, instance_id: str, since: float | None) -> int:
        """The most at once since then; of the session for None."""
        if since is None:
            return self._session[instance_id]
        start = int(since)
        peaks = [cell[instance_id] for second, cell in self._peaks.items() if second >= start and instance_id in cell]
        return max(peaks, default=self._levels[instance_id])

    def steps(self, since: float, step_s: float, count: int) -> tuple[int, ...]:
        """The peaks of all together in `count` steps from `since` on."""
        width, cells = (1, self._seconds) if step_s * count <= _SECONDS else (_MINUTE, self._minutes)
        found = [0] * count
        level, filled = 0, 0
        for number in sorted(cells):
            at, cell = number * width, cells[number]
            first = math.floor((at - since) / step_s)
            for step in range(filled, min(max(first, 0), count)):
                found[step] = max(found[step], level)
            filled, level = max(filled, first), cell.left
            for step in range(max(first, 0), min(math.ceil((at + width - since) / step_s), count)):
                found[step] = max(found[step], cell.peak)
        for step in range(max(filled, 0), count):
            found[step] = max(found[step], level)
        return tuple(found)

    def _expect(self, at: float, step: int, instance_id: str) -> None:
        heappush(self._events, (at, step, instance_id))
        if len(self._events) > _MOST_EVENTS:  # a clock that is ahead
            self._count(*heappop(self._events))

    def _count(self, at: float, step: int, instance_id: str) -> None:
        second, before, after = int(at), 0, 0
        peaks = self._peaks.setdefault(second, {})
        for name in (instance_id, ALL) if instance_id else (ALL,):
            before = self._levels[name]
            after = self._levels[name] = max(0, before + step)
            peaks[name] = max(peaks.get(name, 0), before, after)
            self._session[name] = max(self._session[name], after)
        for number, cells in ((second, self._seconds), (second // _MINUTE, self._minutes)):
            if (cell := cells.get(number)) is None:
                cell = cells[number] = Cell()
            cell.peak, cell.left = max(cell.peak, before, after), after


def _shorten(cells: dict[int, T], most: int) -> None:
    while len(cells) > most:
        del cells[next(iter(cells))]
