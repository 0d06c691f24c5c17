"""The chat's editor: Enter sends, ctrl+j breaks the line."""

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import TextArea


class ChatInput(TextArea):
    """A text area of one to six lines. Escape is posted, not consumed: what it means depends on the chat."""

    BINDINGS = [
        Binding("ctrl+j", "newline", "Newline", show=False, id="chat.newline", tooltip="Break the line; Enter sends"),
    ]
    DEFAULT_CSS = """
    ChatInput { height: auto; min-height: 1; max-height: 6; border: none; padding: 0; background: $surface; }
    ChatInput:focus { border: none; background: $boost; }
    """

    class Submitted(Message):
        """Enter was pressed on this text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """Escape was pressed."""

    async def _on_key(self, event: events.Key) -> None:
        if event.key in ("enter", "escape"):
            event.stop()
            event.prevent_default()
            self.post_message(self.Submitted(self.text) if event.key == "enter" else self.Left())
            return
        await super()._on_key(event)

    def action_newline(self) -> None:
        """Break the line at the cursor."""
        self.insert("\n")
