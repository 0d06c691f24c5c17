"""What a model takes at which context length, and how good the estimates of its earlier loads were."""

from dataclasses import replace

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from lmdeck.model.catalog import Model
from lmdeck.model.history import LoadRecord
from lmdeck.model.load import LoadRequest
from lmdeck.model.outlook import Outlook
from lmdeck.model.text import one_line
from lmdeck.screens import estimate_text as text
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.intents import Weigh, Weighed
from lmdeck.widgets.paint import memory
from lmdeck.widgets.paint.line import Line, Span, plain
from lmdeck.widgets.painting import Painting

_COPIED_WIDTH = 110
_FRAME = 9
"""Lines that the page cannot have."""


class EstimateScreen(Dialog[LoadRequest | None]):
    """Posts a `Weigh` for each cell of its table and fills them in as they are `weighed`.

    `start` are the settings of the model's last load, or what else it would be loaded with. Dismissed with these
    settings when the load dialog is wanted.
    """

    BINDING_GROUP_TITLE = "Estimate"
    BINDINGS = [
        Binding("escape,q", "close", "Close", id="estimate.close", tooltip="Back to the deck"),
        Binding("l", "load", "Load", id="estimate.load", tooltip="Open the load dialog with these settings"),
        Binding("y", "copy", "Copy", id="estimate.copy", tooltip="Copy the page as text"),
        Binding("j", "scroll(1)", "Down", show=False, id="estimate.down", tooltip="One line down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="estimate.up", tooltip="One line up"),
    ]

    def __init__(
        self,
        model: Model,
        start: LoadRequest | None = None,
        records: tuple[LoadRecord, ...] = (),
        *,
        read_only: bool = False,
    ) -> None:
        super().__init__()
        self._model, self._records, self._read_only = model, records, read_only
        self._base = start or LoadRequest(model.key)
        self._contexts, self._slots = text.contexts(model, self._base), text.slot_counts(model, self._base)
        self._cells = {
            (context, slots): self._cell(context, slots) for context in self._contexts for slots in self._slots
        }
        self._outlooks: dict[LoadRequest, Outlook] = {}
        self._page = Painting(id="page")

    def _cell(self, context: int, slots: int) -> LoadRequest:
        return replace(self._base, context_length=context, parallel=slots or None)

    def compose(self) -> ComposeResult:
        """The page, which scrolls, and its keys."""
        with Vertical(classes="dialog dialog-wide"):
            yield Static(f"What {one_line(self._model.key)} takes", classes="dialog-title", markup=False)
            with VerticalScroll(classes="details-body"):
                yield self._page
            load = "" if self._read_only else "l load   "
            yield Static(f"{load}y copy   Esc close", classes="dialog-keys")

    def on_mount(self) -> None:
        """The keys scroll; everything is asked for."""
        self.query_one(VerticalScroll).focus()
        self._page.show(self.lines)
        for request in dict.fromkeys((self._base, *self._cells.values())):
            self.post_message(Weigh(request))

    def on_resize(self) -> None:
        """The page takes what title, keys and frame leave."""
        self.query_one(VerticalScroll).styles.max_height = max(3, self.size.height - _FRAME)

    def weighed(self, message: Weighed) -> bool:
        """A forecast for one cell or for the settings themselves; False if it is for something else."""
        if message.request != self._base and message.request not in self._cells.values():
            return False
        self._outlooks[message.request] = message.outlook
        self._page.show(self.lines)
        return True

    def lines(self, cells: int) -> list[Line]:
        """The page at this width."""
        known = {cell: self._outlooks[request] for cell, request in self._cells.items() if request in self._outlooks}
        return [
            *text.grid(self._contexts, self._slots, known, self._base.context_length, cells),
            (Span(memory.LEGEND, "muted"),),
            (),
            *text.own_settings(self._base, self._outlooks.get(self._base), cells),
            (),
            *text.loads(self._records, cells),
        ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A read-only deck loads nothing."""
        return None if action == "load" and self._read_only else True

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)

    def action_load(self) -> None:
        """On to the load dialog."""
        self.dismiss(self._base)

    def action_copy(self) -> None:
        """To the clipboard, through the terminal (OSC 52)."""
        page = "\n".join(plain(line).rstrip() for line in self.lines(_COPIED_WIDTH))
        self.app.copy_to_clipboard(f"{one_line(self._model.key)}\n{page}")
        self.notify("Copied.")

    def action_scroll(self, lines: int) -> None:
        """Line by line, as in a list."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
