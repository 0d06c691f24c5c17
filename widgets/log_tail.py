"""The log's list: it stores at once, and paints at most ten times a second, only what is in sight."""

import time
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer

from lmdeck.model.log import LogEntry
from lmdeck.widgets.log_store import LogStore, matcher
from lmdeck.widgets.log_view import LogView

FRAME = 0.1
"""Seconds between two paintings."""


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

    @property
    def sources(self) -> frozenset[str]:
        """The sources that are shown."""
        return self.index.sources

    @property
    def filter_text(self) -> str:
        """Only entries that contain this are shown."""
        return self.index.needle

    @property
    def search_text(self) -> str:
        """What `find` looks for: the filter, or the last one there was."""
        return self._needle

    @property
    def total(self) -> int:
        """How many entries are kept."""
        return self.store.end - self.store.first

    @property
    def painted(self) -> bool:
        """Whether everything that came is in the view already."""
        return self._due is None

    def extend(self, entries: Sequence[LogEntry]) -> None:
        """Keep these entries. Painting them comes with the next frame."""
        self.store.extend(entries)
        if self._due is None and self.is_mounted:
            passed = time.monotonic() - self._painted_at
            self._due = self.set_timer(max(FRAME - passed, 0.005), self._paint_frame)

    def choose(self, sources: frozenset[str], needle: str) -> None:
        """Show only these sources' entries that contain `needle`; the deck's own notes come from every source."""
        height = self.cursor_line - self.scroll_offset.y
        self.index.choose(sources, needle)
        self._needle = needle or self._needle
        self._top = self.index.number_or_end(self.index.line(self._cursor) - height)
        self.forget()
        self.resized()

    def find(self, step: int) -> bool:
        """The cursor to the next (1) or previous (-1) entry with the search text; whether there is one."""
        passes, line = matcher(self._needle), self.cursor_line
        lines = range(line + 1, self.line_count()) if step > 0 else range(line - 1, -1, -1)
        found = next((line for line in lines if passes(self.store[self.index.number(line)])), None)
        if found is not None:
            self.put_cursor(found)
        return found is not None

    def move_lines(self, lines: int) -> None:
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
            self._paint_frame()

    def _paint_frame(self) -> None:
        self._due, self._painted_at = None, time.monotonic()
        self.index.update()
        self.resized()
