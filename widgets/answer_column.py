"""One of several answers side by side."""

import time
from collections.abc import Callable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from lmdeck.model import chat
from lmdeck.model.comparison import Outcome, State
from lmdeck.model.problem import Problem
from lmdeck.model.text import clean, one_line
from lmdeck.widgets.answer import Answer


class AnswerColumn(VerticalScroll):
    """A frame with a title, in it what is asked how (`about`), and from `begin` on an answer that scrolls by itself."""

    BINDING_GROUP_TITLE = "Compared answer"
    BINDINGS = [
        Binding("j", "scroll_down", "Down", show=False, id="answer.down", tooltip="One line down"),
        Binding("k", "scroll_up", "Up", show=False, id="answer.up", tooltip="One line up"),
        Binding("g", "scroll_home", "First", show=False, id="answer.first", tooltip="To the first line"),
        Binding("G", "scroll_end", "Last", show=False, id="answer.last", tooltip="To the last line"),
    ]
    DEFAULT_CSS = """
    AnswerColumn {
        width: 1fr; height: 1fr; padding: 0 1; scrollbar-size-vertical: 1;
        border: solid $foreground 30%; border-title-color: $foreground;
        &:focus { border: heavy $primary; border-title-color: $text-primary; border-title-style: bold; }
        &:ansi { border: solid ansi_default; }
        &:ansi:focus { border: heavy ansi_default; border-title-color: ansi_default; }
        & > .about { height: auto; color: $text-muted; }
    }
    """

    class Changed(Message):
        """Its answer has begun, or is over."""

    def __init__(self, title: str, about: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.border_title = Content(one_line(title))
        self._about, self._clock = clean(about), clock
        self._answer: Answer | None = None
        self._state: State = "not asked"
        self._stats: chat.ChatStats | None = None
        self._since, self._until = 0.0, 0.0
        self._broken = False

    @property
    def running(self) -> bool:
        """Whether more may come."""
        return self._state in ("waiting", "answering")

    @property
    def text(self) -> str:
        """The answer so far."""
        return self._answer.text if self._answer is not None else ""

    @property
    def outcome(self) -> Outcome:
        """How it comes along."""
        asked = self._state != "not asked"
        end = self._clock() if self.running else self._until
        return Outcome(self._state, self._stats, end - self._since if asked else None)

    def compose(self) -> ComposeResult:
        """What will be asked how."""
        yield Static(self._about, classes="about", markup=False)

    def begin(self) -> None:
        """An empty answer in place of what there is."""
        self.anchor(False)
        self.query_children(".about, Answer").remove()
        self._answer, self._stats, self._broken = Answer(), None, False
        self.mount(self._answer)
        self._since = self._clock()
        self._become("waiting")

    def feed(self, event: chat.ChatEvent) -> None:
        """One event of the running answer."""
        if self._answer is None or not self.running:
            return
        self._answer.feed(event)
        match event:
            case chat.MessageDelta() | chat.ReasoningDelta() | chat.ToolCall():
                self._become("answering")
            case chat.ChatFault():
                self._broken = True
            case chat.ChatEnded(stats=stats):
                self._stats = stats
                self._become("cut off" if self._broken else "done")

    def cut_off(self, reason: str) -> None:
        """The running answer ended early."""
        if self._answer is not None and self.running:
            self._answer.cut_off(reason)
            self._become("cut off")

    def fail(self, problem: Problem) -> None:
        """The request failed."""
        if self._answer is not None and self.running:
            self._become("cut off" if self._state == "answering" else "failed")
            self._answer.fail(problem)

    def fold(self) -> None:
        """Fold or unfold reasoning and tool calls."""
        if self._answer is not None:
            self._answer.fold_all()

    def _become(self, state: State) -> None:
        if state != self._state:
            self._state = state
            self._until = self._clock()
            self.post_message(self.Changed())

    def watch_virtual_size(self) -> None:
        """What is in it has grown, or shrunk; how much of it can be seen is known a moment later."""
        self.call_later(self._hold_end)

    def _hold_end(self) -> None:
        """Stay at the answer's end, until the user scrolls up. Not before there is something to scroll: an anchor would
        move a short answer to the bottom."""
        if self._answer is not None and not self.is_anchored and self.max_scroll_y > 0:
            self.anchor()
