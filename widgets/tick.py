"""A box to tick: `[✓] mcp/playwright`."""

from textual import events
from textual.app import RenderResult
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from lmdeck.widgets.ordered_keys import passed_on


class Tick(Widget, can_focus=True):
    """Ticked or not; `label` is plain text, `hint` stands dim behind it."""

    BINDING_GROUP_TITLE = "Box"
    BINDINGS = [Binding("space", "turn", "Tick", show=False, id="tick.turn", tooltip="Tick it, or not")]
    DEFAULT_CSS = """
    Tick { height: 1; width: 1fr; color: $foreground; }
    Tick:focus { background: $boost; text-style: bold; }
    """

    value: reactive[bool] = reactive(False, init=False)
    """Whether it is ticked."""

    class Changed(Message):
        """Ticked, or no more."""

    def __init__(self, label: str, hint: str = "", *, value: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.label, self.hint = label, hint
        self.set_reactive(Tick.value, value)

    def render(self) -> RenderResult:
        """The box, the label, the hint."""
        return Content.assemble("[✓] " if self.value else "[ ] ", self.label, (f"   {self.hint}", "dim"))

    def watch_value(self) -> None:
        """Tell the dialog."""
        self.post_message(self.Changed())

    def action_turn(self) -> None:
        """The other way."""
        self.value = not self.value

    async def _on_key(self, event: events.Key) -> None:
        passed_on(self, event)

    def on_click(self) -> None:
        """A click ticks."""
        self.action_turn()
