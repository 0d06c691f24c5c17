"""Text behind a title line that opens and closes it: reasoning, tool calls."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from lmdeck.model.text import clean, one_line


class Folded(Vertical):
    """A title and a body of plain text; a click on the title folds and unfolds it.

    Not focusable: in a chat the keyboard stays with the input, which folds all at once.
    """

    DEFAULT_CSS = """
    Folded { height: auto; color: $text-muted; }
    Folded > .title { height: 1; }
    Folded > .body { height: auto; padding: 0 0 0 2; border-left: solid $panel; }
    """

    folded: reactive[bool] = reactive(True)
    """Whether only the title shows."""
    title: reactive[str] = reactive("")
    """The title, plain text from anywhere."""

    def __init__(self, title: str, text: str = "") -> None:
        super().__init__()
        self._text = [clean(text)] if text else []
        self._title_line = Static(classes="title", markup=False)
        self._body = Static(classes="body", markup=False)
        self._shown = 0
        self.set_reactive(Folded.title, title)

    def compose(self) -> ComposeResult:
        """Title over body."""
        yield self._title_line
        yield self._body

    def on_mount(self) -> None:
        """Draw both for the first time."""
        self.watch_folded()

    def append(self, text: str) -> None:
        """More text at the end; drawn by the next `refresh_text`."""
        self._text.append(clean(text))

    def replace(self, text: str) -> None:
        """Other text instead."""
        self._text = [clean(text)]
        self._shown = 0
        self.refresh_text()

    def refresh_text(self) -> None:
        """Draw what was appended, if it can be seen."""
        if not self.folded and len(self._text) != self._shown:
            self._text = ["".join(self._text)]
            self._shown = 1
            self._body.update(Content(self._text[0]))

    def watch_title(self) -> None:
        """Redraw the title line."""
        self._title_line.update(Content(f"{'▸' if self.folded else '▾'} {one_line(self.title, 200)}"))

    def watch_folded(self) -> None:
        """Show or hide the body."""
        self._body.display = not self.folded
        self._shown = 0
        self.watch_title()
        self.refresh_text()

    def on_click(self) -> None:
        """Fold or unfold."""
        self.folded = not self.folded
