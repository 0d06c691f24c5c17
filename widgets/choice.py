"""A one-line choice between a few words: left and right walk through them."""

from textual import events
from textual.app import RenderResult
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from lmdeck.widgets.ordered_keys import passed_on


class Choice(Widget, can_focus=True):
    """`‹ server default ›`; the value is an index into `options`."""

    BINDINGS = [
        Binding("left", "move(-1)", "Previous", show=False, id="choice.previous", tooltip="The option before"),
        Binding("right,space", "move(1)", "Next", show=False, id="choice.next", tooltip="The next option"),
    ]
    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; color: $foreground; }
    Choice:focus { background: $boost; text-style: bold; }
    """

    index: reactive[int] = reactive(0)
    """Which option is chosen."""

    class Changed(Message):
        """Another option was chosen."""

    def __init__(self, options: tuple[str, ...], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.options = options

    def render(self) -> RenderResult:
        """The chosen word between its arrows; an arrow is dim where nothing lies beyond."""
        arrows = [("‹ ", "" if self.index else "dim"), (" ›", "" if self.index < len(self.options) - 1 else "dim")]
        return Content.assemble(arrows[0], self.options[self.index], arrows[1])

    def watch_index(self) -> None:
        """Tell the dialog."""
        self.post_message(self.Changed())

    def action_move(self, step: int) -> None:
        """Walk, stopping at the ends."""
        self.index = max(0, min(len(self.options) - 1, self.index + step))

    async def _on_key(self, event: events.Key) -> None:
        passed_on(self, event)

    def on_click(self) -> None:
        """A click walks on, round the end."""
        self.index = (self.index + 1) % len(self.options)
