"""Statistics of a session's exchanges, in all and of each instance, over sliding windows."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from heapq import heappop, heappush
from itertools import islice

from lmdeck.exchanges.counts import Exact, Rough, Row, row_of
from lmdeck.exchanges.curve import Curve
from lmdeck.exchanges.flight import ALL, Flight
from lmdeck.exchanges.spread import EXACT
from lmdeck.model.exchange import Exchange
from lmdeck.model.statistics import WINDOWS, Series, Summary

_SLICE_S = 10
_MOST_SLICES = 3_600 // _SLICE_S + 2
_MOST_COUNTED = 100_000
_SHORTEST_S = 60.0
_STEP, _LATE_S = 500, 5.0
_NEVER = float("-inf")


class Window:
    """Exact counts of the last rows; it follows the rows only when it is read, and then costs what has changed."""

    def __init__(self) -> None:
        self._groups: dict[str, Exact] = {}
        self._rows: list[tuple[float, int, Row]] = []
        self._next = 0

    def follow(self, rows: deque[Row], first: int, since: float | None) -> dict[str, Exact]:
        """The counts of the rows since then, of which the oldest of `rows` has the number `first`."""
        start = max(first, self._next)
        for number, row in enumerate(islice(rows, start - first, None), start):
            if since is not None:
                if row.ended_at <= since:
                    continue
                heappush(self._rows, (row.ended_at, number, row))
            for name in _names(row):
                self._groups.setdefault(name, Exact()).add(row)
        self._next = first + len(rows)
        while since is not None and self._rows and self._rows[0][0] <= since:
            self._remove(heappop(self._rows)[2])
        return self._groups

    def _remove(self, row: Row) -> None:
        for name in _names(row):
            group = self._groups[name]
            group.remove(row)
            if not group.totals.requests:
                del self._groups[name]


class Tally:
    """Counts exchanges as they change; a finished one counts once, as it first ended.

    Windows are those of `lmdeck.model.statistics.WINDOWS` and end at `now`, Unix seconds by the clock of the logs.
    Percentiles are exact (interpolated as numpy's `linear`) for up to EXACT exchanges in a window; beyond that they
    come from DDSketch, within SKETCH_ERROR, and the windows' edges are true to 10 s.
    """

    def __init__(self) -> None:
        self._rows: deque[Row] = deque()
        self._first = 0
        self._lost_until = _NEVER
        self._windows = {name: Window() for name in WINDOWS}
        self._slices: dict[int, dict[str, Rough]] = {}
        self._session: dict[str, Rough] = {}
        self._flight, self._curve = Flight(), Curve()
        self._under_way: dict[int, str] = {}
        self._counted: OrderedDict[int, None] = OrderedDict()
        self._began: float | None = None

    def add(self, exchange: Exchange) -> None:
        """An exchange as it is now."""
        number = exchange.number
        if number in self._counted:
            return
        if number not in self._under_way:
            self._began = exchange.at if self._began is None else min(self._began, exchange.at)
            self._under_way[number] = exchange.instance_id
            self._flight.begin(exchange.instance_id, exchange.at)
        if exchange.ended_at is not None:
            self._flight.end(self._under_way.pop(number), exchange.ended_at)
            self._count(row_of(exchange))
            self._counted[number] = None
            if len(self._counted) > _MOST_COUNTED:
                self._counted.popitem(last=False)

    def summaries(self, window: str, now: float) -> tuple[Summary, ...]:
        """One line for all together, then one for each instance, the busiest first. Raises KeyError for a window that
        is none of WINDOWS."""
        since = _since(window, now)
        self._flight.settle(now)
        groups: Mapping[str, Exact | Rough]
        if self._is_exact(since):
            groups = self._windows[window].follow(self._rows, self._first, since)
        else:
            self._windows[window] = Window()
            groups = self._session if since is None else self._merged(since)
        lines = [group.summary(name, self._flight.peak(name, since)) for name, group in groups.items() if name != ALL]
        lines.sort(key=lambda line: (-line.requests, line.instance_id))
        everything = groups[ALL].summary(ALL, self._flight.peak(ALL, since)) if ALL in groups else None
        return everything or Summary(ALL, queue_peak=self._flight.peak(ALL, since)), *lines

    def series(self, window: str, now: float, points: int) -> Series:
        """The curves of all together in `points` steps that end at `now`; a session is at least a minute long. Raises
        KeyError for a window that is none of WINDOWS."""
        span = WINDOWS[window] or max(_SHORTEST_S, now - (now if self._began is None else self._began))
        self._flight.settle(now)
        step_s = span / points
        speeds, ttft = self._curve.steps(now - span, step_s, points)
        return Series(step_s, speeds, ttft, self._flight.steps(now - span, step_s, points))

    def _count(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) > EXACT:
            self._lost_until = max(self._lost_until, self._rows.popleft().ended_at)
            self._first += 1
        number = int(row.ended_at // _SLICE_S)
        piece = self._slices.setdefault(number, {})
        for groups in (piece, self._session):
            for name in _names(row):
                if name not in groups:
                    groups[name] = Rough()
                groups[name].add(row)
        while len(self._slices) > _MOST_SLICES:
            del self._slices[min(self._slices)]
        self._curve.add(row)
        if (self._first + len(self._rows)) % _STEP == 0:
            last = sorted(row.ended_at for row in islice(reversed(self._rows), 9))
            self._keep_up(last[len(last) // 2])  # one wrong clock does not empty the windows

    def _is_exact(self, since: float | None) -> bool:
        """Whether all rows since then are still kept."""
        return self._lost_until == _NEVER or (since is not None and self._lost_until <= since)

    def _keep_up(self, now: float) -> None:
        """Do a part of what reading would do, so that a read after a long time is quick as well."""
        self._flight.settle(now - _LATE_S)
        for window, counts in self._windows.items():
            if self._is_exact(since := _since(window, now)):
                counts.follow(self._rows, self._first, since)
            else:
                self._windows[window] = Window()

    def _merged(self, since: float) -> dict[str, Rough]:
        """The slices since then, together."""
        merged: dict[str, Rough] = {}
        for number, groups in self._slices.items():
            if (number + 1) * _SLICE_S > since:
                for name, group in groups.items():
                    merged.setdefault(name, Rough()).merge(group)
        return merged


def _since(window: str, now: float) -> float | None:
    """When a window begins; None for the session's. Raises KeyError for none of WINDOWS."""
    span = WINDOWS[window]
    return None if span is None else now - span


def _names(row: Row) -> tuple[str, ...]:
    """The lines a row counts in."""
    return (ALL, row.instance_id) if row.instance_id else (ALL,)
