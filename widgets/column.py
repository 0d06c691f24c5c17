"""What a table shows in one column, and how columns put rows in order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from lmdeck.widgets.paint.columns import Space
from lmdeck.widgets.paint.line import Align, Line, Span, crop, fit, say, width

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """What one column shows of a row.

    It is `width` cells wide and grows up to `grow` while there is room; when there is too little, columns with
    the highest `priority` are left out first, those with 0 stay. `sort_key` answers None for "not known", which
    comes last whichever way the column is sorted; `descending`: the largest first is what people look for.
    """

    title: str
    cell: Callable[[Row], str | Line]
    width: int
    grow: int = 0
    align: Align = "left"
    priority: int = 0
    sort_key: Callable[[Row], Any] | None = None
    descending: bool = False
    keep_tail: bool = False
    """Where the cell is too long, its first piece is cut and the marks behind it stay."""

    @property
    def space(self) -> Space:
        """What the column asks of the table's width."""
        return Space(self.width, max(self.width, self.grow), self.priority)

    def draw(self, row: Row, cells: int) -> Line:
        """The row's cell, exactly this wide."""
        cell = self.cell(row)
        line = say(cell) if isinstance(cell, str) else cell
        if self.keep_tail and len(line) > 1:
            line = (*crop(line[:1], cells - width(line[1:])), *line[1:])
        return fit(line, cells, self.align)


def in_order(rows: Sequence[Row], column: Column[Row] | None, descending: bool) -> list[Row]:
    """The rows sorted by a column; as they came without one."""
    key = column.sort_key if column else None
    if key is None:
        return list(rows)
    known = [row for row in rows if key(row) is not None]
    known.sort(key=key, reverse=descending)
    return known if len(known) == len(rows) else known + [row for row in rows if key(row) is None]


def draw_heading(columns: Sequence[Column[Row]], widths: dict[int, int], gap: int, ordered: tuple[int, bool]) -> Line:
    """The titles over their columns; `ordered` is the column sorted by (-1: none) and whether descending.

    The sort mark takes a blank cell beside its title, so that it costs no width.
    """
    text, at = list[str](), 0
    for index, cells in widths.items():
        column, start = columns[index], len(text)
        text += " " * (gap if start else 1)
        text += "".join(piece for piece, _ in fit((Span(column.title),), cells, column.align))
        if index == ordered[0]:
            size = width((Span(column.title),))
            at = len(text) - size - 1 if column.align == "right" else len(text) - cells + size
    text.append(" ")
    if at:
        text[at] = "▼" if ordered[1] else "▲"
    return (Span("".join(text)),)


def column_at(widths: dict[int, int], gap: int, x: int) -> int | None:
    """The column that is drawn at cell `x` of a line."""
    end = 0
    for index, cells in widths.items():
        end += cells + gap
        if x < end:
            return index
    return None
