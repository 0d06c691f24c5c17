"""The chat: turns above, the editor below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from lmdeck.model.problem import Problem
from lmdeck.model.text import clean, one_line
from lmdeck.widgets.pane import Pane

if TYPE_CHECKING:
    from lmdeck.model.chat import ChatEvent

if TYPE_CHECKING:
    from lmdeck.widgets.answer import Answer
    from lmdeck.widgets.chat_input import ChatInput

_NOBODY = "No model to talk to.\nLoad one with l in Available, or press c on a model there to let the server load it."
_READY = "Ask {target} something.\nEnter sends, ctrl+j breaks the line, Esc stops an answer."


class _ClosedEditor(Horizontal):
    """Stands where the editor will be; a click asks for it."""

    class Clicked(Message):
        """The editor is wanted."""

    def on_click(self, event: events.Click) -> None:
        """Ask."""
        event.stop()
        self.post_message(self.Clicked())


class _Turn(Static):
    """What the user said."""

    def __init__(self, text: str, hidden: bool) -> None:
        super().__init__(markup=False)
        self._text = clean(text)
        self.show(hidden)

    def show(self, hidden: bool) -> None:
        """The words, or how many there are."""
        self.update(Content("> " + (f"({len(self._text)} characters hidden)" if hidden else self._text)))


class ChatPane(Pane):
    """One conversation. It shows what it is fed and posts what the user wants; it sends nothing itself.

    `response_id` is what the next turn continues from, None at the start of a conversation.
    """

    TITLE = "Chat"
    BINDING_GROUP_TITLE = "Chat"
    BINDINGS = [
        Binding("ctrl+n", "new", "New chat", id="chat.new", tooltip="Forget this conversation and start another"),
        Binding("ctrl+t", "fold", "Fold", id="chat.fold", tooltip="Fold or unfold reasoning and tool calls"),
        Binding("pageup", "scroll(-1)", "Scroll up", show=False, id="chat.up", tooltip="Scroll the conversation up"),
        Binding("pagedown", "scroll(1)", "Scroll down", show=False, id="chat.down", tooltip="Scroll it down"),
        Binding("i", "focus_input", "Write", show=False, id="chat.write", tooltip="Go to the editor"),
    ]
    DEFAULT_CSS = """
    ChatPane > .turns { height: 1fr; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }
    ChatPane _Turn { height: auto; color: $text-accent; text-style: bold; }
    ChatPane .hint { height: auto; color: $text-muted; }
    ChatPane > .editor { height: auto; max-height: 7; border-top: solid $panel; }
    ChatPane > .editor > .prompt { width: 2; color: $text-accent; }
    ChatPane > .editor > _ClosedEditor { width: 1fr; height: 1; background: $surface; }
    """

    target: reactive[str | None] = reactive(None)
    """The instance or model the next turn goes to."""

    hide_prompts: reactive[bool] = reactive(False, init=False)
    """Whether the user's own turns are covered, for eyes over the shoulder."""

    obstacle: reactive[str | None] = reactive(None, init=False)
    """Why nobody can be talked to, when it is not for want of a loaded model."""

    class Sent(Message):
        """The user sent `text`."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Begun(Message):
        """The user began a new conversation."""

    class Stopped(Message):
        """The user stopped the running answer."""

    class Left(Message):
        """The user pressed Escape with nothing to stop."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.response_id: str | None = None
        self._answer: Answer | None = None
        self._sent = ""
        self._turns = VerticalScroll(classes="turns", can_focus=False)
        self._hint = Static(classes="hint", markup=False)
        self._closed_editor = _ClosedEditor()
        self._input: ChatInput | None = None

    def compose(self) -> ComposeResult:
        """Turns over the editor."""
        with self._turns:
            yield self._hint
        with Horizontal(classes="editor"):
            yield Static(">", classes="prompt")
            yield self._closed_editor

    def on_mount(self) -> None:
        """Say what can be done here."""
        self.watch_target()

    def title_addendum(self) -> str:
        """The model's name."""
        return one_line(self.target, 60) if self.target else ""

    @property
    def answering(self) -> bool:
        """Whether an answer is coming in."""
        return self._answer is not None and self._answer.running

    def focus_content(self) -> Self:
        """The keyboard goes to the editor."""
        self.screen.set_focus(self._editor())
        return self

    def _editor(self) -> ChatInput:
        """The editor, made when it is first wanted: it alone would cost a tenth of the time to the first frame."""
        if self._input is None:
            from lmdeck.widgets.chat_input import ChatInput

            self._input = ChatInput(highlight_cursor_line=False, show_line_numbers=False, compact=True)
            self.query_one(".editor").mount(self._input)
            self._closed_editor.display = False
        return self._input

    def write(self, text: str) -> None:
        """Put a text into the editor, in place of what stands there."""
        self._editor().load_text(clean(text))

    def begin(self, text: str) -> None:
        """Show the user's turn and make room for the answer."""
        self._sent = text
        from lmdeck.widgets.answer import Answer  # brings parts that the first frame has no use for

        self._hint.display = False
        self._answer = Answer()
        self._turns.mount(_Turn(text, self.hide_prompts), self._answer)
        self.call_after_refresh(self._turns.scroll_end, animate=False)
        self._editor().clear()

    def feed(self, event: ChatEvent) -> None:
        """One event of the running answer."""
        if self._answer is None:
            return
        self._answer.feed(event)
        from lmdeck.model.chat import ChatEnded  # not needed for the first frame

        if isinstance(event, ChatEnded):
            self.response_id = event.response_id or self.response_id

    def cut_off(self, reason: str) -> None:
        """The running answer ended early."""
        if self._answer is not None and self._answer.running:
            self._answer.cut_off(reason)

    def fail(self, problem: Problem) -> None:
        """The request failed; what was typed comes back to an empty editor."""
        if self._answer is None:
            return
        editor = self._editor()
        if not self._answer.text and not editor.text:
            editor.load_text(self._sent)
            editor.move_cursor(editor.document.end)
        self._answer.fail(problem)

    def watch_obstacle(self) -> None:
        """Say it where the conversation would be."""
        self.watch_target()

    def watch_hide_prompts(self) -> None:
        """Cover or show the turns there are."""
        for turn in self._turns.query_children(_Turn):
            turn.show(self.hide_prompts)

    def on_answer_drawn(self) -> None:
        """Stay at the end as the answer grows, until the user scrolls up. Not before there is something to scroll:
        an anchor would move a short conversation to the bottom."""
        if not self._turns.is_anchored and self._turns.max_scroll_y > 0:
            self._turns.anchor()

    def watch_target(self) -> None:
        """Name the model in the title."""
        self.refresh_frame()
        name = self.title_addendum()
        nobody = f"Nobody to talk to yet.\n{one_line(self.obstacle)}" if self.obstacle else _NOBODY
        self._hint.update(Content(_READY.format(target=name) if name else nobody))

    def on_chat_input_submitted(self, event: ChatInput.Submitted) -> None:
        """Send, unless there is nothing to send or an answer is still coming."""
        event.stop()
        if not event.text.strip():
            return
        if self.answering:
            self.notify("An answer is still coming: Esc stops it.", severity="warning", markup=False)
        else:
            self.post_message(self.Sent(event.text))

    @on(_ClosedEditor.Clicked)
    def _open_editor(self, event: _ClosedEditor.Clicked) -> None:
        event.stop()
        self.focus_content()

    def on_chat_input_left(self, event: ChatInput.Left) -> None:
        """Stop the answer, or leave the editor."""
        event.stop()
        self.post_message(self.Stopped() if self.answering else self.Left())

    def action_new(self) -> None:
        """Another conversation; the server keeps the old one."""
        if self.answering:
            self.post_message(self.Stopped())
        self.response_id, self._answer = None, None
        self._turns.query_children("_Turn, Answer").remove()
        self._turns.anchor(False)
        self._hint.display = True
        self.post_message(self.Begun())

    def action_fold(self) -> None:
        """Fold or unfold in the last answer."""
        if self._answer is not None:
            self._answer.fold_all()

    def action_scroll(self, direction: int) -> None:
        """A page of the conversation up or down."""
        move = self._turns.scroll_page_down if direction > 0 else self._turns.scroll_page_up
        move(animate=False)

    def action_focus_input(self) -> None:
        """Back to writing."""
        self.focus_content()
