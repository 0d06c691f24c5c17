"""A text area whose every change can be undone."""

from collections.abc import Callable

from textual.widgets import TextArea


class Multiline(TextArea):
    """As Textual's, but an undo that makes a text of several lines short does not end the application: there the cursor
    is looked for while it still stands behind the end (Textualize/textual#6686)."""

    def undo(self) -> None:
        """Take the last change back."""
        self._from_the_beginning(super().undo)

    def redo(self) -> None:
        """Make the change that was taken back."""
        self._from_the_beginning(super().redo)

    def _from_the_beginning(self, change: Callable[[], None]) -> None:
        text, selection = self.text, self.selection
        self.move_cursor((0, 0))
        change()  # puts the cursor where it belongs
        if self.text == text:
            self.selection = selection
