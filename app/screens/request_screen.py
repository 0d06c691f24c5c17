"""The exact request that a chat sends, as commands to run elsewhere."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from lmdeck.model.text import clean
from lmdeck.screens.choices import choices
from lmdeck.screens.dialog import Dialog
from lmdeck.widgets.text_view import TextView

COPIED = 1_000_000
"""Characters that are shown, and copied, at most: terminals drop what is too long for them altogether."""
_LANGUAGES = ("curl", "Python")
_REMARK = "The next request as it goes out. A token is read from LM_API_TOKEN."


class RequestScreen(Dialog[None]):
    """Two texts of one request; `y` copies the one that is shown, exactly as it came and never a part of it."""

    BINDING_GROUP_TITLE = "Request"
    BINDINGS = [
        Binding("1", "open(0)", "curl", show=False, id="request.curl", tooltip="As a curl command"),
        Binding("2", "open(1)", "Python", show=False, id="request.python", tooltip="As a Python program"),
        Binding("tab,shift+tab", "turn", "The other", show=False, id="request.other", tooltip="The other form"),
        Binding("y", "copy", "Copy", id="request.copy", tooltip="Copy what is shown"),
        Binding("escape,q", "close", "Close", id="request.close", tooltip="Back to the chat"),
    ]

    def __init__(self, curl: str, python: str) -> None:
        super().__init__()
        self._texts, self._form = (curl, python), 0
        self._places = [0, 0]
        self._view = TextView(id="text")

    def compose(self) -> ComposeResult:
        """Title and forms, a remark, the text, the keys."""
        with Vertical(classes="dialog dialog-page"):
            yield Static(classes="dialog-title", id="title")
            yield Static(id="remark", markup=False)
            yield self._view
            yield Static("1 2 Tab form   y copy   Esc close", classes="dialog-keys", markup=False)

    def on_mount(self) -> None:
        """The keys scroll."""
        self.set_focus(self._view)
        self._show()

    def _show(self) -> None:
        text = self._texts[self._form]
        forms = choices([f"{number} {name}" for number, name in enumerate(_LANGUAGES, 1)], self._form)
        self.query_one("#title", Static).update(Content.assemble("Request  ", forms))
        long = f"{len(text)} characters: only its beginning is shown, and nothing is copied."
        self.query_one("#remark", Static).update(long if len(text) > COPIED else _REMARK)
        self._view.show(clean(text, COPIED), place=self._places[self._form])

    def action_open(self, form: int) -> None:
        """In this form, at the place where it was left."""
        if form != self._form:
            self._places[self._form] = self._view.place
            self._form = form
            self._show()

    def action_turn(self) -> None:
        """In the other form."""
        self.action_open(1 - self._form)

    def action_copy(self) -> None:
        """To the clipboard, through the terminal (OSC 52)."""
        text = self._texts[self._form]
        if len(text) > COPIED:
            words = f"Not copied: {len(text)} characters are more than terminals take."
            self.notify(words, severity="warning")
            return
        self.app.copy_to_clipboard(text)
        self.notify("Copied.")

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)
