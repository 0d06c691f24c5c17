"""The line of pane names, for screens too small to show every pane at once."""

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class PaneStrip(Widget):
    """`1 Loaded  2 Available …`: the visible panes stand out; a click asks for another."""

    DEFAULT_CSS = """
    PaneStrip { height: 1; width: 1fr; padding: 0 1; color: $text-muted; }
    """

    visible_panes: reactive[frozenset[int]] = reactive(frozenset())
    """Indexes (from 0) of the panes on screen now."""

    class Picked(Message):
        """A name was clicked; `index` counts from 0."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, titles: tuple[str, ...], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles = titles

    def _labels(self) -> list[str]:
        return [f" {number} {title} " for number, title in enumerate(self._titles, 1)]

    def render(self) -> RenderResult:
        """All names on one line."""
        styles = ["$text bold reverse" if index in self.visible_panes else "" for index in range(len(self._titles))]
        return Content.assemble(*zip(self._labels(), styles, strict=True)).truncate(self.content_size.width)

    def on_click(self, event: events.Click) -> None:
        """Find the name under the pointer."""
        position = event.x - 1
        for index, label in enumerate(self._labels()):
            if 0 <= position < len(label):
                self.post_message(self.Picked(index))
                return
            position -= len(label)
