"""The log's list: it stores at once, and paints at most ten times a second, only what is in sight."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer

from lmdeck.model.log import LogEntry
from lmdeck.widgets.log_index import ExchangeOf
from lmdeck.widgets.log_store import REACH_S, LogStore
from lmdeck.widgets.log_view import LogView

if TYPE_CHECKING:
    from lmdeck.model.exchange import Exchange
    from lmdeck.model.log_query import Query

FRAME = 0.1
"""Seconds between two paintings."""
SLICE_S = 0.005
"""Seconds that are spent on looking for lines before keys have their turn."""
REST_S = 0.005
"""Seconds between two slices."""
_PIECE = 64


class LogTail(LogView):
    """The log with its keys. Keeping entries costs next to nothing; painting does not depend on how many there are."""

    BINDING_GROUP_TITLE = "Log"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Details", id="log.choose", tooltip="The whole entry"),
    ]

    class Chosen(Message):
        """Everything about this entry is wanted."""

        def __init__(self, entry: LogEntry) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self, store: LogStore | None = None, *, id: str | None = None) -> None:
        super().__init__(store, id=id)
        self._due: Timer | None = None
        self._painted_at = 0.0
        self._hunt: Iterator[int | None] | None = None
        self._hunting: Timer | None = None

    @property
    def sources(self) -> frozenset[str]:
        """The sources that are shown."""
        return self.index.sources

    @property
    def filter_query(self) -> Query | None:
        """Only entries that pass this are shown."""
        return self.index.query

    @property
    def search(self) -> Query | None:
        """What `find` looks for: the filter, or the last one there was."""
        return self._search

    @property
    def total(self) -> int:
        """How many entries are kept."""
        return self.store.end - self.store.first

    @property
    def painted(self) -> bool:
        """Whether everything that came is in the view already."""
        return self._due is None

    def extend(self, entries: Iterable[LogEntry], reach_s: float = REACH_S) -> None:
        """Keep these entries, the late ones where their times belong. Painting them comes with the next frame."""
        if late := self.store.extend(entries, reach_s):
            self.index.shift(late)
            self.index.work(SLICE_S)  # a key before the next frame finds the lines in their places
            self.moved(late)
        self._schedule()

    def use_exchanges(self, exchange_of: ExchangeOf) -> None:
        """Ask here for the exchange that an entry is part of."""
        self.index.exchange_of = exchange_of

    def exchanges_changed(self, exchanges: Iterable[Exchange]) -> None:
        """More is known of these exchanges: their lines may look different, and pass the filter or not."""
        for exchange in exchanges:
            parts = exchange.request, exchange.input, exchange.generated, exchange.output, *exchange.runtime
            self.index.recheck(part for part in parts if part is not None)
        self.forget()
        self._schedule()

    def choose(self, sources: frozenset[str], query: Query | None) -> None:
        """Show only these sources' entries that pass `query`; the deck's own notes come from every source."""
        height = self.cursor_line - self.scroll_offset.y
        self.index.choose(sources, query, self.store.end if self.following else self._cursor)
        self._search, self.notice = query or self._search, ""
        self._stop_hunting()
        done = self.index.work(SLICE_S)
        self._top = self.index.number_or_end(self.index.line(self._cursor) - height)
        self.forget()
        self.resized()
        if not done:
            if self._due is not None:
                self._due.stop()
            self._due = self.set_timer(REST_S, self._wake)

    def find(self, step: int) -> None:
        """The cursor to the next (1) or previous (-1) hit; beyond the last one it goes on at the other end.

        `notice` says so, and where there is none. In a long log the hit may be found a little later.
        """
        if self._search is not None and self.line_count():
            self._hunt = self._look_for(self._search, step)
            self._hunt_on()

    def move_lines(self, lines: int) -> None:
        self._stop_hunting()
        last = self.line_count() - 1
        line = self.cursor_line + lines
        if line > last and not self.paused:
            self.follow()
        elif last >= 0:
            self.put_cursor(max(0, min(line, last)))

    def action_choose(self) -> None:
        """Say that the current entry is wanted."""
        if (entry := self.current) is not None:
            self.post_message(self.Chosen(entry))

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there, a double click opens the entry."""
        line = event.y + self.scroll_offset.y
        if not self.shows_words and line < self.line_count():
            self.put_cursor(line)
            if event.chain > 1:
                self.action_choose()

    def on_mount(self) -> None:
        if self.total:
            self._wake()

    # Frames

    def _schedule(self) -> None:
        if self._due is None and self.is_mounted and self.is_running:
            passed = time.monotonic() - self._painted_at
            self._due = self.set_timer(max(FRAME - passed, REST_S), self._wake)

    def _wake(self) -> None:
        """A slice of looking for lines, and a frame when it is time for one; again until all lines are found."""
        done, now = self.index.work(SLICE_S), time.monotonic()
        if done or now - self._painted_at >= FRAME:
            self._painted_at = now
            self.resized()
        self._due = None if done else self.set_timer(REST_S, self._wake)

    # Hits

    def _look_for(self, query: Query, step: int) -> Iterator[int | None]:
        """Lines with hits from the cursor on, then from the other end; None where there is time for a rest."""
        here, count, seen = self.cursor_line, self.line_count(), 0
        ahead = range(here + 1, count) if step > 0 else range(here - 1, -1, -1)
        around = range(here + 1) if step > 0 else range(count - 1, here - 1, -1)
        for notice, lines in (("", ahead), (f"search goes on at the {'top' if step > 0 else 'bottom'}", around)):
            for line in lines:
                seen += 1
                if line < self.line_count() and self._is_hit(query, line):
                    yield line
                    self.notice = notice
                    return
                if not seen % _PIECE:
                    yield None
        self.notice = "no hit"

    def _is_hit(self, query: Query, line: int) -> bool:
        entry = self.store[self.index.number(line)]
        return query.passes(entry, self.index.exchange_of(entry) if query.by_exchange else None)

    def _hunt_on(self) -> None:
        deadline = time.perf_counter() + SLICE_S
        for line in self._hunt or ():
            if line is not None:
                self.put_cursor(line)
            elif time.perf_counter() > deadline:
                self._hunting = self.set_timer(REST_S, self._hunt_on)
                return
        self._hunt = self._hunting = None
        self.resized()

    def _stop_hunting(self) -> None:
        self._hunt = None
        if self._hunting is not None:
            self._hunting.stop()
            self._hunting = None
