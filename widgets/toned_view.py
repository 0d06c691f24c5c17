"""Lines of text with tones, turned into the colours of the theme."""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lmdeck.widgets.paint.line import Line, Span, pieces, safe


class TonedView(ScrollView, inherit_bindings=False):
    """A scrolling widget that knows what the tones of a `paint.line.Line` look like.

    Component classes: `line--strong` … `line--bad` are the tones, `line--hit` what a filter found, `line--header`
    a table's heading, `line--cursor` the current line and `line--cursor-blurred` the same without the focus.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line--strong",
        "line--muted",
        "line--accent",
        "line--good",
        "line--warn",
        "line--bad",
        "line--hit",
        "line--header",
        "line--cursor",
        "line--cursor-blurred",
    }
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
        & > .line--strong { text-style: bold; }
        & > .line--muted { color: $foreground-muted; }
        & > .line--accent { color: $text-accent; }
        & > .line--good { color: $text-success; }
        & > .line--warn { color: $text-warning; }
        & > .line--bad { color: $text-error; text-style: bold; }
        & > .line--hit { text-style: reverse; }
        & > .line--header { color: $foreground-muted; text-style: bold; }
        & > .line--cursor { background: $primary 30%; }
        & > .line--cursor-blurred { background: $foreground 8%; }
        &:ansi > .line--muted { color: ansi_default; text-style: dim; }
        &:ansi > .line--header { color: ansi_default; text-style: underline; }
        &:ansi > .line--cursor { background: ansi_default; text-style: reverse; }
        &:ansi > .line--cursor-blurred { background: ansi_default; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._styles_by_name: dict[tuple[str, ...], Style] = {}
        self._restyled = False

    def forget(self) -> None:
        """Drop whatever was kept for drawing: the colours or the width have changed."""

    def strip(self, line: Line, *components: str, needle: str = "") -> Strip:
        """The line in its tones on top of `components`, padded to the width; occurrences of `needle` stand out."""
        segments = [
            Segment(safe(text), self.style_of(*components, *([f"line--{tone}"] if tone else []), *["line--hit"] * hit))
            for text, tone, hit in pieces(line, needle)
        ]
        return Strip(segments).adjust_cell_length(self.size.width, self.style_of(*components))

    def blank(self) -> Strip:
        """An empty line."""
        return Strip.blank(self.size.width, self.style_of())

    def cursor_mark(self, current: bool) -> Span:
        """The first cell of a line: the cursor's mark, which shows without colours too."""
        return Span(("▌" if self.has_focus else "▏") if current else " ", "accent")

    def cursor_style(self, current: bool) -> tuple[str, ...]:
        """The components that lie under a line; equal ones draw it equally."""
        return (("line--cursor" if self.has_focus else "line--cursor-blurred"),) if current else ()

    def style_of(self, *components: str) -> Style:
        """The style of these component classes laid over each other and over the widget."""
        style = self._styles_by_name.get(components)
        if style is None:
            style = self.style_of(*components[:-1]) if components else self.rich_style
            if components:
                style += self._over(style, components[-1])
            self._styles_by_name[components] = style
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

    def _over(self, under: Style, component: str) -> Style:
        rules = self.get_component_styles(component)
        back = Color.from_rich_color(under.bgcolor) if under.bgcolor else Color(0, 0, 0, 0)
        if rules.has_rule("background"):
            back += rules.background
        fore = (back + rules.color).rich_color if rules.has_rule("color") else None
        behind = back.rich_color if back.a or back.ansi is not None else None
        return Style(color=fore, bgcolor=behind) + rules.text_style
