"""The one-line filter at the bottom of a pane."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from lmdeck.widgets.ordered_keys import ran_own_binding


class FilterBar(Input):
    """Typing narrows the list at once; Enter keeps the filter and goes back to the list, Esc drops it."""

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
    }
    """

    class Closed(Message):
        """It is left: with the filter kept, or dropped; `back`: the list wants the focus."""

        def __init__(self, keep: bool, back: bool = True) -> None:
            super().__init__()
            self.keep = keep
            self.back = back

    def __init__(self, text: str = "") -> None:
        super().__init__(text, placeholder="/ filter: Enter keeps, Esc clears", compact=True, select_on_focus=False)

    async def _on_key(self, event: events.Key) -> None:
        if not await ran_own_binding(self, event):
            await super()._on_key(event)

    def action_close(self, keep: bool) -> None:
        """Done with it."""
        self.post_message(self.Closed(keep))

    def on_blur(self, event: events.Blur) -> None:
        """Focus went elsewhere: what was typed stays in force."""
        self.post_message(self.Closed(keep=True, back=False))
