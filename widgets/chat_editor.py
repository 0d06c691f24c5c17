"""The lower part of the chat: attachments, a line of words, completions, and the editor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import events, on
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from lmdeck.model import slash
from lmdeck.model.text import clean, one_line
from lmdeck.widgets.chat_input import ChatInput
from lmdeck.widgets.chat_wishes import AttachmentDropped, ChatWish, Commanded, EditDropped, PastedLarge, Sent, Typed
from lmdeck.widgets.paint.chat import MOST_ATTACHMENTS, attachment_lines
from lmdeck.widgets.painting import Painting
from lmdeck.widgets.recall import Recall
from lmdeck.widgets.suggestions import Suggestions

if TYPE_CHECKING:
    from lmdeck.model.conversation import Attachment
    from lmdeck.model.slash import Offers

_REST_S = 0.3
_EDITING = "editing what you said: Enter sends it as a branch, Esc gives it up"


class _Attachments(Painting):
    """What goes with the next turn; a click drops it."""

    def on_click(self, event: events.Click) -> None:
        """Not this one."""
        event.stop()
        if event.y < min(len(self.lines), MOST_ATTACHMENTS):
            self.post_message(AttachmentDropped(event.y))


class ChatEditor(Vertical):
    """Owns what is being written until it is sent for certain, and posts the wishes that it alone leads to."""

    DEFAULT_CSS = """
    ChatEditor { height: auto; border-top: solid $panel; }
    ChatEditor > .words { height: auto; max-height: 3; color: $text-muted; display: none; }
    ChatEditor > Horizontal { height: auto; }
    ChatEditor > Horizontal > .prompt { width: 2; color: $text-accent; }
    """

    class Changed(Message):
        """The text is another one."""

    class Finished(Message):
        """Enter was pressed on a prompt; `send` sends it."""

    def __init__(self) -> None:
        self.recall = Recall()
        self._suggestions = Suggestions()
        self.input = ChatInput(self.recall, self._suggestions)
        self._chips = _Attachments()
        self._chips.display = False
        self._words = Static(classes="words", markup=False)
        super().__init__()
        self._attachments: Sequence[Attachment] = ()
        self._said, self._said_of, self._told = "", "", ""
        self._submitted, self._sent = "", ""
        self._edits: str | None = None
        self._draft = ""
        self._timer: Timer | None = None

    def mount_parts(self) -> None:
        """Mount what it consists of, at once where composing would take a moment: the keyboard is on its way here."""
        line = Horizontal()
        self.mount(self._suggestions, self._chips, self._words, line)
        line.mount(Static(">", classes="prompt"), self.input)

    # What the chat tells it

    @property
    def text(self) -> str:
        """What is written."""
        return self.input.text

    def write(self, text: str) -> None:
        """This in place of what is written, the cursor behind it."""
        self.input.put(clean(text))

    def offer(self, offers: Offers) -> None:
        """What commands can be completed with."""
        self.input.completing.offers = offers

    def offer_paths(self, prefix: str, paths: Sequence[str]) -> None:
        """The paths that begin so."""
        self.input.completing.offer_paths(prefix, paths)

    def attach(self, attachments: Sequence[Attachment]) -> None:
        """These go with the next turn."""
        self._attachments = attachments
        self._chips.display = bool(attachments)
        self._chips.show(partial(attachment_lines, attachments))

    def say(self, words: str) -> None:
        """Words over the editor, until the text is another one."""
        self._said, self._said_of = one_line(words), self.text
        self._show_words()

    # What is sent

    def send(self) -> None:
        """Ask for what is written to be sent. It stays until it is."""
        self._submitted = self.text
        self._wish(Sent(slash.prompt(self.text), self._edits))

    def call_back(self) -> None:
        """What was sent is a draft again: something else is asked for."""
        self._submitted = ""

    def accept(self) -> None:
        """A turn begins. What was sent for it leaves, or what a failure gave back; what was written since stays."""
        self._sent = self._submitted or (self._sent if self.text == self._sent else "")
        self._submitted = ""
        if not self._sent:
            return
        self.recall.add(self._sent)
        if self.text.startswith(self._sent):
            self.write(self.text[len(self._sent) :].lstrip())
        self._end_edit()

    def give_back(self) -> None:
        """What was sent failed: it is a draft again, unless there is another one."""
        if self._sent and not self.text:
            self.write(self._sent)

    def edit(self, turn_id: str, text: str) -> None:
        """What was said in this turn, to be changed. The draft comes back afterwards."""
        if self._edits is None:
            self._draft = self.text
        self._edits = turn_id
        self.write(text)

    def drop_edit(self) -> bool:
        """Give the edit up; False: there is none."""
        if self._edits is None:
            return False
        self.write("")
        self._end_edit()
        self._wish(EditDropped())
        return True

    def _end_edit(self) -> None:
        self._edits = None
        if self._draft and not self.text:
            self.write(self._draft)
        self._draft = ""
        self._show_words()

    @on(ChatInput.Submitted)
    def _finished(self, event: ChatInput.Submitted) -> None:
        event.stop()
        try:
            command = slash.parse(event.text)
        except slash.Unknown as error:
            self.say(str(error))
            return
        if command is not None:
            self.recall.add(event.text)
            self.write("")
            self.call_back()
            self._wish(Commanded(command))
        elif event.text.strip():
            self.post_message(self.Finished())

    # What is written

    @on(ChatInput.Changed)
    def _text_changed(self, event: ChatInput.Changed) -> None:
        event.stop()
        if self.text != self._said_of:
            self._said = ""
        self._show_words()
        if self._timer is None:
            self._timer = self.set_timer(_REST_S, self.tell)
        self.post_message(self.Changed())

    def _show_words(self) -> None:
        spec = slash.spec_at(self.text)
        words = self._said or (f"{spec.usage}  {spec.help}" if spec else _EDITING if self._edits else "")
        self._words.display = bool(words)
        self._words.update(Content(words))

    def tell(self) -> None:
        """Tell the draft if it is another one than was told."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        draft = self._draft or self.text  # an edited turn can be had again, a draft cannot
        if draft != self._told:
            self._told = draft
            self._wish(Typed(draft))

    def _wish(self, wish: ChatWish) -> None:
        """By the pane, so that its wishes and these come in their order."""
        (self.parent or self).post_message(wish)

    def on_descendant_blur(self) -> None:
        """Who leaves may leave the program."""
        self.tell()

    @on(Suggestions.Picked)
    def _take(self, event: Suggestions.Picked) -> None:
        event.stop()
        self.input.completing.put(event.completion)

    @on(ChatInput.Pasted)
    def _pasted(self, event: ChatInput.Pasted) -> None:
        event.stop()
        self._wish(PastedLarge(event.text))
        self.say(f"pasted {len(event.text):,} characters as an attachment: ctrl+z puts them here")

    @on(ChatInput.Unpasted)
    def _unpasted(self, event: ChatInput.Unpasted) -> None:
        event.stop()
        kept = [each.content for each in self._attachments]
        if event.text in kept:
            self._wish(AttachmentDropped(kept.index(event.text)))

    @on(ChatInput.Erased)
    def _erased(self, event: ChatInput.Erased) -> None:
        event.stop()
        if self._attachments:
            self._wish(AttachmentDropped(len(self._attachments) - 1))
