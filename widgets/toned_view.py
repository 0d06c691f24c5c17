"""Lines of text with tones, turned into the colours of the theme."""

from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lmdeck.widgets.paint.line import Line, Needle, Span, pieces, safe

LOOKS: Final[dict[str, str]] = {
    "strong": "bold",
    "muted": "$foreground-muted",
    "accent": "$text-accent",
    "good": "$text-success",
    "warn": "$text-warning",
    "bad": "bold $text-error",
    "hit": "reverse",
    "header": "bold $foreground-muted",
    "cursor": "on $primary 30%",
    "cursor-blurred": "on $foreground 8%",
}
"""What tones and layers look like, in the theme's colours. Not component classes: Textual would match the rules of each
of them for each view whenever styles may have changed, a third of the time to the first frame."""

ANSI_LOOKS: Final[dict[str, str]] = LOOKS | {
    "muted": "dim ansi_default",
    "header": "underline ansi_default",
    "cursor": "reverse on ansi_default",
    "cursor-blurred": "on ansi_default",
}
"""The same where the terminal's own colours are used."""


class TonedView(ScrollView, inherit_bindings=False):
    """A scrolling widget that knows what the tones of a `paint.line.Line` look like.

    Layers lie under a line or on it: the tones themselves, `hit` (what a filter found), `header` (a table's heading),
    `cursor` (the current line) and `cursor-blurred` (the same without the focus).
    """

    DEFAULT_CSS = """
    TonedView {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-color: $foreground 30%;
        scrollbar-color-hover: $foreground 45%;
        scrollbar-color-active: $primary;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._styles_by_name: dict[tuple[str, ...], Style] = {}
        self._restyled = False

    def forget(self) -> None:
        """Drop whatever was kept for drawing: the colours or the width have changed."""

    def strip(self, line: Line, *layers: str, needle: Needle = "") -> Strip:
        """The line in its tones on top of `layers`, padded to the width; occurrences of `needle` stand out."""
        segments = [
            Segment(safe(text), self.style_of(*layers, *([tone] if tone else []), *["hit"] * hit))
            for text, tone, hit in pieces(line, needle)
        ]
        return Strip(segments).adjust_cell_length(self.size.width, self.style_of(*layers))

    def blank(self) -> Strip:
        """An empty line."""
        return Strip.blank(self.size.width, self.style_of())

    def cursor_mark(self, current: bool) -> Span:
        """The first cell of a line: the cursor's mark, which shows without colours too."""
        return Span(("▌" if self.has_focus else "▏") if current else " ", "accent")

    def cursor_style(self, current: bool) -> tuple[str, ...]:
        """The layers that lie under a line; equal ones draw it equally."""
        return (("cursor" if self.has_focus else "cursor-blurred"),) if current else ()

    def style_of(self, *layers: str) -> Style:
        """The style of these layers laid over each other and over the widget."""
        style = self._styles_by_name.get(layers)
        if style is None:
            style = self.style_of(*layers[:-1]) if layers else self.rich_style
            if layers:
                style += self._over(style, layers[-1])
            self._styles_by_name[layers] = style
        return style

    def notify_style_update(self) -> None:
        self._restyled = True
        super().notify_style_update()

    def settle_styles(self) -> None:
        """Forget what was drawn if it would look different now. Most updates, a new focus for one, change nothing."""
        if self._restyled:
            self._restyled = False
            before, self._styles_by_name = self._styles_by_name, {}
            if any(self.style_of(*names) != style for names, style in before.items()):
                self.forget()

    def _over(self, under: Style, layer: str) -> Style:
        look = self.app.stylesheet.parse_style((ANSI_LOOKS if self.app.native_ansi_color else LOOKS)[layer])
        back = Color.from_rich_color(under.bgcolor) if under.bgcolor else Color(0, 0, 0, 0)
        if look.background is not None:
            back += look.background
        fore = (back + look.foreground).rich_color if look.foreground is not None else None
        behind = back.rich_color if back.a or back.ansi is not None else None
        marks = Style(bold=look.bold, dim=look.dim, underline=look.underline, reverse=look.reverse)
        return Style(color=fore, bgcolor=behind) + marks
