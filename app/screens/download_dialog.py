"""The dialog of `d`: what is being downloaded to the server, and a form for one more."""

import time
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lmdeck.model.download import Download, is_url, normal_name
from lmdeck.model.problem import Problem
from lmdeck.model.text import clean, one_line
from lmdeck.screens import intents
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.load_fields import FormInput
from lmdeck.widgets.paint.downloads import download_lines
from lmdeck.widgets.paint.line import Line
from lmdeck.widgets.painting import Painting

LONGEST_NAME = 500
_AROUND = 17
"""Lines of the dialog without its list."""
_HINT = "A catalogue id such as ibm/granite-4-micro, or the full URL of a model on Hugging Face."


class DownloadDialog(Dialog[None]):
    """Posts `Download` on Enter and stays: `show` tells how far all downloads are, `begun` and `refused` what became of
    the last wish. `room` says how much space the server's disk has."""

    BINDING_GROUP_TITLE = "Download"
    BINDINGS = [
        Binding("enter", "accept", "Download", id="download.accept", tooltip="Ask the server to download it"),
        Binding("escape", "close", "Close", id="download.close", tooltip="Back to the deck; downloads go on"),
    ]
    DEFAULT_CSS = """
    DownloadDialog {
        #status { margin: 1 0; max-height: 8; }
        #list { height: auto; scrollbar-size-vertical: 1; }
        .dialog-keys { margin: 1 0 0 0; }
    }
    """

    def __init__(self, downloads: Sequence[Download], room: str) -> None:
        super().__init__()
        self._downloads, self._room = tuple(downloads), room
        self._model = FormInput("publisher/model or https://huggingface.co/…", id="model")
        self._quantization = FormInput("for a URL only", id="quantization", disabled=True)
        self._model.max_length = LONGEST_NAME
        self._painting = Painting(id="downloads")
        self.asked: str | None = None
        """The model that the server is being asked for."""

    def compose(self) -> ComposeResult:
        """The form, what it will do, the downloads, what to press."""
        with Vertical(classes="dialog dialog-wide"):
            yield Static("Download a model to the server", classes="dialog-title")
            for label, field in (("Model", self._model), ("Quantisation", self._quantization)):
                with Horizontal(classes="field"):
                    yield Static(label, classes="field-label")
                    yield field
            yield Static(classes="dialog-text", id="status", markup=False)
            with VerticalScroll(id="list"):
                yield self._painting
            yield Static(
                "Enter download   Tab next field   Esc close, downloads go on", classes="dialog-keys", markup=False
            )

    def on_mount(self) -> None:
        """Ready for typing."""
        self._model.focus()
        self._tell_plan()
        self.show(self._downloads)

    def on_resize(self) -> None:
        """The list takes what the form leaves."""
        self.query_one("#list").styles.max_height = max(3, self.size.height - _AROUND)

    # What the room tells

    def show(self, downloads: Sequence[Download]) -> None:
        """How far they are now."""
        self._downloads = tuple(downloads)
        self._painting.show(self._lines)
        self.query_one("#list").display = bool(downloads)

    def begun(self) -> None:
        """The server took it: the form is free for the next one."""
        asked, self.asked = self.asked, None
        if normal_name(self._model.value) == asked:
            self._model.value = self._quantization.value = ""
        self._model.focus()
        self._tell_plan()

    def refused(self, problem: Problem) -> None:
        """It did not; what was typed stays."""
        self.asked = None
        self._tell(problem.lines, error=True)

    def _lines(self, cells: int) -> Sequence[Line]:
        return download_lines(self._downloads, cells, time.time())

    # The form

    def on_input_changed(self) -> None:
        """Another name: what will be done, and whether a quantisation can be chosen."""
        self._quantization.disabled = not is_url(normal_name(self._model.value))
        if self.asked is None:
            self._tell_plan()

    def on_input_submitted(self) -> None:
        """Enter in a field."""
        self.action_accept()

    def _wish(self) -> tuple[str, str | None]:
        name = normal_name(self._model.value)
        return name, (self._quantization.value.strip() or None) if is_url(name) else None

    def _tell_plan(self) -> None:
        name, quantization = self._wish()
        if not name:
            self._tell(f"{_HINT}\n{self._room}")
            return
        which = f", {quantization}" if quantization else ", in the quantisation that it chooses"
        what = f"Asks the server to download {one_line(name)}{which if is_url(name) else ''}."
        self._tell(f"{what}\n{self._room} The size is known once it has begun.")

    def _tell(self, words: str, *, error: bool = False) -> None:
        status = self.query_one("#status", Static)
        status.set_class(error, "-error")
        status.update(Content(clean(words)))

    def action_accept(self) -> None:
        """Ask for it, once; what cannot be a name is told."""
        name, quantization = self._wish()
        if self.asked is not None:
            return
        if not name or any(letter.isspace() for letter in name):
            self._tell(f"{'A name has no spaces' if name else 'Nothing is named'}.\n{_HINT}", error=True)
            self._model.focus()
            return
        self.asked = name
        self._tell(f"Asking the server for {one_line(name)} …")
        self.post_message(intents.Download(name, quantization))

    def action_close(self) -> None:
        """The server goes on."""
        self.dismiss(None)
