"""Toned lines in a dialog: as wide as there is room, as high as they need."""

from collections.abc import Callable, Sequence

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from lmdeck.widgets.paint.line import Line
from lmdeck.widgets.toned_view import ANSI_LOOKS, LOOKS

Paint = Callable[[int], Sequence[Line]]
"""Cells there are, to the lines that are drawn in them."""


class Painting(Widget):
    """Shows what a paint function makes of the width; costs a layout only when the number of lines changes."""

    DEFAULT_CSS = "Painting { height: auto; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._paint: Paint = _nothing
        self._lines: Sequence[Line] = ()

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown now."""
        return self._lines

    def show(self, paint: Paint) -> None:
        """Paint with this from now on."""
        self._paint = paint
        before, self._lines = self._lines, paint(self.content_size.width)
        if self._lines != before:
            self.refresh(layout=len(self._lines) != len(before))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A row a line."""
        return len(self._paint(width))

    def render(self) -> RenderResult:
        """The lines in the theme's colours."""
        looks = ANSI_LOOKS if self.app.native_ansi_color else LOOKS
        self._lines = self._paint(self.content_size.width)
        return Content("\n").join(
            Content.assemble(*((text, looks[tone] if tone else "") for text, tone in line)) for line in self._lines
        )


def _nothing(cells: int) -> Sequence[Line]:
    return ()
