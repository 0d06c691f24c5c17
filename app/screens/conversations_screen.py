"""The kept conversations: find one, go on with it, put the list in order."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Static

from lmdeck.model.conversation import ConversationSummary
from lmdeck.model.problem import Problem
from lmdeck.model.text import clean, one_line
from lmdeck.screens.conversation_columns import COLUMNS, ConversationRow, counted, found_words, nothing_found, title_of
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.intents import Intent
from lmdeck.widgets.filter_bar import FilterBar
from lmdeck.widgets.line_view import Paragraph
from lmdeck.widgets.paint.line import Line
from lmdeck.widgets.painting import Painting
from lmdeck.widgets.pane import problem_words
from lmdeck.widgets.table import Table

_PAUSE_S = 0.15
"""Who types on is not asked for."""


class ConversationIntent(Intent):
    """Something is to be done with one conversation."""

    def __init__(self, id: str) -> None:
        super().__init__()
        self.id = id


class ConversationsScreen(Dialog[None]):
    """Asks for its list when it opens and whenever other words are looked for (`Search`); `show` brings it, `fail`
    tells why it is not to be had. Whoever carries out a change calls `ask_again`; whoever opens a conversation
    dismisses the screen. The line of `current`, the conversation in the chat, is marked.
    """

    BINDING_GROUP_TITLE = "Conversations"
    BINDINGS = [
        Binding("slash", "words", "Search", id="conversations.words", tooltip="Find words in titles and texts"),
        Binding("n", "rename", "Rename", id="conversations.rename", tooltip="Give it another title"),
        Binding("p", "pin", "Pin", id="conversations.pin", tooltip="Keep it at the top and for good, or no more"),
        Binding("d", "drop", "Drop", id="conversations.drop", tooltip="Delete it, here and for good; asks first"),
        Binding("x", "export", "Export", id="conversations.export", tooltip="Write it as Markdown and JSON files"),
        Binding("escape,q", "close", "Close", id="conversations.close", tooltip="Clear the words, then back"),
    ]
    DEFAULT_CSS = """
    ConversationsScreen {
        FilterBar { dock: none; margin: 0; }
        #found { margin: 0 1; }
        #count { height: 1; color: $foreground-muted; }
    }
    """

    class Search(Intent):
        """The conversations with these words are wanted; all of them where there are none."""

        def __init__(self, query: str) -> None:
            super().__init__()
            self.query = query

    class Open(ConversationIntent):
        """Into the chat."""

    class Drop(ConversationIntent):
        """Gone for good; it was asked."""

    class Export(ConversationIntent):
        """Into files."""

    class Rename(ConversationIntent):
        """Under another title; an empty one stands for the first words of the first prompt."""

        def __init__(self, id: str, title: str) -> None:
            super().__init__(id)
            self.title = title

    class Pin(ConversationIntent):
        """Kept at the top, or not."""

        def __init__(self, id: str, pinned: bool) -> None:
            super().__init__(id)
            self.pinned = pinned

    def __init__(self, *, current: str | None = None) -> None:
        super().__init__()
        self._current = current
        self._bar = FilterBar("", "/ words in titles and texts")
        self._table = Table(COLUMNS, key=lambda row: row.summary.id, id="conversations")
        self._found = Painting(id="found")
        self._shown: str | None = None
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        """Title, words, conversations, where the words were found, how many, the keys."""
        with Vertical(classes="dialog dialog-page"):
            yield Static("Conversations", classes="dialog-title")
            yield from (self._bar, self._table, self._found)
            yield Static(id="count", markup=False)
            yield Static(
                "Enter open  / search  n rename  p pin  d drop  x export  s sort  Esc close",
                classes="dialog-keys",
                markup=False,
            )

    def on_mount(self) -> None:
        """The newest ones first: Enter goes on with the last."""
        self.set_focus(self._table)
        self._table.show_words([Paragraph("Reading the conversations …", "muted")])
        self._found.show(self._found_lines)
        self.ask_again()

    # Questions and answers

    def ask_again(self) -> None:
        """Ask for what the words find: other words, or something has changed."""
        self.post_message(self.Search(self._bar.value))

    def show(self, summaries: Sequence[ConversationSummary], query: str = "") -> None:
        """The conversations with these words, in the order in which they are to stand; those of words that are no
        longer wanted are not shown."""
        if query != self._bar.value:
            return
        self._table.set_rows([ConversationRow(summary, summary.id == self._current) for summary in summaries])
        self._table.show_words([] if summaries else nothing_found(query))
        self._tell(counted(len(summaries)))
        self._found.show(self._found_lines)
        if query != self._shown:
            self._shown = query
            self._table.action_first()

    def fail(self, problem: Problem) -> None:
        """Why there is no list; where there is one, why something was not done."""
        if self._table.total:
            self._tell(f"✗ {one_line(problem.sentence, 300)}")
        else:
            self._table.show_words(problem_words(problem))
            self._tell("")

    def _tell(self, words: str) -> None:
        self.query_one("#count", Static).update(words)

    # The words

    @on(FilterBar.Changed)
    def _typed(self, event: FilterBar.Changed) -> None:
        event.stop()
        self._tell("searching …")
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE_S, self.ask_again)

    @on(FilterBar.Closed)
    def _left(self, event: FilterBar.Closed) -> None:
        """Enter goes to the list; so does Esc, without the words."""
        event.stop()
        if not event.keep:
            self._bar.value = ""
        if event.back:
            self.set_focus(self._table)

    def action_words(self) -> None:
        """Back to the words."""
        self.set_focus(self._bar)

    # The conversations

    @property
    def _summary(self) -> ConversationSummary | None:
        """The one under the cursor."""
        row = None if self._table.shows_words else self._table.current
        return None if row is None else row.summary

    def _found_lines(self, cells: int) -> Sequence[Line]:
        return found_words(self._summary, cells)

    @on(Table.Highlighted)
    def _moved(self, event: Table.Highlighted) -> None:
        event.stop()
        self._found.show(self._found_lines)

    @on(Table.Chosen)
    def _open(self, event: Table.Chosen) -> None:
        event.stop()
        if (summary := self._summary) is not None:
            self.post_message(self.Open(summary.id))

    def action_rename(self) -> None:
        """Ask for a title."""
        from lmdeck.screens.title_dialog import TitleDialog

        if (summary := self._summary) is not None:

            def rename(title: str | None) -> None:
                if title is not None and title != summary.title:
                    self.post_message(self.Rename(summary.id, title))

            self.app.push_screen(TitleDialog(summary.title), rename)

    def action_pin(self) -> None:
        """To the top, or back into its place."""
        if (summary := self._summary) is not None:
            self.post_message(self.Pin(summary.id, not summary.pinned))

    def action_drop(self) -> None:
        """Ask whether it may go."""
        from lmdeck.screens.confirm import ConfirmDialog

        if (summary := self._summary) is not None:

            def drop(sure: bool | None) -> None:
                if sure:
                    self.post_message(self.Drop(summary.id))

            turns = f"{summary.turns} turn{'' if summary.turns == 1 else 's'}"
            detail = f"“{clean(title_of(summary), 80)}” with {turns} is deleted from this machine, for good."
            self.app.push_screen(ConfirmDialog("Delete this conversation?", detail, "Delete"), drop)

    def action_export(self) -> None:
        """Into files."""
        if (summary := self._summary) is not None:
            self.post_message(self.Export(summary.id))

    def action_close(self) -> None:
        """Without the words first, where there are any; then back."""
        if self._bar.value:
            self._bar.value = ""
        else:
            self.dismiss(None)
