"""Two of several texts, word by word: what they have in common, and what only one of them says."""

import asyncio
from collections.abc import Sequence
from itertools import combinations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from lmdeck.model.text import clean, one_line
from lmdeck.screens.dialog import Dialog
from lmdeck.widgets.line_view import Paragraph
from lmdeck.widgets.paint.line import crop, plain, say
from lmdeck.widgets.paint.word_diff import SIGNS, Difference, word_diff
from lmdeck.widgets.text_view import TextView

_AROUND = 26
"""Cells of the title's line that are not the answers' names."""
_COPIED = 1_000_000
"""Characters that are copied at most: terminals drop what is too long for them altogether."""


class DiffScreen(Dialog[None]):
    """Shows the pairs of `texts` (label and text), one at a time, that of the indexes `pair` first."""

    BINDING_GROUP_TITLE = "Difference"
    BINDINGS = [
        Binding("tab", "turn(1)", "Next pair", show=False, id="diff.next", tooltip="The next pair of answers"),
        Binding("shift+tab", "turn(-1)", "Pair before", show=False, id="diff.before", tooltip="The pair before"),
        Binding("y", "copy", "Copy", id="diff.copy", tooltip="Copy the comparison, with its signs"),
        Binding("escape,q,d", "close", "Close", id="diff.close", tooltip="Back to the answers"),
    ]

    def __init__(self, texts: Sequence[tuple[str, str]], pair: tuple[int, int]) -> None:
        super().__init__()
        self._texts = [(one_line(label), text) for label, text in texts]
        self._pairs = list(combinations(range(len(texts)), 2))
        self._pair = self._pairs.index(pair)
        self._view = TextView(id="text")

    def compose(self) -> ComposeResult:
        """Which two, how far they differ, the text, the keys."""
        pairs = "Tab next pair   " if len(self._pairs) > 1 else ""
        with Vertical(classes="dialog dialog-page"):
            yield Static(classes="dialog-title", id="title")
            yield Static(id="remark", markup=False)
            yield self._view
            yield Static(f"{pairs}j k scroll   y copy   Esc close", classes="dialog-keys", markup=False)

    def on_mount(self) -> None:
        """The keys scroll."""
        self.set_focus(self._view)
        self._open()

    def _open(self) -> None:
        self._view.show("")
        self._view.show_words([Paragraph("Comparing …", "muted")])
        self.run_worker(self._compare(), group="diff", exclusive=True)

    async def _compare(self) -> None:
        (first, one), (second, other) = (self._texts[index] for index in self._pairs[self._pair])
        found = await asyncio.to_thread(word_diff, one, other)
        title = Content.assemble(
            "Difference  ", (self._signed(first, 0), "$text-error"), "  ", (self._signed(second, 1), "$text-success")
        )
        self.query_one("#title", Static).update(title)
        self.query_one("#remark", Static).update(_remark(found))
        self._view.show(found.text, found.marker)

    def _signed(self, label: str, side: int) -> str:
        """An answer's name between its signs, so that both find room."""
        opening, closing = SIGNS[side]
        return f"{opening}{plain(crop(say(label), (self.app.size.width - _AROUND) // 2))}{closing}"

    def action_turn(self, pairs: int) -> None:
        """Another pair; round at the ends."""
        self._pair = (self._pair + pairs) % len(self._pairs)
        self._open()

    def action_copy(self) -> None:
        """To the clipboard, through the terminal (OSC 52)."""
        self.app.copy_to_clipboard(clean(self._view.text, _COPIED))
        self.notify("Copied.")

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)


def _remark(found: Difference) -> str:
    unit = "line" if found.by_lines else "word"
    if not found.marks:
        return f"No difference in {_counted(found.common, unit)}."
    first, second = _counted(found.only_first, unit), _counted(found.only_second, unit)
    return f"{first} only in [-the first-], {second} only in {{+the second+}}, {found.common} in both"


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"
