"""The chat's editor: Enter sends, ctrl+j breaks the line."""

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import TextArea

from lmdeck.widgets.ordered_keys import ran_own_binding


class ChatInput(TextArea):
    """A text area of one to six lines. What Escape means depends on the chat, so it is posted like Enter."""

    BINDING_GROUP_TITLE = "Chat editor"
    BINDINGS = [
        Binding("enter", "submit", "Send", id="chat.send", tooltip="Send the text"),
        Binding("ctrl+j", "newline", "New line", id="chat.newline", tooltip="Break the line"),
        Binding(
            "escape", "leave", "Stop, leave", id="chat.leave", tooltip="Stop the running answer, or leave the chat"
        ),
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
        if not await ran_own_binding(self, event):
            await super()._on_key(event)

    def action_submit(self) -> None:
        """Hand the text over; whether it is sent is the chat's business."""
        self.post_message(self.Submitted(self.text))

    def action_newline(self) -> None:
        """Break the line at the cursor."""
        self.insert("\n")

    def action_leave(self) -> None:
        """Ask to stop or leave."""
        self.post_message(self.Left())
