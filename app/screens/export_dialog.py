"""In which form the shown requests are written."""

from typing import Literal

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.reactive import reactive
from textual.widgets import Static

from lmdeck.screens.dialog import Dialog

Format = Literal["jsonl", "csv", "markdown"]
Choice = tuple[Format, bool]
"""The form, and whether prompts and answers are in it."""


class ExportDialog(Dialog[Choice | None]):
    """Answers a form and whether with text; None when closed. Prompts stay out unless they are asked for."""

    BINDING_GROUP_TITLE = "Export"
    BINDINGS = [
        Binding("j", "write('jsonl')", "JSON Lines", id="export.jsonl", tooltip="Everything, one request a line"),
        Binding("c", "write('csv')", "CSV", id="export.csv", tooltip="The statistics, for a spreadsheet"),
        Binding("m", "write('markdown')", "Markdown", id="export.markdown", tooltip="To read"),
        Binding("t", "text", "Text", id="export.text", tooltip="With prompts and answers, or without"),
        Binding("escape,q", "close", "Close", id="export.close", tooltip="Write nothing"),
    ]

    with_text: reactive[bool] = reactive(False, init=False)
    """Whether prompts and answers are written, too."""

    def __init__(self, shown: str) -> None:
        super().__init__()
        self._shown = shown

    def compose(self) -> ComposeResult:
        """What is written, the forms, the choice of text."""
        with Vertical(classes="dialog"):
            yield Static("Export", classes="dialog-title")
            yield Static(
                f"The requests of the lines that are shown: {self._shown}.", classes="dialog-text", markup=False
            )
            yield Static("j  JSON Lines: everything, one request a line", markup=False)
            yield Static("c  CSV: the statistics, for a spreadsheet", markup=False)
            yield Static("m  Markdown: to read", markup=False)
            yield Static(self._text_line(), id="with-text", classes="dialog-text", markup=False)
            yield Static("Esc close", classes="dialog-keys", markup=False)

    def _text_line(self) -> str:
        return f"t  prompts and answers: {'written, too' if self.with_text else 'left out'}"

    def watch_with_text(self) -> None:
        """Say it."""
        self.query_one("#with-text", Static).update(self._text_line())

    def action_text(self) -> None:
        """With prompts and answers, or without."""
        self.with_text = not self.with_text

    def action_write(self, form: Format) -> None:
        """That one."""
        self.dismiss((form, self.with_text))

    def action_close(self) -> None:
        """Nothing."""
        self.dismiss(None)
