"""A table that stays quick with thousands of rows: only the lines in sight are ever drawn."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from lmdeck.widgets.column import Column, Row, column_at, draw_heading, in_order
from lmdeck.widgets.line_view import LineView
from lmdeck.widgets.paint.columns import share
from lmdeck.widgets.paint.line import Span

KEPT_STRIPS = 512


class RowMessage(Message):
    """Something about one row; None where there is no row any more."""

    def __init__(self, table: "Table[Any]", row: object) -> None:
        super().__init__()
        self.table, self.row = table, row

    @property
    def control(self) -> "Table[Any]":
        """The table it happened in."""
        return self.table


class Table(LineView, Generic[Row]):
    """Rows under a heading that stays. `key` is a row's identity, which the cursor and the scrolling hold on to."""

    BINDING_GROUP_TITLE = "List"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Details", id="list.choose", tooltip="Everything about this line"),
        Binding("s", "sort", "Sort", show=False, id="list.sort", tooltip="Sort by the next column, then unsorted"),
    ]

    class Highlighted(RowMessage):
        """The cursor came to another row."""

    class Chosen(RowMessage):
        """Enter, or a double click, on a row."""

    class Arranged(Message):
        """Sorted or filtered otherwise, or more or fewer rows than before."""

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        *,
        key: Callable[[Row], str],
        search: Callable[[Row], str] | None = None,
        id: str | None = None,
    ) -> None:
        """`search` gives the text that the filter looks in; the key if left out."""
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._key = key
        self._search = search or key
        self._rows: Sequence[Row] = ()
        self._shown: list[Row] = []
        self._cursor = 0
        self._place: str | None = None
        self._filter = ""
        self._sorted, self._descending = -1, False
        self._told: tuple[object, ...] = ()
        self._strips: dict[str, tuple[Row, tuple[str, ...], Strip]] = {}
        self._widths, self._gap, self._shared = dict[int, int](), 1, -1

    # Rows

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self._shown[self._cursor] if self._cursor < len(self._shown) else None

    @property
    def shown(self) -> Sequence[Row]:
        """The rows as they stand on the screen: filtered and sorted."""
        return self._shown

    @property
    def total(self) -> int:
        """How many rows there are without the filter."""
        return len(self._rows)

    @property
    def filter_text(self) -> str:
        """Only rows that contain this are shown, upper and lower case alike."""
        return self._filter

    @filter_text.setter
    def filter_text(self, text: str) -> None:
        if text != self._filter:
            self._filter = text
            self._strips.clear()
            self._arrange()

    @property
    def sorting(self) -> str:
        """`SIZE ▼`; nothing when the rows stand as they came."""
        return f"{self._columns[self._sorted].title} {'▼' if self._descending else '▲'}" if self._sorted >= 0 else ""

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows. The cursor stays on its row wherever that is now; only what looks different is drawn."""
        self._rows = rows
        self._arrange()

    def touch(self, ticking: Callable[[Row], bool]) -> None:
        """Draw these rows anew although they are the same: what they show depends on the time."""
        for key in [key for key, (row, _, _) in self._strips.items() if ticking(row)]:
            del self._strips[key]
        self.repaint()

    def sort_by(self, title: str | None, descending: bool = False) -> None:
        """Sort by the column of this title; None brings back the order in which the rows came."""
        self._sorted = next((i for i, column in enumerate(self._columns) if column.title == title), -1)
        self._descending = descending
        self._arrange()

    def _arrange(self) -> None:
        rows = self._rows
        if needle := self._filter.lower():
            search = self._search
            rows = [row for row in rows if needle in search(row).lower()]
        height = self._cursor - self.scroll_offset.y
        self._shown = in_order(rows, self._columns[self._sorted] if self._sorted >= 0 else None, self._descending)
        self.resize_lines()
        self._return_to_place(height)
        self.repaint()
        if (news := (len(self._shown), len(self._rows), self.sorting, self._filter)) != self._told:
            self._told = news
            self.post_message(self.Arranged())

    # The cursor

    def _return_to_place(self, height: int) -> None:
        """Put the cursor on the row it was on, at the same height of the screen where that is possible."""
        key, place = self._key, self._place
        if self.current is None or key(self.current) != place:
            found = next((index for index, row in enumerate(self._shown) if key(row) == place), None)
            if found is not None and found != self._cursor:
                self.scroll_to(y=found - height, animate=False)
            self._move_to(self._cursor if found is None else found)

    def _move_to(self, index: int) -> None:
        self._cursor = max(0, min(index, len(self._shown) - 1))
        top, height = self.scroll_offset.y, max(self.size.height - 1, 1)
        if not top <= self._cursor < top + height:
            y = self._cursor if self._cursor < top else self._cursor - height + 1
            self.scroll_to(y=y, animate=False)
        place = None if self.current is None else self._key(self.current)
        if place != self._place:
            self._place = place
            self.post_message(self.Highlighted(self, self.current))
        self.repaint()

    def move_lines(self, lines: int) -> None:
        self._move_to(self._cursor + lines)

    def action_choose(self) -> None:
        """Say that the current row is wanted."""
        if self.current is not None:
            self.post_message(self.Chosen(self, self.current))

    def action_sort(self) -> None:
        """Sort by the next column that can be sorted; after the last one, as the rows came."""
        after = [column for column in self._columns[self._sorted + 1 :] if column.sort_key is not None]
        self.sort_by(after[0].title, after[0].descending) if after else self.sort_by(None)

    def on_click(self, event: events.Click) -> None:
        """A click selects, a double click chooses; on the heading it sorts, again the other way round."""
        if self.shows_words:
            return
        if event.y == 0:
            self._sort_at(event.x)
        elif (index := event.y - 1 + self.scroll_offset.y) < len(self._shown):
            self._move_to(index)
            if event.chain > 1:
                self.action_choose()

    def _sort_at(self, x: int) -> None:
        index = column_at(self._widths, self._gap, x)
        if index is not None and (column := self._columns[index]).sort_key is not None:
            self.sort_by(column.title, not self._descending if index == self._sorted else column.descending)

    # Drawing

    def line_count(self) -> int:
        return len(self._shown) + 1

    def forget(self) -> None:
        self._strips.clear()
        self._shared = -1

    def _share_width(self) -> None:
        """The columns' widths for what the table is wide now: a hidden table is 0 wide until the moment it is drawn."""
        if self._shared != self.text_width:
            self._shared = self.text_width
            self._strips.clear()
            self._widths, self._gap = share([column.space for column in self._columns], self._shared - 1)

    def draw_line(self, y: int) -> Strip:
        self._share_width()
        if y == 0:
            ordered = (self._sorted, self._descending)
            return self.strip(draw_heading(self._columns, self._widths, self._gap, ordered), "header")
        index = y - 1 + self.scroll_offset.y
        if index >= len(self._shown):
            return self.blank()
        row, under = self._shown[index], self.cursor_style(index == self._cursor)
        kept = self._strips.get(key := self._key(row))
        if kept is None or kept[1] != under or kept[0] != row:
            if len(self._strips) > KEPT_STRIPS:
                self._strips.clear()
            kept = self._strips[key] = (row, under, self._draw_row(row, under))
        return kept[2]

    def _draw_row(self, row: Row, under: tuple[str, ...]) -> Strip:
        spans, gap = [self.cursor_mark(bool(under))], Span(" " * self._gap)
        for index, cells in self._widths.items():
            spans += self._columns[index].draw(row, cells)
            spans.append(gap)
        return self.strip(tuple(spans[:-1]), *under, needle=self._filter)
