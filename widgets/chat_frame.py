"""The frame of the chat: what it is told beside the conversation, and its parts, made when they are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self

from textual import events, on
from textual.app import ComposeResult, RenderResult
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from lmdeck.model.text import one_line
from lmdeck.widgets.pane import Pane

if TYPE_CHECKING:
    from lmdeck.model.conversation import Attachment, ContextMeter, ShownTurn
    from lmdeck.model.slash import Offers
    from lmdeck.widgets.chat_editor import ChatEditor
    from lmdeck.widgets.chat_reader import ChatReader

_NOBODY = "No model to talk to.\nLoad one with l in Available, or press c on a model there to let the server load it."
_READY = """\
Ask {target} something.
Enter sends, ctrl+j breaks the line, ctrl+g goes to the turns, Esc stops an answer or leaves.
/ shows the commands, @ attaches a file."""


class _ClosedEditor(Widget):
    """Stands where the editor will be; a click asks for it."""

    DEFAULT_CSS = """
    _ClosedEditor { height: 2; border-top: solid $panel; color: $text-accent; }
    """

    class Clicked(Message):
        """The editor is wanted."""

    def render(self) -> RenderResult:
        return ">"

    def on_click(self, event: events.Click) -> None:
        """Ask."""
        event.stop()
        self.post_message(self.Clicked())


class ChatFrame(Pane):
    """The chat without what happens in it. Turns and editor would cost a tenth of the time to the first frame."""

    TITLE = "Chat"
    DEFAULT_CSS = """
    ChatFrame > .hint { height: 1fr; color: $text-muted; }
    ChatFrame.-full { border-subtitle-color: $text-warning; }
    """

    target: reactive[str | None] = reactive(None)
    """The instance or model the next turn goes to."""

    hide_prompts: reactive[bool] = reactive(False, init=False)
    """Whether the user's own turns are covered, for eyes over the shoulder."""

    obstacle: reactive[str | None] = reactive(None, init=False)
    """Why nobody can be talked to, when it is not for want of a loaded model."""

    meter: reactive[ContextMeter | None] = reactive(None, init=False)
    """How full the context is."""

    heading: reactive[str] = reactive("", init=False)
    """What is set for the next turn, in words: endpoint, keeping, parameters."""

    attachments: reactive[tuple[Attachment, ...]] = reactive((), init=False)
    """What goes with the next turn."""

    prompts: reactive[tuple[str, ...]] = reactive((), init=False)
    """What was sent in earlier sessions, oldest first."""

    offers: reactive[Offers | None] = reactive(None, init=False)
    """What commands can be completed with."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._hint = Static(classes="hint", markup=False)
        self._closed_editor = _ClosedEditor()
        self._editor: ChatEditor | None = None
        self._reader: ChatReader | None = None

    def compose(self) -> ComposeResult:
        """Turns over the editor; both are made when they are wanted."""
        yield self._hint
        yield self._closed_editor

    def on_mount(self) -> None:
        """Say what can be done here."""
        self.watch_target()

    @property
    def draft(self) -> str:
        """What is written and not sent."""
        return self._editor.text if self._editor is not None else ""

    @property
    def path(self) -> Sequence[ShownTurn]:
        """The turns of the conversation."""
        return self._reader.path if self._reader is not None else ()

    def write(self, text: str) -> None:
        """Put a text into the editor, in place of what stands there."""
        self._open_editor().write(text)

    def say(self, words: str) -> None:
        """Words over the editor, until something is typed."""
        self._open_editor().say(words)

    def focus_content(self) -> Self:
        """The keyboard goes to the editor."""
        self.screen.set_focus(self._open_editor().input)
        return self

    # Its parts

    def _open_editor(self) -> ChatEditor:
        """The editor, made when it is first wanted: it alone would cost a tenth of the time to the first frame."""
        if self._editor is None:
            from lmdeck.widgets.chat_editor import ChatEditor

            self._editor = ChatEditor()
            self.mount(self._editor)
            self._editor.mount_parts()
            self._closed_editor.display = False
            self._editor.attach(self.attachments)
            self.watch_prompts()
            self.watch_offers()
        return self._editor

    def _open_reader(self) -> ChatReader:
        """The turns, made when there is one."""
        if self._reader is None:
            from lmdeck.widgets.chat_reader import ChatReader

            self._reader = ChatReader(self.hide_prompts)
            self.mount(self._reader, after=self._hint)
        return self._reader

    def title_addendum(self) -> str:
        """The model's name."""
        return one_line(self.target, 60) if self.target else ""

    def hints(self) -> Iterator[str]:
        """How full the context is, what is set."""
        if self.meter is not None:
            from lmdeck.widgets.paint.chat import meter_words

            yield from filter(None, [meter_words(self.meter, self._written)])
        if self.heading:
            yield self.heading
        yield from super().hints()

    @property
    def _written(self) -> int:
        """How many characters are about to be sent."""
        return len(self.draft) + sum(len(each.content) for each in self.attachments if each.kind == "text")

    def watch_meter(self) -> None:
        """Tell it, and warn."""
        if self.meter is not None:
            from lmdeck.widgets.paint.chat import nearly_full

            self.set_class(nearly_full(self.meter, self._written), "-full")
        self.refresh_frame()

    def watch_heading(self) -> None:
        """Tell it."""
        self.refresh_frame()

    def watch_attachments(self) -> None:
        """Show them over the editor."""
        if self.attachments or self._editor is not None:
            self._open_editor().attach(self.attachments)
        self.watch_meter()

    def watch_prompts(self) -> None:
        """The editor walks through them."""
        if self._editor is not None:
            self._editor.recall.know(self.prompts)

    def watch_offers(self) -> None:
        """The editor completes with them."""
        if self._editor is not None and self.offers is not None:
            self._editor.offer(self.offers)

    def watch_obstacle(self) -> None:
        """Say it where the conversation would be."""
        self.watch_target()

    def watch_target(self) -> None:
        """Name the model in the title."""
        self.refresh_frame()
        name = self.title_addendum()
        nobody = f"Nobody to talk to yet.\n{one_line(self.obstacle)}" if self.obstacle else _NOBODY
        self._hint.update(Content(_READY.format(target=name) if name else nobody))

    def watch_hide_prompts(self) -> None:
        """Cover or show the turns there are."""
        if self._reader is not None:
            self._reader.hide(self.hide_prompts)

    @on(_ClosedEditor.Clicked)
    def _editor_wanted(self, event: _ClosedEditor.Clicked) -> None:
        event.stop()
        self.focus_content()
