"""Text that grows: an answer's Markdown, or a model's reasoning. One widget, whatever is in it."""

from collections.abc import Mapping
from typing import Final

from rich.segment import Segment
from textual.content import Content
from textual.dom import NoScreen
from textual.geometry import Region, Size
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from lmdeck.widgets.paint.code import CodeBlock
from lmdeck.widgets.paint.diff import changed
from lmdeck.widgets.paint.document import Document
from lmdeck.widgets.paint.flow import Row

LOOKS: Final[dict[str, str]] = {
    "h1": "bold underline $text-primary",
    "h2": "bold $text-primary",
    "h3": "bold $text-secondary",
    "h4": "bold underline",
    "h5": "bold",
    "h6": "bold $foreground-muted",
    "strong": "bold",
    "em": "italic",
    "strike": "strike",
    "code": "$text-warning on $foreground 6%",
    "fence": "on $foreground 6%",
    "$text": "$foreground",  # Textual's ground colour of code; it differs from that of code without a language
    "link": "underline $text-accent",
    "target": "$foreground-muted",
    "mark": "$text-primary",
    "quote": "$text-primary",
    "rule": "$foreground-muted",
}
"""What the names of looks mean, in the theme's colours; other names are styles themselves."""

ANSI_LOOKS: Final[dict[str, str]] = LOOKS | {
    "h6": "bold dim ansi_default",
    "target": "dim ansi_default",
    "rule": "dim ansi_default",
}
"""The same where the terminal's own colours are used."""

KEPT_STRIPS = 512
"""Rows kept as they were painted last: more than a screen has."""


class Prose(Widget):
    """Shows a `Document`. Only what still grows is read and wrapped anew, and only rows in sight become strips.

    It can have no border and no padding.
    """

    DEFAULT_CSS = "Prose { height: auto; width: 1fr; }"

    def __init__(self, *, markdown: bool = True) -> None:
        super().__init__()
        self._markdown = markdown
        self._document = Document(markdown=markdown)
        self._strips: dict[int, Strip] = {}
        self._looks: dict[str, Style] = {}

    @property
    def code_blocks(self) -> tuple[CodeBlock, ...]:
        """The code blocks of the text so far."""
        return self._document.code_blocks

    def feed(self, text: str) -> None:
        """More text at the end; drawn by the next `redraw`."""
        self._document.feed(text)

    def clear(self) -> None:
        """Begin anew; drawn by the next `redraw`."""
        self._document = Document(markdown=self._markdown)
        self.refresh(layout=True)

    def finish(self) -> None:
        """Nothing more comes."""
        self._document.finish()

    def redraw(self) -> bool:
        """Draw what was fed; answers whether there was any. Costs a layout only when it takes more rows or fewer; else
        the terminal gets only the cells that changed."""
        before, painted = len(self._document.rows), self._strips
        first = self._draw(self._document.cells or self.size.width)
        rows = len(self._document.rows)
        if rows != before:
            self.refresh(layout=True)
        elif first < rows:
            self._refresh_rows(first, painted)
        return first < max(rows, before)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A row a line."""
        self._fit(width)
        return len(self._document.rows)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows in sight, past Textual's cache of lines: a widget that grows would lose it with every row."""
        strips = [self.render_line(y) for y in crop.line_range]
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        self._fit(self.size.width)
        rows, selection = self._document.rows, self.text_selection
        if y >= len(rows):
            return Strip.blank(self.size.width, self.rich_style)
        if selection is not None:
            return self._strip(rows[y], selection)
        strip = self._strips.pop(y) if y in self._strips else self._strip(rows[y], None)
        self._strips[y] = strip  # those that were wanted last stand at the end
        if len(self._strips) > KEPT_STRIPS:
            del self._strips[next(iter(self._strips))]
        return strip

    @property
    def text_selection(self) -> Selection | None:
        """What is selected in it. Nothing once it is taken off the screen, which may paint it until the next layout."""
        try:
            return super().text_selection
        except NoScreen:
            return None

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text as it was before it was wrapped."""
        return selection.extract("".join(f"{line}\n" for line in self._document.lines)), "\n"

    def notify_style_update(self) -> None:
        self._strips.clear()
        self._looks.clear()
        super().notify_style_update()

    def _fit(self, cells: int) -> None:
        """Another width is the only reason to draw anew in the midst of a layout or a painting."""
        if cells != self._document.cells:
            self._draw(cells)

    def _draw(self, cells: int) -> int:
        """Bring the rows up to date, forget the strips that are not; answers the first row that may be different."""
        first = self._document.draw(cells)
        self._strips = {y: strip for y, strip in self._strips.items() if y < first}
        return first

    def _refresh_rows(self, first: int, painted: Mapping[int, Strip]) -> None:
        """Have those cells painted, from row `first` on, that look different than they do on the terminal."""
        if self.text_selection is not None:
            self.refresh(Region(0, first, self.size.width, len(self._document.rows) - first))
            return
        for y, old in painted.items():
            if y >= first:
                start, end = changed(old, self.render_line(y))
                if end > start:
                    self.refresh(Region(start, y, end - start, 1))

    def _strip(self, row: Row, selection: Selection | None) -> Strip:
        base, text = self.visual_style, row.coloured()
        ground = base + self._look(row.ground) if row.ground else base
        if selection is not None and (span := selection.get_span(row.line)) is not None:
            first = max(span[0] - row.start, 0)
            last = len(text) if span[1] < 0 else min(span[1] - row.start, len(text))
            marked = Style.from_styles(self.screen.get_component_styles("screen--selection"))
            text = text.stylize(marked, first, last) if first < last else text
        margin = Strip(self._segments(row.margin, base)).apply_offsets(row.left, row.line)
        words = Strip(self._segments(text, ground))
        words = words.adjust_cell_length(self.size.width - margin.cell_length, ground.rich_style)
        return Strip.join([margin, words.apply_offsets(row.start, row.line)])

    def _segments(self, content: Content, base: Style) -> list[Segment]:
        return [Segment(text, style.rich_style) for text, style in content.render(base, "", self._look)]

    def _look(self, name: str | Style) -> Style:
        if isinstance(name, Style):
            return name
        if (look := self._looks.get(name)) is None:
            looks = ANSI_LOOKS if self.app.native_ansi_color else LOOKS
            look = self._looks[name] = self.app.stylesheet.parse_style(looks.get(name, name))
        return look
