"""A text to read, of any size: it opens at once, because only what is in sight is ever wrapped."""

from bisect import bisect_left
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.strip import Strip

from lmdeck.widgets.line_view import LineView
from lmdeck.widgets.paint.hits import Hits
from lmdeck.widgets.paint.text_rows import Marker, TextRows, no_marks


class TextView(LineView):
    """Shows one text, wrapped at blanks, and what is found in it. Plain text: never parsed as markup.

    The place is kept as a position in the text, whatever the width and however many rows turn out to be above it.
    """

    BINDING_GROUP_TITLE = "Text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "page(1)", "Page down", show=False, id="text.page", tooltip="One page down"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = ""
        self._marker: Marker = no_marks
        self._rows = TextRows("", 1)
        self._place, self._own_scroll = 0, False
        self._hits, self._hit = Hits("", ""), -1

    @property
    def text(self) -> str:
        """What is shown."""
        return self._text

    @property
    def place(self) -> int:
        """The position in the text at which the first row in sight begins."""
        return self._place

    def show(self, text: str, marker: Marker = no_marks, *, place: int = 0) -> None:
        """Show this text from that position on; `marker` says what looks different in it. Ends words and search."""
        self.show_words(())
        self._text, self._marker, self._place = text, marker, place
        self._hits, self._hit = Hits("", ""), -1
        self._rows = self._wrapped_anew()
        self.resized()

    # Search

    @property
    def needle(self) -> str:
        """What is looked for."""
        return self._hits.needle

    @property
    def found(self) -> str:
        """`3/17`: the current hit and how many there are; nothing without a search."""
        return f"{self._hit + 1}/{self._hits.count}" if self.needle else ""

    def find(self, needle: str) -> None:
        """Mark every occurrence of this text, whatever the case, and go to the next one from here."""
        self._hits = Hits(self._text, needle)
        here = bisect_left(self._hits.starts, self._place)
        self._hit = here if here < len(self._hits.starts) else len(self._hits.starts) - 1
        self._to_hit()

    def step(self, hits: int) -> None:
        """Some hits on, or back; round at the ends."""
        if self._hits.starts:
            self._hit = (self._hit + hits) % len(self._hits.starts)
            self._to_hit()

    def _to_hit(self) -> None:
        if self._hit >= 0:
            position = self._hits.starts[self._hit]
            number = self._settle(position)
            if not self.scroll_offset.y <= number < self.scroll_offset.y + max(self.size.height, 1):
                self._go(self._rows.row(max(number - self.size.height // 3, 0)).start)
        self.repaint()

    # The place

    def line_count(self) -> int:
        return self._rows.total

    def resized(self) -> None:
        """Wrap anew if the width is another one, and stay at the same place."""
        if self._rows.cells != self._cells:
            self._rows = self._wrapped_anew()
        self._go(self._place)
        self.repaint()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """What comes into sight is wrapped first: it may be more or fewer rows than was thought."""
        super().watch_scroll_y(old_value, new_value)
        if self._own_scroll or self.shows_words or round(old_value) == round(new_value):
            return
        end = new_value > old_value and new_value >= self.max_scroll_y
        self._go(len(self._text) if end else self._rows.row(round(new_value)).start)

    @property
    def _cells(self) -> int:
        return max(self.text_width - 1, 2)

    def _wrapped_anew(self) -> TextRows:
        return TextRows(self._text, self._cells, self._marker)

    def _settle(self, position: int) -> int:
        """The number of the row with this position; all that can come into sight around it is wrapped."""
        number = self._rows.settle(position, 2 * self.size.height, 2 * self.size.height)
        self.resize_lines()
        return number

    def _go(self, position: int) -> None:
        """Bring the row with this position to the top, or as near as the end of the text allows."""
        if self.shows_words or not self.size.width:
            self.resize_lines()
            return
        self._own_scroll = True
        self.scroll_to(y=self._settle(position), animate=False)
        self._own_scroll = False
        self._place = self._rows.row(self.scroll_offset.y).start

    # Drawing

    def draw_line(self, y: int) -> Strip:
        if self._rows.cells != self._cells:
            self._rows = self._wrapped_anew()  # the first painting may come before the first `Resize`
        number = y + self.scroll_offset.y
        if number >= self._rows.total:
            return self.blank()
        row = self._rows.row(number)
        hits = self._hits.within(row.start, row.end)
        current = self._hit >= 0 and row.start <= self._hits.starts[self._hit] < max(row.end, row.start + 1)
        mark, _ = self.cursor_mark(current)
        segments = [Segment(mark, self.style_of("accent"))]
        for text, tone, hit in self._rows.pieces(number, hits):
            segments.append(Segment(text, self.style_of(*([tone] if tone else []), *["hit"] * hit)))
        return Strip(segments).adjust_cell_length(self.size.width, self.style_of())
