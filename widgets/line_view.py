"""The base of everything here that scrolls: it draws lines, and sends the terminal only the cells that changed."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from lmdeck.model.text import clean
from lmdeck.widgets.paint.diff import changed
from lmdeck.widgets.paint.line import Span, Tone, wrap
from lmdeck.widgets.toned_view import TonedView

MOVE = Binding.Group("Move", compact=True)
LONGEST_WORDS = 4_000
"""Of a longer message from outside only the beginning is shown."""


class Paragraph(NamedTuple):
    """Words that stand where there is nothing else to show; wrapped, may hold line breaks."""

    text: str
    tone: Tone = ""


def _moving(keys: str, action: str, name: str, tooltip: str) -> Binding:
    id = f"list.{name.lower().replace(' ', '_')}"
    return Binding(keys, action, name, show=False, id=id, tooltip=tooltip, group=MOVE)


class LineView(TonedView, can_focus=True):
    """A scrolling list of lines without a widget for each.

    Subclasses say `line_count` and `draw_line`, and call `repaint` when something may look different.
    """

    ALLOW_SELECT = False
    BINDING_GROUP_TITLE = "List"
    BINDINGS: ClassVar[list[BindingType]] = [
        _moving("up,k", "move(-1)", "Up", "One line up"),
        _moving("down,j", "move(1)", "Down", "One line down"),
        _moving("pageup", "page(-1)", "Page up", "One page up"),
        _moving("pagedown", "page(1)", "Page down", "One page down"),
        _moving("home,g", "first", "First", "To the first line"),
        _moving("end,G", "last", "Last", "To the last line"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._words: tuple[Paragraph, ...] = ()
        self._wrapped: list[Span] = []
        self._drawn: dict[int, Strip] = {}
        self._drawn_width = 0

    # What a subclass says

    def line_count(self) -> int:
        """How many lines there are to scroll through, headings included."""
        return 0

    def draw_line(self, y: int) -> Strip:
        """Line `y` of the visible part; the scroll offset is the subclass's business."""
        return self.blank()

    def move_lines(self, lines: int) -> None:
        """Move the cursor, or what is in sight where there is none."""
        self.scroll_relative(y=lines, animate=False)

    def resized(self) -> None:
        """The room has changed: bring what is in sight up to date."""
        self.resize_lines()

    # What it offers

    @property
    def text_width(self) -> int:
        """Cells to write in. The last column is the scroll bar's, so that its coming moves nothing."""
        return max(self.size.width - 1, 1)

    @property
    def shows_words(self) -> bool:
        """Whether words stand in place of the lines."""
        return bool(self._words)

    def show_words(self, paragraphs: Sequence[Paragraph]) -> None:
        """Show these words in place of the lines; none brings the lines back."""
        if (words := tuple(paragraphs)) != self._words:
            self._words = words
            self._drawn_width = self.size.width
            self._wrapped = self._wrap()
            self.scroll_to(y=0, animate=False)
            self.resized()
            self.repaint()

    def repaint(self) -> None:
        """Compare every visible line with what the terminal shows and redraw the cells that differ."""
        self.settle_styles()
        for y in range(self.size.height):
            if (old := self._drawn.get(y)) is None:
                continue  # not painted yet: it will be
            start, end = changed(old, self._line(y))
            if end > start:
                self.refresh(Region(start, y, end - start, 1))

    def resize_lines(self) -> None:
        """Tell the scroll bar how many lines there are now. Costs no layout of the screen."""
        lines = len(self._wrapped) if self._words else self.line_count()
        size = Size(self.size.width, lines)
        if size != self.virtual_size:
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)

    # Keys

    def action_move(self, lines: int) -> None:
        """Some lines down, or up."""
        if self._words:
            self.scroll_relative(y=lines, animate=False)
        else:
            self.move_lines(lines)

    def action_page(self, pages: int) -> None:
        """What fits on the screen, but one line."""
        self.action_move(pages * max(self.size.height - 2, 1))

    def action_first(self) -> None:
        """To the first line."""
        self.action_move(-self.virtual_size.height)

    def action_last(self) -> None:
        """To the last line."""
        self.action_move(self.virtual_size.height)

    # Textual's side

    def render_line(self, y: int) -> Strip:
        self._fit_width()
        self.settle_styles()
        strip = self._line(y)
        self._drawn[y] = strip
        return strip

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if round(old_value) != round(new_value):
            self._drawn.clear()  # everything is about to be painted
        super().watch_scroll_y(old_value, new_value)

    def on_focus(self) -> None:
        self.repaint()

    def on_blur(self) -> None:
        self.repaint()

    def on_resize(self) -> None:
        self._fit_width()
        self.resized()
        self.repaint()

    def _fit_width(self) -> None:
        """The first painting may come before the first `Resize`."""
        if self._drawn_width != self.size.width:
            self._drawn_width = self.size.width
            self._drawn.clear()
            self._wrapped = self._wrap()
            self.forget()

    def _line(self, y: int) -> Strip:
        if not self._words:
            return self.draw_line(y)
        index = y + self.scroll_offset.y
        if index >= len(self._wrapped):
            return self.blank()
        return self.strip((Span(" "), self._wrapped[index]))

    def _wrap(self) -> list[Span]:
        if not self.size.width:
            return []  # not laid out yet: lines of one letter would only bring up a scroll bar
        room = max(self.text_width - 1, 1)
        return [
            Span(line, tone) for text, tone in self._words for line in (*wrap(clean(text, LONGEST_WORDS), room), "")
        ][:-1]
