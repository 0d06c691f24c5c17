"""The requests that the history keeps, of this session and of those before it, found by words."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Static

from lmdeck.model.exchange import PastExchange
from lmdeck.model.problem import Problem
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.exchange_text import page
from lmdeck.screens.intents import Intent
from lmdeck.screens.past_columns import MOST, PAST_COLUMNS, counted, nothing_found
from lmdeck.screens.past_text import past_facts
from lmdeck.widgets.filter_bar import FilterBar
from lmdeck.widgets.line_view import Paragraph
from lmdeck.widgets.pane import problem_words
from lmdeck.widgets.table import Table

_PAUSE_S = 0.15
"""So long nothing must be typed before words are asked for."""
_WORDS_KEYS = "Enter to the requests  Esc clears the words, then closes"
_TABLE_KEYS = "/ words  Enter the whole request  y copy  s sort  r again  Esc close"


class PastScreen(Dialog[None]):
    """Asks for what its words find (`Wanted`), one question at a time; `show` brings it, `fail` tells why it is not to
    be had. Words are looked for in hidden texts, too, which stay hidden."""

    BINDING_GROUP_TITLE = "History"
    BINDINGS = [
        Binding("slash", "words", "Words", id="past.words", tooltip="Back to the words"),
        Binding("y", "copy", "Copy", id="past.copy", tooltip="Copy the figures of this request"),
        Binding("r", "ask", "Again", id="past.again", tooltip="Read the history again"),
        Binding("escape,q", "close", "Close", id="past.close", tooltip="Back to the deck"),
    ]
    DEFAULT_CSS = """
    PastScreen FilterBar { dock: none; }
    PastScreen #count { height: 1; color: $foreground-muted; }
    """

    class Wanted(Intent):
        """The newest requests with all these words are wanted: `MOST`, and one more if there are more."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Opened(Intent):
        """Everything that is kept of this request is wanted; it was found by these words."""

        def __init__(self, past: PastExchange, words: str, hide_text: bool) -> None:
            super().__init__()
            self.past, self.words, self.hide_text = past, words, hide_text

    def __init__(self, *, hide_text: bool) -> None:
        super().__init__()
        self._hide_text = hide_text
        self._bar = FilterBar("", "words in model, path, stop reason, error, and in texts that were kept")
        self._table = Table(PAST_COLUMNS, key=lambda past: str(past.number), id="past")
        self._asked: str | None = None
        self._shown: str | None = None
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        """Title, words, requests, how many, the keys."""
        with Vertical(classes="dialog dialog-page"):
            yield Static("Requests in the history", classes="dialog-title")
            yield self._bar
            yield self._table
            yield Static(id="count", markup=False)
            yield Static(classes="dialog-keys", id="keys", markup=False)

    def on_mount(self) -> None:
        """The newest ones first; then what is typed narrows them."""
        self.set_focus(self._bar)
        self._table.show_words([Paragraph("Reading the history …", "muted")])
        self.action_ask()

    def on_descendant_focus(self) -> None:
        """Keys do something else in the words."""
        self.query_one("#keys", Static).update(_WORDS_KEYS if self._bar.has_focus else _TABLE_KEYS)

    # Questions and answers

    def action_ask(self) -> None:
        """Ask for what the words find, unless an answer is still to come."""
        if self._asked is None:
            self._asked = self._bar.value
            self._tell("searching …")
            self.post_message(self.Wanted(self._asked))

    def show(self, words: str, found: Sequence[PastExchange]) -> None:
        """What these words find, newest first."""
        self._table.set_rows(found[:MOST])
        self._answered(words, [] if found else nothing_found(words), counted(len(found)) if found else "")

    def fail(self, words: str, problem: Problem) -> None:
        """Why it is not to be had."""
        self._table.set_rows(())
        self._answered(words, problem_words(problem), "")

    def _answered(self, words: str, in_place: Sequence[Paragraph], count: str) -> None:
        self._table.show_words(in_place)
        self._tell(count)
        if words != self._shown:
            self._table.action_first()
        self._asked, self._shown = None, words
        if self._pause is not None:
            self._pause.stop()
        if words != self._bar.value:
            self._ask_soon()

    def _tell(self, count: str) -> None:
        self.query_one("#count", Static).update(count)

    def _ask_soon(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE_S, self.action_ask)

    # The words

    @on(FilterBar.Changed)
    def _typed(self, event: FilterBar.Changed) -> None:
        event.stop()
        if event.value != self._shown:
            self._ask_soon()

    @on(FilterBar.Closed)
    def _left(self, event: FilterBar.Closed) -> None:
        """Enter goes to the requests, Esc clears the words, or closes where there are none."""
        event.stop()
        if event.keep:
            if event.back:
                self.set_focus(self._table)
        elif self._bar.value:
            self._bar.value = ""
        else:
            self.action_close()

    def action_words(self) -> None:
        """Back to the words."""
        self.set_focus(self._bar)

    # The requests

    @on(Table.Chosen)
    def _open(self, event: Table.Chosen) -> None:
        event.stop()
        if self._table.current is not None:
            self.post_message(self.Opened(self._table.current, self._shown or "", self._hide_text))

    def action_copy(self) -> None:
        """Its figures to the clipboard, through the terminal (OSC 52)."""
        past = self._table.current
        if past is None:
            self.notify("There is nothing to copy.", severity="warning")
            return
        self.app.copy_to_clipboard(page(past_facts(past.record))[0])
        self.notify("Copied.", timeout=2)

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)
