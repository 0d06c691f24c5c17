"""The one-line filter at the bottom of a pane."""

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input

from lmdeck.widgets.ordered_keys import ran_own_binding
from lmdeck.widgets.paint.line import crop, say


class FilterBar(Input):
    """Typing narrows the list at once; Enter keeps the filter and goes back to the list, Esc drops it.

    What is wrong with the filter stands at its right end; until it is put right, Enter keeps nothing.
    """

    BINDING_GROUP_TITLE = "Filter"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "close(True)", "Keep", id="filter.keep", tooltip="Keep the filter and go back to the list"),
        Binding("escape", "close(False)", "Clear", id="filter.clear", tooltip="Drop the filter and go back"),
        Binding("down", "close(True)", "List", show=False, id="filter.list", tooltip="Go to the list"),
    ]
    DEFAULT_CSS = """
    FilterBar {
        dock: bottom;
        padding: 0 1 !important;
        background: $foreground 8%;
        &:ansi { text-style: underline; }
        & > .filter-bar--words { color: $text-error; text-style: bold; }
    }
    """

    class Closed(Message):
        """It is left: with the filter kept, or dropped; `back`: the list wants the focus."""

        def __init__(self, keep: bool, back: bool = True) -> None:
            super().__init__()
            self.keep = keep
            self.back = back

    COMPONENT_CLASSES: ClassVar[set[str]] = {"filter-bar--words"}

    def __init__(self, text: str = "", placeholder: str = "/ filter: Enter keeps, Esc clears") -> None:
        super().__init__(text, placeholder=placeholder, compact=True, select_on_focus=False)
        self.words = ""

    def say(self, words: str) -> None:
        """Show what is wrong with the filter; nothing is when empty."""
        if words != self.words:
            self.words = words
            self.refresh()

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if not self.words or y:
            return strip
        room = max(self.size.width - cell_len(self.value) - 3, self.size.width // 3)
        style = self.get_component_rich_style("filter-bar--words")
        words = Strip([Segment(text, style) for text, _ in crop(say(f"✗ {self.words}"), room)])
        return Strip.join([strip.crop(0, self.size.width - words.cell_length), words])

    async def _on_key(self, event: events.Key) -> None:
        if not await ran_own_binding(self, event):
            await super()._on_key(event)

    def action_close(self, keep: bool) -> None:
        """Done with it."""
        if keep and self.words:
            return
        self.post_message(self.Closed(keep))

    def on_blur(self, event: events.Blur) -> None:
        """Focus went elsewhere: what was typed stays in force."""
        self.post_message(self.Closed(keep=True, back=False))
