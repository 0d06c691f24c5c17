"""The chat: turns above, the editor below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.binding import Binding

from lmdeck.model.problem import Problem
from lmdeck.widgets.chat_frame import ChatFrame
from lmdeck.widgets.chat_wishes import (
    Begun,
    EditWanted,
    Left,
    ListWanted,
    PanelWanted,
    Stopped,
    TurnWish,
    WalkWanted,
)

if TYPE_CHECKING:
    from lmdeck.model.chat import ChatEvent
    from lmdeck.model.conversation import ShownTurn
    from lmdeck.widgets.answer import Answer
    from lmdeck.widgets.chat_editor import ChatEditor
    from lmdeck.widgets.chat_input import ChatInput
    from lmdeck.widgets.chat_reader import ChatReader

_AGAIN = "^g R asks again, /retry too"


class ChatPane(ChatFrame):
    """One conversation. It shows what it is given and posts wishes (`chat_wishes.py`); it sends nothing itself."""

    BINDING_GROUP_TITLE = "Chat"
    BINDINGS = [
        Binding("ctrl+n", "new", "New chat", id="chat.new", tooltip="Begin another conversation; this one is kept"),
        Binding("ctrl+o", "panel", "Parameters", id="chat.panel", tooltip="Endpoint, parameters, system prompt, tools"),
        Binding("ctrl+r", "list", "Chats", id="chat.list", tooltip="All conversations"),
        Binding("ctrl+g", "read", "Turns", id="chat.read", tooltip="To what was said: edit, ask again, branch, copy"),
        Binding("ctrl+t", "fold", "Fold", id="chat.fold", tooltip="Fold or unfold reasoning and tool calls"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._answer: Answer | None = None
        self._answer_id = ""

    # What the screen tells it

    @property
    def answering(self) -> bool:
        """Whether an answer is coming in."""
        return self._answer is not None and self._answer.running

    def show(self, turns: Sequence[ShownTurn]) -> None:
        """Show these turns; those that were there already keep their place, an answer that runs included."""
        if not turns and self._reader is None:
            return
        reader = self._open_reader()
        reader.show(turns)
        if reader.answer_turn(self._answer_id) is None:
            self._answer = None
        self._hint.display = not turns
        reader.display = bool(turns)
        if not turns and reader.has_focus:
            self.focus_content()

    def begin(self, turn: ShownTurn, answer_id: str) -> None:
        """Show the user's turn and make room for the answer, in place of all that followed its parent; a turn that is
        there already is answered anew. What was sent leaves the editor, what was written since stays."""
        editor, reader = self._open_editor(), self._open_reader()
        editor.accept()
        self._answer, self._answer_id = reader.begin(turn, answer_id), answer_id
        self._hint.display, reader.display = False, True

    def feed(self, event: ChatEvent) -> None:
        """One event of the running answer."""
        if self._answer is not None:
            self._answer.feed(event)

    def cut_off(self, reason: str) -> None:
        """The running answer ended early."""
        if self._answer is not None and self._answer.running:
            self._answer.cut_off(reason)
            self.say(_AGAIN)

    def fail(self, problem: Problem) -> None:
        """The request failed; what was typed comes back to an empty editor."""
        if self._answer is None:
            return
        if not self._answer.text:
            self._open_editor().give_back()
        self._answer.fail(problem)
        self.say(_AGAIN)

    def offer_paths(self, prefix: str, paths: Sequence[str]) -> None:
        """The paths that begin so, as `PathsWanted` asked."""
        self._open_editor().offer_paths(prefix, paths)

    # What happens in it

    def on_chat_editor_finished(self, event: ChatEditor.Finished) -> None:
        """Send, unless an answer is still coming."""
        event.stop()
        if self.answering:
            self.notify("An answer is still coming: Esc stops it.", severity="warning", markup=False)
        else:
            self._open_editor().send()

    def on_chat_editor_changed(self, event: ChatEditor.Changed) -> None:
        """More is about to be sent, or less."""
        event.stop()
        self.watch_meter()

    def on_chat_input_left(self, event: ChatInput.Left) -> None:
        """Stop the answer, give an edit up, or leave."""
        event.stop()
        if self.answering:
            self.post_message(Stopped())
        elif not self._open_editor().drop_edit():
            self.post_message(Left())

    def on_chat_input_paged(self, event: ChatInput.Paged) -> None:
        """A page of the conversation."""
        event.stop()
        if self._reader is not None:
            self._reader.action_page(event.pages)

    def on_chat_reader_written(self, event: ChatReader.Written) -> None:
        """Back to the editor."""
        event.stop()
        self.focus_content()

    def on_chat_reader_left(self, event: ChatReader.Left) -> None:
        """Stop the answer, or leave."""
        event.stop()
        self.post_message(Stopped() if self.answering else Left())

    def on_chat_reader_said(self, event: ChatReader.Said) -> None:
        """Say it."""
        event.stop()
        self.say(event.words)

    @on(TurnWish)
    def _turn_wanted(self, event: TurnWish) -> None:
        """What is wanted of a turn leads back to the editor, but for looking at its branches."""
        if isinstance(event, WalkWanted):
            return
        self.focus_content()
        editor = self._open_editor()
        editor.call_back()
        if isinstance(event, EditWanted):
            editor.edit(event.turn_id, *(each.turn.text for each in self.path if each.turn.id == event.turn_id))

    def action_new(self) -> None:
        """Another conversation."""
        if self.answering:
            self.post_message(Stopped())
        if self._editor is not None:
            self._editor.tell()
        self.show(())
        self.post_message(Begun())

    def action_panel(self) -> None:
        """Ask for the parameters."""
        self.post_message(PanelWanted())

    def action_list(self) -> None:
        """Ask for the conversations."""
        self.post_message(ListWanted())

    def action_read(self) -> None:
        """To the turns, and from there back to the editor."""
        if self._reader is not None and self.path and not self._reader.has_focus:
            self._reader.read()
        else:
            self.focus_content()

    def action_fold(self) -> None:
        """Fold or unfold in the selected answer, or in the last one."""
        if (reader := self._reader) is not None:
            turn = (reader.answer_turn(reader.selected) if reader.has_focus else None) or reader.answer_turn()
            if turn is not None:
                turn.answer.fold_all()
