"""The keys that act on turns while nothing is being written."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from lmdeck.widgets.chat_turn import AnswerTurn, UserTurn
from lmdeck.widgets.chat_turns import TurnList
from lmdeck.widgets.chat_wishes import AgainWanted, BranchWanted, EditWanted, WalkWanted
from lmdeck.widgets.pane import Pane


class ChatReader(TurnList, can_focus=True):
    """Turns to read: with the keyboard here one of them is selected.

    It never takes the keyboard by a click: who goes on typing would act on turns without knowing.
    """

    FOCUS_ON_CLICK = False
    BINDING_GROUP_TITLE = "Chat turns"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "select(-1)", "Up", show=False, id="turns.up", tooltip="The turn before"),
        Binding("down,j", "select(1)", "Down", show=False, id="turns.down", tooltip="The next turn"),
        Binding("home,g", "first", "First", show=False, id="turns.first", tooltip="To the first turn"),
        Binding("end,G", "last", "Last", show=False, id="turns.last", tooltip="To the last turn"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="turns.page_up", tooltip="One page up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="turns.page_down", tooltip="One page down"),
        Binding("enter,i", "write", "Write", id="chat.write", tooltip="Back to the editor"),
        Binding("e", "edit", "Edit", id="turns.edit", tooltip="Change what you said here and send it as a branch"),
        Binding("R", "again", "Again", id="turns.again", tooltip="Ask for this answer again, as a branch"),
        Binding("b", "branch", "Branch", id="turns.branch", tooltip="Go on from here, as a branch"),
        Binding(
            "left_square_bracket",
            "walk(-1)",
            "Branches",
            key_display="[ ]",
            id="turns.previous",
            tooltip="The branch before this one",
        ),
        Binding(
            "right_square_bracket", "walk(1)", "Branches", show=False, id="turns.next", tooltip="The branch after it"
        ),
        Binding("y", "copy", "Copy", id="turns.copy", tooltip="Copy this turn"),
        Binding("Y", "copy_code", "Copy code", id="turns.copy_code", tooltip="Copy the next block of code in it"),
        Binding("escape", "leave", "Stop, leave", id="turns.leave", tooltip="Stop the answer, or leave the chat"),
    ]

    class Written(Message):
        """The editor is wanted."""

    class Left(Message):
        """Escape was pressed."""

    class Said(Message):
        """Words for the user."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    def __init__(self, hide_prompts: bool = False) -> None:
        super().__init__(hide_prompts)
        self._copied: tuple[str, int] | None = None

    def read(self) -> None:
        """The keyboard comes here, to the last turn."""
        self.screen.set_focus(self)
        self._select(len(self.path) - 1)

    def on_focus(self) -> None:
        """Some turn is selected whenever the keyboard is here."""
        if self.current is None:
            self._select(len(self.path) - 1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what the selected turn allows."""
        view = self.current
        match action:
            case "edit":
                return isinstance(view, UserTurn)
            case "again":
                return isinstance(view, AnswerTurn) and not view.answer.running
            case "walk":
                return view is not None and view.count > 1
            case _:
                return super().check_action(action, parameters)

    # Keys

    def action_select(self, steps: int) -> None:
        """Some turns down, or up; above the first one on the screen there may be more."""
        self._select(max(0, min(self._place_of_current() + steps, len(self.path) - 1)))

    def action_first(self) -> None:
        """To the beginning of the conversation."""
        self._select(0)

    def action_last(self) -> None:
        """To its end."""
        self._select(len(self.path) - 1)

    def action_page(self, pages: int) -> None:
        """A page up or down; the selection stays where it is."""
        if pages < 0 and self.scroll_y <= 0:
            self.show_earlier()
        (self.scroll_page_down if pages > 0 else self.scroll_page_up)(animate=False)

    def action_write(self) -> None:
        """Ask for the editor."""
        self.post_message(self.Written())

    def action_edit(self) -> None:
        """Ask for the user's turn in the editor."""
        if self.selected is not None:
            self.post_message(EditWanted(self.selected))

    def action_again(self) -> None:
        """Ask for another answer."""
        if self.selected is not None:
            self.post_message(AgainWanted(self.selected))

    def action_branch(self) -> None:
        """Ask to go on from here."""
        if self.selected is not None:
            self.post_message(BranchWanted(self.selected))

    def action_walk(self, step: int) -> None:
        """Ask for another turn in this one's place."""
        if self.selected is not None:
            self.post_message(WalkWanted(self.selected, step))

    def action_copy(self) -> None:
        """Ask for the turn to be copied."""
        if self.current is not None:
            self.post_message(Pane.CopyRequested(self.current.text))

    def action_copy_code(self) -> None:
        """Ask for a block of code to be copied: each time the next one, round again."""
        view = self.answer_turn(self.selected) or self.answer_turn()
        blocks = view.answer.code_blocks() if view is not None else ()
        if view is None or not blocks:
            self.post_message(self.Said("no code in this answer"))
            return
        last = self._copied[1] if self._copied and self._copied[0] == view.turn_id else -1
        number = (last + 1) % len(blocks)
        self._copied = view.turn_id, number
        self.post_message(Pane.CopyRequested(blocks[number].text))
        self.post_message(self.Said(f"block of code {number + 1} of {len(blocks)} copied"))

    def action_leave(self) -> None:
        """Ask to stop or leave."""
        self.post_message(self.Left())

    def _place_of_current(self) -> int:
        ids = [each.turn.id for each in self.path]
        return ids.index(self.selected) if self.selected in ids else len(ids)

    def _select(self, place: int) -> None:
        while self.path and self.first_shown > place:
            self.show_earlier(everything=place == 0)
        self.selected = self.path[place].turn.id if self.path else None
        self.call_after_refresh(self.scroll_to_current)
