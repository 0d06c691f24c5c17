"""Another title for a conversation."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Static

from lmdeck.model.text import one_line
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.load_fields import FormInput

LONGEST_TITLE = 200


class TitleDialog(Dialog[str | None]):
    """Answers the title as it is to be kept, one line; None when it stays."""

    BINDING_GROUP_TITLE = "Title"
    BINDINGS = [
        Binding("enter", "accept", "Rename", id="title.accept", tooltip="Keep this title"),
        Binding("escape", "close", "Close", id="title.close", tooltip="Leave the title as it is"),
    ]

    def __init__(self, title: str) -> None:
        super().__init__()
        self._editor = FormInput("empty: the first words of the first prompt", id="title")
        self._editor.max_length = LONGEST_TITLE
        self._editor.set_reactive(FormInput.value, one_line(title, LONGEST_TITLE))

    def compose(self) -> ComposeResult:
        """The title, what to press."""
        with Vertical(classes="dialog"):
            yield Static("Rename the conversation", classes="dialog-title")
            yield self._editor
            yield Static("Enter rename   Esc close", classes="dialog-keys")

    def on_mount(self) -> None:
        """Typing replaces the title."""
        self._editor.focus()

    def on_input_submitted(self) -> None:
        """Enter in the field."""
        self.action_accept()

    def action_accept(self) -> None:
        """This one."""
        self.dismiss(one_line(self._editor.value, LONGEST_TITLE))

    def action_close(self) -> None:
        """The old one."""
        self.dismiss(None)
