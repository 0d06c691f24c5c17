"""Statistics of a session's exchanges, in all and of each instance, over sliding windows."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping
from itertools import islice

from lmdeck.exchanges.counts import Exact, Packed, Packing, Rough, ended_at, row_of
from lmdeck.exchanges.curve import Curve
from lmdeck.exchanges.flight import ALL, Flight
from lmdeck.exchanges.spread import EXACT
from lmdeck.model.exchange import Exchange
from lmdeck.model.statistics import WINDOWS, Series, Summary

_SLICE_S = 10
_MOST_SLICES = 3_600 // _SLICE_S + 2
_SHORTEST_S = 60.0
_STEP, _LATE_S = 100, 5.0
_UNREAD = 10_000  # rows after which nobody seems to read a window any more
_NEVER = float("-inf")


class Rows:
    """The newest finished exchanges, EXACT at most, numbered as they come. `lost_until` is the latest end of those that
    had to go."""

    def __init__(self) -> None:
        self._rows: deque[Packed] = deque()
        self.end = 0
        self.lost_until = _NEVER

    def add(self, row: Packed) -> None:
        """One more."""
        self._rows.append(row)
        self.end += 1
        if len(self._rows) > EXACT:
            self.lost_until = max(self.lost_until, ended_at(self._rows.popleft()))

    def since(self, number: int) -> list[Packed]:
        """What has come from this number on, as far as it is kept."""
        return list(islice(reversed(self._rows), self.end - number))[::-1]


class Window:
    """Exact counts of the last rows. Nothing is done for it until it is read; `read_at` is how many rows there were
    when it last was."""

    def __init__(self) -> None:
        self._groups: dict[str, Exact] = {}
        self._rows: list[Packed] = []
        self._next = 0
        self.read_at: int | None = None

    def follow(self, rows: Rows, packing: Packing, since: float | None) -> dict[str, Exact]:
        """The counts of the rows since then."""
        fresh, self._next = rows.since(self._next), rows.end
        if since is not None:
            fresh = sorted((row for row in fresh if ended_at(row) > since), key=ended_at)
            self._keep(fresh)
        for name, batch in packing.batches_and_all(fresh).items():
            self._groups.setdefault(name, Exact()).add(batch)
        if since is not None:
            self._let_go(packing, since)
        return self._groups

    def _keep(self, fresh: list[Packed]) -> None:
        """Put these, which are in order, where their ends belong."""
        kept = self._rows
        if fresh and kept and ended_at(fresh[0]) < ended_at(kept[-1]):
            place = bisect_right(kept, ended_at(fresh[0]), key=ended_at)
            kept[place:] = sorted(kept[place:] + fresh, key=ended_at)
        else:
            kept += fresh

    def _let_go(self, packing: Packing, since: float) -> None:
        gone = bisect_right(self._rows, since, key=ended_at)
        for name, batch in packing.batches_and_all(self._rows[:gone]).items():
            self._groups[name].remove(batch)
            if not self._groups[name].totals.requests:
                del self._groups[name]
        del self._rows[:gone]


class Tally:
    """Counts exchanges as they change; a finished one counts once, as it first ended. They are numbered in the order in
    which they are told for the first time.

    Windows are those of `lmdeck.model.statistics.WINDOWS` and end at `now`, Unix seconds by the clock of the logs.
    Percentiles are exact (interpolated as numpy's `linear`) for up to EXACT exchanges in a window; beyond that they
    come from DDSketch, within SKETCH_ERROR, and the windows' edges are true to 10 s.
    """

    def __init__(self) -> None:
        self._packing, self._rows = Packing(), Rows()
        self._windows = {name: Window() for name in WINDOWS}
        self._sketched = 0
        self._slices: dict[int, dict[str, Rough]] = {}
        self._session: dict[str, Rough] = {}
        self._flight, self._curve = Flight(), Curve()
        self._last = -1
        self._under_way: dict[int, str] = {}
        self._began: float | None = None

    def add(self, exchange: Exchange) -> None:
        """An exchange as it is now."""
        number = exchange.number
        if number > self._last:
            self._last = number
            self._began = exchange.at if self._began is None else min(self._began, exchange.at)
            name = self._under_way[number] = self._packing.known(exchange.instance_id)
            self._flight.begin(name, exchange.at)
        if exchange.ended_at is not None and number in self._under_way:
            self._flight.end(self._under_way.pop(number), exchange.ended_at)
            self._count(exchange)

    def summaries(self, window: str, now: float) -> tuple[Summary, ...]:
        """One line for all together, then one for each instance, the busiest first. Raises KeyError for a window that
        is none of WINDOWS."""
        since = _since(window, now)
        self._flight.settle(now)
        groups: Mapping[str, Exact | Rough]
        if self._is_exact(since):
            groups = self._windows[window].follow(self._rows, self._packing, since)
            self._windows[window].read_at = self._rows.end
        else:
            self._windows[window] = Window()
            groups = self._sketches(since)
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

    def _count(self, exchange: Exchange) -> None:
        row = row_of(exchange)
        self._rows.add(self._packing.pack(row))
        self._curve.add(row)
        if self._rows.end % _STEP == 0:
            last = sorted(map(ended_at, self._rows.since(self._rows.end - 9)))
            self._keep_up(last[len(last) // 2])  # one wrong clock does not empty the windows

    def _is_exact(self, since: float | None) -> bool:
        """Whether all rows since then are still kept."""
        lost_until = self._rows.lost_until
        return lost_until == _NEVER or (since is not None and lost_until <= since)

    def _keep_up(self, now: float) -> None:
        """Do a part of what the next read would have to do; a window that nobody reads any more is let go of."""
        self._flight.settle(now - _LATE_S, 3 * _STEP)
        self._sketch()
        for name, window in self._windows.items():
            if window.read_at is None:
                continue
            if self._rows.end - window.read_at < _UNREAD and self._is_exact(since := _since(name, now)):
                window.follow(self._rows, self._packing, since)
            else:
                self._windows[name] = Window()

    def _sketch(self) -> None:
        """Bring the sketches up to date."""
        pieces: dict[int, list[Packed]] = {}
        for row in self._rows.since(self._sketched):
            pieces.setdefault(int(ended_at(row) // _SLICE_S), []).append(row)
        self._sketched = self._rows.end
        for number, rows in pieces.items():
            piece = self._slices.setdefault(number, {})
            for name, batch in self._packing.batches(rows).items():
                for groups in (piece, self._session):
                    groups.setdefault(name, Rough()).add(batch)
        while len(self._slices) > _MOST_SLICES:
            del self._slices[min(self._slices)]

    def _merged(self, since: float) -> dict[str, Rough]:
        """The slices since then together."""
        merged: dict[str, Rough] = {}
        for number, groups in self._slices.items():
            if (number + 1) * _SLICE_S > since:
                for name, group in groups.items():
                    merged.setdefault(name, Rough()).merge(group)
        return merged

    def _sketches(self, since: float | None) -> Mapping[str, Rough]:
        """The session's, or the slices since then together."""
        self._sketch()
        found = self._session if since is None else self._merged(since)
        everything = Rough()
        for group in found.values():
            everything.merge(group)
        return {**found, ALL: everything}


def _since(window: str, now: float) -> float | None:
    """When a window begins; None for the session's. Raises KeyError for none of WINDOWS."""
    span = WINDOWS[window]
    return None if span is None else now - span
