"""Parts of a text, and the rows that they take at a width."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from textual.content import Content

from lmdeck.widgets.paint.code import Listing
from lmdeck.widgets.paint.columns import Space, share
from lmdeck.widgets.paint.line import Align

_NOTHING = Content()
_INDENT = Content.styled("  ", "fence")
_LEAST_TEXT = 10
"""What stands left of a text is cut where less room than this would be left, and it takes more than half."""
_LEAST_CELL = 8
"""Where the columns of a table cannot all have so many cells, it is told row by row."""


class Margin(NamedTuple):
    """What stands left of a part: on its first row, on the others, and on a blank row above it, if there is one."""

    first: Content = _NOTHING
    rest: Content = _NOTHING
    above: Content | None = None
    copied: bool = True
    """Whether it is text, too: the mark of a list item is, a line beside a text is not."""


class Paragraph(NamedTuple):
    """Text that is wrapped; may hold line breaks."""

    margin: Margin
    text: Content


class Code(NamedTuple):
    """Lines on a ground of their own."""

    margin: Margin
    listing: Listing


class Rule(NamedTuple):
    """A line across."""

    margin: Margin


class Table(NamedTuple):
    """Rows of cells, the heading first."""

    margin: Margin
    rows: Sequence[Sequence[Content]]
    aligns: Sequence[Align]


Part = Paragraph | Code | Rule | Table


class Row(NamedTuple):
    """One row of the screen. `line` of the text as it is copied is shown here from `start` on; `left` is the position
    in it that the margin stands for."""

    margin: Content
    text: Content
    line: int
    start: int = 0
    left: int = 0
    code: Code | None = None
    """The code that it is a row of."""
    number: int = 0
    """Which line of the code it shows."""

    @property
    def ground(self) -> str:
        """The look behind the text, up to the end of the row."""
        return "fence" if self.code else ""

    def coloured(self) -> Content:
        """The text, code in its colours."""
        if self.code is None:
            return self.text
        return self.code.listing.coloured(self.number)[self.start : self.start + len(self.text)]


@dataclass(slots=True)
class Flow:
    """Rows of `cells`, and the lines of text that they show: those are what is copied, and are not wrapped."""

    cells: int
    rows: list[Row] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def add(self, parts: Sequence[Part]) -> None:
        """Rows for these parts."""
        for part in parts:
            if part.margin.above is not None:
                self._line(part.margin.above, _NOTHING)
            match part:
                case Paragraph(margin, text):
                    self._paragraph(margin, text)
                case Code():
                    self._code(part)
                case Rule(margin):
                    self._line(margin.first, Content.styled("─" * self._room(margin.first), "rule"))
                case Table():
                    self._table(part)

    def blank(self) -> None:
        """An empty row."""
        self._line(_NOTHING, _NOTHING)

    def _room(self, margin: Content) -> int:
        return self.cells - len(self._cut(margin))

    def _line(self, margin: Content, text: Content) -> None:
        """A row that is a line."""
        self.rows.append(Row(self._cut(margin), text, len(self.lines)))
        self.lines.append(text.plain)

    def _cut(self, margin: Content) -> Content:
        room = max(self.cells - _LEAST_TEXT, self.cells // 2 - 1, 0)
        return margin if len(margin) <= room else margin[len(margin) - room :]

    def _paragraph(self, margin: Margin, text: Content) -> None:
        left, rest = self._cut(margin.first), self._cut(margin.rest)
        for line in text.split("\n", allow_blank=True):
            before = len(left) if margin.copied else 0
            for start, piece in _wrapped(line, self._room(left)):
                at = before + start
                self.rows.append(Row(rest if start else left, piece, len(self.lines), at, at if start else 0))
            self.lines.append((left.plain.replace("▌", ">") if before else "") + line.plain)
            left = rest

    def _code(self, code: Code) -> None:
        left = self._cut(code.margin.first + _INDENT)
        for number, line in enumerate(code.listing.lines):
            for start, piece in _wrapped(Content(line), self._room(left)):
                self.rows.append(Row(left, piece, len(self.lines), start, start, code, number))
            self.lines.append(line)
            left = self._cut(code.margin.rest + _INDENT)

    def _table(self, table: Table) -> None:
        columns = range(len(table.aligns))
        needs = [max(_need(row[column]) for row in table.rows) for column in columns]
        spaces = [Space(min(need, _LEAST_CELL), need) for need in needs]
        room, bars = self._room(table.margin.first), len(columns) - 1
        if sum(space.least for space in spaces) + 2 * bars > room:
            self._records(table)
            return
        widths, gap = share(spaces, room - bars)
        bar, cross = (" │ ", "─┼─") if gap > 1 else ("│ ", "┼─")
        margin = self._cut(table.margin.first)
        for number, row in enumerate(table.rows):
            cells = [[piece for _, piece in _wrapped(row[column], widths[column])] for column in columns]
            for level in range(max(map(len, cells))):
                pieces = [cell[level] if level < len(cell) else _NOTHING for cell in cells]
                fitted = [_fitted(piece, widths[at], table.aligns[at]) for at, piece in enumerate(pieces)]
                self._line(margin, Content.styled(bar, "rule").join(fitted))
                margin = self._cut(table.margin.rest)
            if not number:
                self._line(margin, Content.styled(cross.join("─" * widths[column] for column in columns), "rule"))

    def _records(self, table: Table) -> None:
        """Every cell behind the heading of its column."""
        margin, (heads, *rows) = table.margin, table.rows
        for number, row in enumerate(rows or [[_NOTHING] * len(heads)]):
            if number:
                self._line(margin.rest, _NOTHING)
            for head, cell in zip(heads, row, strict=True):
                self._paragraph(margin, head + Content(": ") + cell)
                margin = margin._replace(first=margin.rest)


def _wrapped(text: Content, cells: int) -> Iterator[tuple[int, Content]]:
    """The text's rows of at most `cells`, each with its position in the text."""
    cells = max(cells, 2)
    at = 0
    for line in text.split("\n", allow_blank=True) if "\n" in text.plain else [text]:
        for piece in [line] if line.cell_length <= cells else line.wrap(cells):
            at = max(text.plain.find(piece.plain, at), at)
            yield at, piece
            at += len(piece.plain)


def _need(cell: Content) -> int:
    """The cells that it takes where it is not wrapped."""
    return max(max(line.cell_length for line in cell.split("\n", allow_blank=True)), 1)


def _fitted(cell: Content, cells: int, align: Align) -> Content:
    pad = max(cells - cell.cell_length, 0)
    return cell.pad_left(pad) if align == "right" else cell.pad_right(pad)
