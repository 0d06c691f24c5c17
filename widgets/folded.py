"""Text behind a title line that opens and closes it: reasoning, tool calls."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from lmdeck.model.text import one_line
from lmdeck.widgets.prose import Prose


class Folded(Vertical):
    """A title and a body of plain text; a click on the title folds and unfolds it.

    Not focusable: in a chat the keyboard stays with the input, which folds all at once.
    """

    DEFAULT_CSS = """
    Folded { height: auto; color: $text-muted; }
    Folded > .title { height: 1; }
    """

    folded: reactive[bool] = reactive(True)
    """Whether only the title shows."""
    title: reactive[str] = reactive("")
    """The title, plain text from anywhere."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title_line = Static(classes="title", markup=False)
        self._body = Prose(markdown=False)
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
        self._body.feed(text)

    def replace(self, text: str) -> None:
        """Other text instead."""
        self._body.clear()
        self._body.feed(text)
        self.refresh_text()

    def refresh_text(self) -> bool:
        """Draw what was appended, if it can be seen; answers whether there was any."""
        return not self.folded and self._body.redraw()

    def watch_title(self) -> None:
        """Redraw the title line."""
        self._title_line.update(Content(f"{'▸' if self.folded else '▾'} {one_line(self.title, 200)}"))

    def watch_folded(self) -> None:
        """Show or hide the body."""
        self._body.display = not self.folded
        self.watch_title()
        self.refresh_text()

    def on_click(self) -> None:
        """Fold or unfold."""
        self.folded = not self.folded
