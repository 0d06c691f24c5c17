"""A text to send, of a few lines: Enter sends, ctrl+j breaks the line."""

from textual import events
from textual.binding import Binding
from textual.message import Message

from lmdeck.model.text import clean
from lmdeck.widgets.multiline import Multiline
from lmdeck.widgets.ordered_keys import passed_on, ran_own_binding


class PromptInput(Multiline):
    """A text area as high as its text, within what its place allows."""

    BINDING_GROUP_TITLE = "Prompt"
    BINDINGS = [
        Binding("enter", "submit", "Send", id="prompt.send", tooltip="Send the text"),
        Binding("ctrl+j", "newline", "New line", id="prompt.newline", tooltip="Break the line"),
        Binding("escape", "leave", "Stop, close", id="prompt.leave", tooltip="Stop what runs; if nothing does, close"),
    ]
    DEFAULT_CSS = """
    PromptInput { width: 1fr; height: auto; min-height: 1; max-height: 100%; border: none; padding: 0; }
    PromptInput, PromptInput:focus { border: none; background: $boost; }
    """

    class Submitted(Message):
        """Enter was pressed on this text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """Escape was pressed."""

    def __init__(self, text: str = "", *, placeholder: str = "") -> None:
        super().__init__(clean(text), placeholder=placeholder, highlight_cursor_line=False, compact=True)

    def on_mount(self) -> None:
        """What is there already goes on at its end."""
        self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        if not passed_on(self, event) and not await ran_own_binding(self, event):
            await super()._on_key(event)

    def action_submit(self) -> None:
        """Hand the text over."""
        self.post_message(self.Submitted(self.text))

    def action_newline(self) -> None:
        """Break the line at the cursor."""
        self.insert("\n")

    def action_leave(self) -> None:
        """Ask to stop or close."""
        self.post_message(self.Left())
