"""The drafts of a session: numbered, given up in time, kept within bounds."""

from __future__ import annotations

from collections import OrderedDict

from lmdeck.exchanges.draft import Draft, Join
from lmdeck.model.exchange import Exchange
from lmdeck.model.log import LogEntry

PATIENCE_S = 600.0
"""A request without any line of its own for so long no longer counts as running."""

MOST_KEPT = 20_000
MOST_BYTES = 64 * 2**20
"""Finished exchanges that are kept, and the bytes of their texts; the oldest are forgotten beyond either."""

MOST_RUNNING = 4_096
_CHECK_S = 5.0
_NO_END = Join(doubt="its end was not seen")


class Book:
    """All drafts by number and by the log entries they are made of. `now` is the time of the log's last entry."""

    def __init__(self) -> None:
        self.now = 0.0
        self._last = 0
        self._checked = 0.0
        self._drafts: dict[int, Draft] = {}
        self._running: OrderedDict[int, Draft] = OrderedDict()
        self._kept: OrderedDict[int, int] = OrderedDict()
        self._bytes = 0
        self._numbers: dict[int, tuple[LogEntry, int]] = {}
        self._changed: dict[int, Draft] = {}

    @property
    def running(self) -> int:
        """Exchanges whose end has not been seen and that have not been given up."""
        return len(self._running)

    @property
    def held(self) -> tuple[int, int]:
        """Finished exchanges that are kept, and the bytes of their texts."""
        return len(self._kept), self._bytes

    def new(self, at: float, instance_id: str = "") -> Draft:
        """A draft that begins at `at`."""
        self._last += 1
        draft = self._drafts[self._last] = Draft(self._last, at, at, instance_id)
        self._running[draft.number] = self._changed[draft.number] = draft
        return draft

    def knows(self, entry: LogEntry) -> bool:
        """Whether this very entry is part of an exchange."""
        found = self._numbers.get(id(entry))
        return found is not None and found[0] is entry

    def touch(self, draft: Draft, entry: LogEntry | None = None) -> None:
        """A draft has changed, by what `entry` told."""
        if entry is not None:
            draft.heard = max(draft.heard, entry.at)
            self._numbers[id(entry)] = (entry, draft.number)
        self._changed[draft.number] = draft

    def exchange_of(self, entry: LogEntry) -> Exchange | None:
        """The exchange that this very entry is part of, while it is kept."""
        found = self._numbers.get(id(entry))
        draft = self._drafts.get(found[1]) if found is not None and found[0] is entry else None
        return draft.freeze() if draft else None

    def flush(self) -> list[Exchange]:
        """What has changed since the last flush, in order of number."""
        self._give_up()
        drafts = sorted(self._changed.values(), key=lambda draft: draft.number)
        self._changed = {}
        exchanges = []
        for draft in drafts:
            self._file(draft)
            exchanges.append(draft.freeze())
        while len(self._kept) > MOST_KEPT or (self._bytes > MOST_BYTES and len(self._kept) > 1):
            self._forget()
        return exchanges

    def _file(self, draft: Draft) -> None:
        number = draft.number
        self._drafts[number] = draft
        for entry in draft.entries():
            self._numbers[id(entry)] = (entry, number)
        self._bytes -= self._kept.pop(number, 0)
        if draft.running:
            self._running.setdefault(number, draft)
            return
        self._running.pop(number, None)
        size = self._kept[number] = draft.size()
        self._bytes += size

    def _forget(self) -> None:
        number, size = self._kept.popitem(last=False)
        self._bytes -= size
        for entry in self._drafts.pop(number).entries():
            if self._numbers.get(id(entry), (entry, 0))[1] == number:
                del self._numbers[id(entry)]

    def _give_up(self) -> None:
        """Close what has been silent for too long, and the oldest of too many."""
        if abs(self.now - self._checked) >= _CHECK_S:
            self._checked = self.now
            for draft in [each for each in self._running.values() if self.now - each.heard > PATIENCE_S]:
                self._close(draft)
        for draft in list(self._running.values())[: max(0, len(self._running) - MOST_RUNNING)]:
            self._close(draft)

    def _close(self, draft: Draft) -> None:
        draft.ended_at, draft.silent, draft.answered = draft.heard, True, _NO_END
        del self._running[draft.number]
        self._changed[draft.number] = draft
