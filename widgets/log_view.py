"""The lines of the log that are in sight, and their place in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message
from textual.strip import Strip

from lmdeck.model.log import LogEntry
from lmdeck.widgets.line_view import LineView
from lmdeck.widgets.log_index import LogIndex
from lmdeck.widgets.log_store import Late, LogStore
from lmdeck.widgets.paint.line import crop
from lmdeck.widgets.paint.log_line import summary

if TYPE_CHECKING:
    from lmdeck.model.log_query import Query

KEPT_STRIPS = 512


class LogView(LineView):
    """Log entries, newest at the bottom, drawn from a store through a filter.

    It either follows the end, or has a cursor and stays on the entries it shows, whatever comes or goes. Frozen, it
    shows nothing newer than it did. Places are kept as numbers of entries.
    """

    class Changed(Message):
        """Something that title and hints tell has changed: following, pause, filter, notice, or a number of lines."""

    def __init__(self, store: LogStore | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.store = store or LogStore()
        self.index = LogIndex(self.store)
        self._following = True
        self._left_at = 0
        self._frozen_at: int | None = None
        self._frozen_first = 0
        self._cursor = 0
        self._top = 0
        self._search: Query | None = None
        self._hide_text = False
        self._strips: dict[int, Strip] = {}
        self._own_scroll = False
        self._told: tuple[object, ...] = ()
        self.notice = ""
        """What there is to say about the last search for a hit."""

    @property
    def current(self) -> LogEntry | None:
        """The entry under the cursor; the last one while following."""
        return self.store[self.index.number(self.cursor_line)] if self.line_count() else None

    @property
    def cursor_line(self) -> int:
        """The line of the cursor; the last one while following."""
        last = self.line_count() - 1
        return last if self._following else max(0, min(self.index.line(self._cursor), last))

    @property
    def following(self) -> bool:
        """Whether the view goes along with the end."""
        return self._following

    @property
    def paused(self) -> bool:
        """Whether the view shows nothing newer than when it was paused."""
        return self._frozen_at is not None

    @property
    def new_lines(self) -> int:
        """How many lines have come since the view was paused or let go of the end."""
        if self._following and self._frozen_at is None:
            return 0
        seen = self._left_at if self._frozen_at is None else self._frozen_at
        return len(self.index) - self.index.line(seen)

    @property
    def dropped(self) -> int:
        """How many entries had to be let go of since the view was paused."""
        return 0 if self._frozen_at is None else self.store.first - self._frozen_first

    def follow(self) -> None:
        """Go to the end and stay there; ends a pause."""
        self._following, self._frozen_at, self.notice = True, None, ""
        self.store.held = False
        self.resized()

    def toggle_pause(self) -> None:
        """Freeze the view, or let it go on where it was."""
        if self._frozen_at is None:
            self.store.settle()  # what is frozen stays as it is, even if something comes late
            self._frozen_at, self._frozen_first = self.store.end, self.store.first
        else:
            self._frozen_at = None
        self.store.held = self._frozen_at is not None
        self.resized()

    def moved(self, late: Late) -> None:
        """Entries have come late: stay with the same ones, whatever their numbers are now."""
        self._cursor, self._top = late.place(self._cursor), late.place(self._top)
        self._strips = {number: strip for number, strip in self._strips.items() if number < late.start}

    def let_go(self) -> None:
        """Stay here when new entries come; the cursor appears."""
        if self._following:
            self._cursor = self.index.number_or_end(self.line_count() - 1)
            self._following, self._left_at = False, self.store.end
            self._top = self.index.number_or_end(self.scroll_offset.y)

    def put_cursor(self, line: int) -> None:
        """The cursor onto this line, and the line into sight."""
        self.let_go()
        self._cursor, self.notice = self.index.number(line), ""
        self.resized()

    def hide_text(self, hide: bool) -> None:
        """Leave prompts and answers out of the lines."""
        self._hide_text = hide
        self.forget()
        self.repaint()

    def line_count(self) -> int:
        return len(self.index) if self._frozen_at is None else self.index.line(self._frozen_at)

    def resized(self) -> None:
        """Bring the scroll bar, the place in the log and the visible lines up to date."""
        self._own_scroll = True
        self.resize_lines()
        if not self.shows_words:
            self.scroll_to(y=self.line_count() if self._following else self._first_line(), animate=False)
        self._own_scroll = False
        self.repaint()
        done, lines = self.index.done, len(self.index)
        place = (self._following, self._frozen_at, self.new_lines, self.dropped, self.notice)
        news = (*place, self.index.sources, done, lines == 0 if done else lines)
        if news != self._told:
            self._told = news
            self.post_message(self.Changed())

    def _first_line(self) -> int:
        """The line at the top of the window: where it was, moved as little as it takes to have the cursor in sight."""
        line, height = self.cursor_line, max(self.size.height, 1)
        first = self.index.line(self._top)
        if not line - height < first <= line:
            first = max(min(first, line), line - height + 1, 0)
            self._top = self.index.number_or_end(first)
        return first

    def forget(self) -> None:
        self._strips.clear()

    def draw_line(self, y: int) -> Strip:
        line = y + self.scroll_offset.y
        if line >= self.line_count():
            return self.blank()
        number = self.index.number(line)
        if not self._following and line == self.cursor_line:
            return self._draw(number, True)
        if (strip := self._strips.get(number)) is None:
            if len(self._strips) > KEPT_STRIPS:
                self._strips.clear()
            strip = self._strips[number] = self._draw(number, False)
        return strip

    def _draw(self, number: int, current: bool) -> Strip:
        entry, cells = self.store[number], self.text_width
        line = summary(entry, self._hide_text, self.index.exchange_of(entry), cells - 1)
        needle = self._search.hits if self._search else ""
        return self.strip(crop((self.cursor_mark(current), *line), cells), *self.cursor_style(current), needle=needle)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling up lets go of the end, scrolling down to it follows again; the cursor stays in sight."""
        super().watch_scroll_y(old_value, new_value)
        if self._own_scroll or self.shows_words or round(old_value) == round(new_value):
            return
        if self._following and new_value >= self.max_scroll_y:
            return  # a larger window moves the end, too
        if new_value > old_value and new_value >= self.max_scroll_y and not self.paused:
            self.follow()
            return
        self.let_go()
        top = self.scroll_offset.y
        bottom = min(top + self.size.height, self.line_count()) - 1
        self._top = self.index.number_or_end(top)
        self._cursor = self.index.number_or_end(max(top, min(self.cursor_line, bottom)))
        self.resized()
