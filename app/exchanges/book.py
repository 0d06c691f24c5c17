"""The drafts of a session: numbered, given up in time, kept within bounds."""

from __future__ import annotations

from collections import OrderedDict

from lmdeck.exchanges.draft import Draft, Join
from lmdeck.exchanges.slots import KEPT_LINES
from lmdeck.model.exchange import Exchange
from lmdeck.model.log import LogEntry, RuntimeLine

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
        self._owners: dict[int, Draft] = {}
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
        return self._owner(entry) is not None

    def touch(self, draft: Draft, entry: LogEntry | None = None) -> None:
        """A draft has changed, by what `entry` told."""
        if entry is not None:
            draft.heard = max(draft.heard, entry.at)
            self._owners[id(entry)] = draft
        self._changed[draft.number] = draft

    def hear(self, draft: Draft, line: RuntimeLine) -> None:
        """A line of the engine's about a draft, of which the last ones are kept."""
        self.touch(draft, line)
        lines = (*draft.lines, line)
        draft.lines = lines[-KEPT_LINES:]
        for gone in lines[:-KEPT_LINES]:
            self._owners.pop(id(gone), None)

    def exchange_of(self, entry: LogEntry) -> Exchange | None:
        """The exchange that this very entry is part of, while it is kept."""
        draft = self._owner(entry)
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
            self._owners[id(entry)] = draft
        self._bytes -= self._kept.pop(number, 0)
        if draft.running:
            self._running.setdefault(number, draft)
            return
        self._running.pop(number, None)
        size = self._kept[number] = draft.size()
        self._bytes += size

    def _owner(self, entry: LogEntry) -> Draft | None:
        """The draft with this very entry; another one may have had its id."""
        draft = self._owners.get(id(entry))
        return draft if draft is not None and any(each is entry for each in draft.entries()) else None

    def _forget(self) -> None:
        number, size = self._kept.popitem(last=False)
        self._bytes -= size
        draft = self._drafts.pop(number)
        for entry in draft.entries():
            if self._owners.get(id(entry)) is draft:
                del self._owners[id(entry)]
        if draft.answer is not None and draft.answer.holder is draft:
            draft.answer.holder = None  # a circle would be found only by a full garbage collection

    def _give_up(self) -> None:
        """Close what has been silent for too long, and the oldest of too many."""
        if abs(self.now - self._checked) >= _CHECK_S:
            self._checked = self.now
            for draft in [each for each in self._running.values() if self.now - each.heard > PATIENCE_S]:
                self._close(draft)
        while len(self._running) > MOST_RUNNING:
            self._close(next(iter(self._running.values())))

    def _close(self, draft: Draft) -> None:
        draft.ended_at, draft.silent, draft.answered = draft.heard, True, _NO_END
        del self._running[draft.number]
        self._changed[draft.number] = draft
