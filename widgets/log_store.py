"""Log entries in bounded memory, and the ones that pass a filter. No painting here."""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

from lmdeck.model.log import SOURCES, LogEntry, PredictionInput, PredictionOutput, RuntimeLine

ENTRIES = 100_000
TEXT_BYTES = 64 * 2**20


class LogStore:
    """The newest entries. Each has a number that never changes; the oldest are let go in batches.

    Holds at most `entries` and an eighth, and at most `text_bytes` of text (the last entry is always kept).
    """

    def __init__(self, entries: int = ENTRIES, text_bytes: int = TEXT_BYTES) -> None:
        self._entries: list[LogEntry] = []
        self._most, self._most_bytes = entries, text_bytes
        self._bytes = 0
        self.first = 0
        """The number of the oldest entry still here."""

    @property
    def end(self) -> int:
        """The number that the next entry will get."""
        return self.first + len(self._entries)

    def __getitem__(self, number: int) -> LogEntry:
        return self._entries[number - self.first]

    def since(self, number: int) -> Iterator[tuple[int, LogEntry]]:
        """The entries from this number on, with their numbers."""
        start = max(number, self.first)
        return enumerate(self._entries[start - self.first :], start)

    def extend(self, entries: Iterable[LogEntry]) -> None:
        """Take these in, in the order they came."""
        before = len(self._entries)
        self._entries.extend(entries)
        self._bytes += sum(map(_weight, self._entries[before:]))
        if len(self._entries) > self._most + self._most // 8 or self._bytes > self._most_bytes:
            self._trim()

    def _trim(self) -> None:
        surplus = max(len(self._entries) - self._most, 0)
        self._bytes -= sum(map(_weight, self._entries[:surplus]))
        while self._bytes > self._most_bytes and surplus < len(self._entries) - 1:
            self._bytes -= _weight(self._entries[surplus])
            surplus += 1
        del self._entries[:surplus]
        self.first += surplus


class LogIndex:
    """Which entries of a store pass the filter: the lines of a view, in order."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._numbers: array[int] | None = None
        self._scanned = 0
        self.sources = frozenset(SOURCES)
        """The sources that are shown; the deck's own notes always are."""
        self.needle = ""

    def __len__(self) -> int:
        return self._store.end - self._store.first if self._numbers is None else len(self._numbers)

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

    def choose(self, sources: frozenset[str], needle: str) -> None:
        """Filter by source, and by a text that must occur, upper and lower case alike."""
        narrower = bool(self.needle) and self.needle.lower() in needle.lower() and sources == self.sources
        self.sources, self.needle = sources, needle
        if not needle and sources >= frozenset(SOURCES):
            self._numbers = None
        elif narrower and self._numbers is not None:
            self.update()
            passes, store = matcher(needle), self._store
            self._numbers = array("Q", [number for number in self._numbers if passes(store[number])])
        else:
            self._numbers, self._scanned = array("Q"), self._store.first
            self.update()

    def update(self) -> None:
        """Look at what came since the last time, and let go of what the store has let go of."""
        if self._numbers is None:
            return
        if self._numbers and self._numbers[0] < self._store.first:
            del self._numbers[: bisect_left(self._numbers, self._store.first)]
        passes, hidden = matcher(self.needle), frozenset(SOURCES) - self.sources
        self._numbers.extend(
            [
                number
                for number, entry in self._store.since(self._scanned)
                if entry.source not in hidden and passes(entry)
            ]
        )
        self._scanned = self._store.end


def matcher(needle: str) -> Callable[[LogEntry], bool]:
    """Whether an entry's text, its instance's name or its stop reason contains `needle`, whatever the case."""
    wanted = needle.lower()
    if not wanted:
        return lambda entry: True

    def passes(entry: LogEntry) -> bool:
        return wanted in entry.text.lower() or wanted in _labels(entry).lower()

    return passes


def _labels(entry: LogEntry) -> str:
    if isinstance(entry, PredictionOutput):
        reason = entry.stats.stop_reason if entry.stats else None
        return f"{entry.instance_id} {reason or ''}"
    if isinstance(entry, PredictionInput | RuntimeLine):
        return entry.instance_id or ""
    return ""


def _weight(entry: LogEntry) -> int:
    return sys.getsizeof(entry.text)
