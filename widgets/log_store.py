"""Log entries in bounded memory, in the order of their times. No filter and no painting here."""

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from lmdeck.model.log import LogEntry

ENTRIES = 100_000
TEXT_BYTES = 64 * 2**20
REACH_S = 2.0
"""How late an entry may come and still be put where its time belongs."""
HELD = 3
"""How many times as many entries are kept while somebody holds on to them; the bound on text stays."""

_at = attrgetter("at")


class Late(NamedTuple):
    """Entries have come late and stand between older ones now: numbers from `start` on may belong to others."""

    start: int
    moved: Sequence[LogEntry]
    """What had the numbers from `start` on before."""
    batch: Sequence[LogEntry]
    """What came, by time."""

    def place(self, number: int) -> int:
        """The number that the entry with this number has now."""
        if not 0 <= number - self.start < len(self.moved):
            return number
        return number + bisect_left(self.batch, self.moved[number - self.start].at, key=_at)


class LogStore:
    """The newest entries, oldest first; the oldest are let go in batches.

    Entries are numbered, and keep their numbers but for the newest: what comes late is put between those at most
    `REACH_S` older than the newest, and `extend` says which moved. What comes later than that, from a source whose
    clock is wrong, stands where it came and begins a new run: only within a run are the times in order.

    Holds at most `entries` and an eighth, and at most `text_bytes` of text (the last entry is always kept).
    """

    def __init__(self, entries: int = ENTRIES, text_bytes: int = TEXT_BYTES) -> None:
        self._entries: list[LogEntry] = []
        self._runs = [0]
        self._most, self._most_bytes = entries, text_bytes
        self._bytes = 0
        self.first = 0
        """The number of the oldest entry still here."""
        self.held = False
        """Somebody reads: keep more."""

    @property
    def end(self) -> int:
        """The number that the next entry will get."""
        return self.first + len(self._entries)

    def __getitem__(self, number: int) -> LogEntry:
        return self._entries[number - self.first]

    def block(self, numbers: range) -> list[LogEntry]:
        """The entries with these numbers, up or down by one; all of them are here."""
        entries = self._entries[
            min(numbers[0], numbers[-1]) - self.first : max(numbers[0], numbers[-1]) + 1 - self.first
        ]
        return entries if numbers.step > 0 else entries[::-1]

    def number_of(self, entry: LogEntry) -> int | None:
        """The number of this very entry; None if it is not here."""
        stop = len(self._entries)
        for run in reversed(self._runs):
            start = max(run - self.first, 0)
            index = bisect_left(self._entries, entry.at, start, stop, key=_at)
            while index < stop and self._entries[index].at == entry.at:
                if self._entries[index] is entry:
                    return self.first + index
                index += 1
            stop = start
        return None

    def settle(self) -> None:
        """What is here keeps its number from now on: nothing is put between any more."""
        self._begin_run()

    def extend(self, entries: Iterable[LogEntry], reach_s: float = REACH_S) -> Late | None:
        """Take these in. Answers what moved, None if nothing did."""
        batch = sorted(entries, key=_at)
        if not batch:
            return None
        late = self._add(batch, reach_s)
        self._bytes += sum(map(_weight, batch))
        most = self._most * HELD if self.held else self._most
        if len(self._entries) > most + self._most // 8 or self._bytes > self._most_bytes:
            self._trim(most)
        return late

    def _add(self, batch: list[LogEntry], reach_s: float) -> Late | None:
        entries, oldest = self._entries, batch[0].at
        if self._runs[-1] >= self.end or oldest >= entries[-1].at:
            entries += batch
            return None
        if oldest < entries[-1].at - reach_s:
            self._begin_run()
            entries += batch
            return None
        place = bisect_right(entries, oldest, max(self._runs[-1] - self.first, 0), key=_at)
        moved = entries[place:]
        entries[place:] = sorted(moved + batch, key=_at)
        return Late(self.first + place, moved, batch) if moved else None

    def _begin_run(self) -> None:
        if self._runs[-1] < self.end:
            self._runs.append(self.end)

    def _trim(self, most: int) -> None:
        surplus = max(len(self._entries) - most, 0)
        self._bytes -= sum(map(_weight, self._entries[:surplus]))
        while self._bytes > self._most_bytes and surplus < len(self._entries) - 1:
            self._bytes -= _weight(self._entries[surplus])
            surplus += 1
        del self._entries[:surplus]
        self.first += surplus
        del self._runs[: bisect_right(self._runs, self.first) - 1]


def _weight(entry: LogEntry) -> int:
    return sys.getsizeof(entry.text)
