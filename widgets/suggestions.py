"""What the word before the cursor can become: a small list over the editor, which the editor's keys walk through."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message

from lmdeck.widgets.paint.chat import completion_lines
from lmdeck.widgets.painting import Painting

if TYPE_CHECKING:
    from lmdeck.model.slash import Completion

_ROWS = 8


class Suggestions(Painting):
    """Lies over what is above it. Nothing is chosen before something of the word is written, so that Enter sends."""

    DEFAULT_CSS = """
    Suggestions { overlay: screen; background: $panel; padding: 0 1; }
    """

    class Picked(Message):
        """A click on this one."""

        def __init__(self, completion: Completion) -> None:
            super().__init__()
            self.completion = completion

    def __init__(self) -> None:
        super().__init__()
        self.items: tuple[Completion, ...] = ()
        self.chosen: int | None = None
        self.moved = False
        """Whether the user chose, and not the list itself."""
        self.display = False

    def offer(self, items: Sequence[Completion], written: bool) -> None:
        """Show these; none: nothing. `written`: the word has begun, and the first one is chosen."""
        if (found := tuple(items)) == self.items:
            return
        self.items, self.moved = found, False
        self.chosen = 0 if found and written else None
        self._paint_items()

    def move(self, steps: int) -> None:
        """Choose another one, round at the ends."""
        self.moved = True
        first = 0 if steps > 0 else -1
        self.chosen = (self.chosen + steps if self.chosen is not None else first) % len(self.items)
        self._paint_items()

    @property
    def best(self) -> Completion | None:
        """The chosen one, or else the first."""
        return self.items[self.chosen or 0] if self.items else None

    def _paint_items(self) -> None:
        rows = min(len(self.items), _ROWS)
        self.display = rows > 0
        self.styles.offset = (0, -rows)
        self.show(partial(completion_lines, self.items, self.chosen, rows=rows) if rows else lambda cells: ())

    def on_click(self, event: events.Click) -> None:
        """Take that one."""
        event.stop()
        first = max(0, min((self.chosen or 0) - _ROWS // 2, len(self.items) - _ROWS))
        if 0 <= first + event.y < len(self.items):
            self.post_message(self.Picked(self.items[first + event.y]))
