"""Which entries of a log pass the filter. Looking for them is done in slices, so that nobody waits for it."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING

from lmdeck.model.log import SOURCES, LogEntry
from lmdeck.widgets.log_store import Late, LogStore

if TYPE_CHECKING:
    from lmdeck.model.exchange import Exchange
    from lmdeck.model.log_query import Query

BLOCK = 512
"""Entries that are looked at in one direction before the other has its turn."""
CHECKED_EVERY = 32
"""Entries between two looks at the clock."""
LATE = 2_000
"""Late entries up to which they are looked at where they stand."""
LONG = 50_000
"""Characters of an entry after which the clock is looked at, too."""

_at = attrgetter("at")

ExchangeOf = Callable[[LogEntry], "Exchange | None"]


class LogIndex:
    """The lines of a view: numbers of the entries that pass, in order.

    With a filter, `work` looks through the store, from a given place on in both directions, until it is `done`; what
    it has found so far counts at once.
    """

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._numbers: array[int] | None = None
        self._low = self._high = 0
        self.sources = frozenset(SOURCES)
        """The sources that are shown; the deck's own notes always are."""
        self.query: Query | None = None
        self.exchange_of: ExchangeOf = lambda entry: None
        """Tells the exchange that an entry is part of."""

    def __len__(self) -> int:
        return self._store.end - self._store.first if self._numbers is None else len(self._numbers)

    @property
    def done(self) -> bool:
        """Whether every entry of the store has been looked at."""
        return self._numbers is None or (self._low <= self._store.first and self._high >= self._store.end)

    def number(self, line: int) -> int:
        """The entry that stands on this line."""
        return self._store.first + line if self._numbers is None else self._numbers[line]

    def number_or_end(self, line: int) -> int:
        """The entry on this line; above the first line the first one, below the last the next to come."""
        line = max(line, 0)
        return self.number(line) if line < len(self) else self._store.end

    def line(self, number: int) -> int:
        """The line of this entry, or of the next one that passes."""
        if self._numbers is None:
            return max(number - self._store.first, 0)
        return bisect_left(self._numbers, number)

    def choose(self, sources: frozenset[str], query: Query | None, near: int) -> None:
        """Filter by source, and by a query; `work` begins with the entries around the number `near`."""
        self.sources, self.query = sources, query
        if query is None and sources >= frozenset(SOURCES):
            self._numbers = None
        else:
            self._numbers = array("Q")
            self._low = self._high = max(self._store.first, min(near, self._store.end))

    def work(self, seconds: float) -> bool:
        """Look at what is left to look at for about so long, and let go of what the store has; answers `done`."""
        if (numbers := self._numbers) is None:
            return True
        store, deadline = self._store, time.perf_counter() + seconds
        if numbers and numbers[0] < store.first:
            del numbers[: bisect_left(numbers, store.first)]
        self._low, self._high = max(self._low, store.first), max(self._high, store.first)
        while not self.done:
            if ahead := range(self._high, min(store.end, self._high + BLOCK)):
                found, seen = self._look(ahead, deadline)
                numbers.extend(found)
                self._high += seen
            if behind := range(self._low - 1, max(store.first - 1, self._low - 1 - BLOCK), -1):
                found, seen = self._look(behind, deadline)
                numbers[:0] = array("Q", found[::-1])
                self._low -= seen
            if time.perf_counter() > deadline:
                break
        return self.done

    def shift(self, late: Late) -> None:
        """Entries have come late, and older ones have other numbers: what is known of those stays known, unless too
        many have come. Those that are newer than all before are left to `work`."""
        start, numbers = late.start, self._numbers
        if numbers is None or start >= self._high:
            return
        first = bisect_left(numbers, start)
        if len(late.batch) > LATE:
            del numbers[first:]
            self._low, self._high = min(self._low, start), start
            return
        shown = [late.place(number) for number in numbers[first:]]
        self._high = late.place(self._high - 1) + 1
        self._low = late.place(self._low - 1) + 1
        for count, entry in enumerate(late.batch, start):
            number = count + bisect_right(late.moved, entry.at, key=_at)
            if number >= self._high:
                break
            if number >= self._low and self.passes(entry):
                insort(shown, number)
        numbers[first:] = array("Q", shown)

    def recheck(self, entries: Iterable[LogEntry]) -> None:
        """More is known of these entries' exchange: they may pass now, or no longer."""
        numbers = self._numbers
        if numbers is None or self.query is None or not self.query.by_exchange:
            return
        for entry in entries:
            number = self._store.number_of(entry)
            if number is None or not self._low <= number < self._high:
                continue
            line = bisect_left(numbers, number)
            shown = line < len(numbers) and numbers[line] == number
            if self.passes(entry) and not shown:
                numbers.insert(line, number)
            elif shown and not self.passes(entry):
                del numbers[line]

    def passes(self, entry: LogEntry) -> bool:
        """Whether the filter lets this entry through."""
        if entry.source not in self.sources and entry.source in SOURCES:
            return False
        if (query := self.query) is None:
            return True
        return query.passes(entry, self.exchange_of(entry) if query.by_exchange else None)

    def _look(self, numbers: range, deadline: float) -> tuple[list[int], int]:
        """Those of `numbers` that pass, and how many were looked at until the deadline; one at least."""
        found, passes, seen = list[int](), self.passes, 0
        for entry in self._store.block(numbers):
            if passes(entry):
                found.append(numbers[seen])
            seen += 1
            if (not seen % CHECKED_EVERY or len(entry.text) > LONG) and time.perf_counter() > deadline:
                break
        return found, seen
