"""What the user wants in the chat: messages of the pane, which whoever holds the conversation carries out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from lmdeck.model.slash import Command


class ChatWish(Message):
    """Something is wanted of the conversation."""


class Sent(ChatWish):
    """This text is the user's next turn. `edits` is the turn that it stands in place of, if it is an edited one."""

    def __init__(self, text: str, edits: str | None = None) -> None:
        super().__init__()
        self.text, self.edits = text, edits


class Stopped(ChatWish):
    """The running answer is to stop."""


class Left(ChatWish):
    """The keyboard wants to leave the pane."""


class Begun(ChatWish):
    """A new conversation is wanted."""


class Typed(ChatWish):
    """This stands in the editor, unsent; a few times a second at most. Empty: nothing does."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Commanded(ChatWish):
    """A slash command was given."""

    def __init__(self, command: Command) -> None:
        super().__init__()
        self.command = command


class TurnWish(ChatWish):
    """Something is wanted of one turn."""

    def __init__(self, turn_id: str) -> None:
        super().__init__()
        self.turn_id = turn_id


class EditWanted(TurnWish):
    """The user's turn is in the editor, to be changed: `Sent` with `edits` follows, or `EditDropped`. Its attachments
    belong into the pane meanwhile."""


class EditDropped(ChatWish):
    """The edit was given up; the attachments that were there before belong back into the pane."""


class AgainWanted(TurnWish):
    """The answer is wanted once more, as another one in its place. It may be one that failed and was never kept."""


class BranchWanted(TurnWish):
    """The conversation is to go on from this turn."""


class WalkWanted(TurnWish):
    """The turn that stands `step` places further in this one's place is wanted on the screen."""

    def __init__(self, turn_id: str, step: int) -> None:
        super().__init__(turn_id)
        self.step = step


class AttachmentDropped(ChatWish):
    """The attachment of this index is not to be sent."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index


class PathsWanted(ChatWish):
    """The paths that begin so are wanted; `ChatPane.offer_paths` takes them."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self.prefix = prefix


class PastedLarge(ChatWish):
    """A text too large for the editor was pasted: it becomes an attachment."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class PanelWanted(ChatWish):
    """The parameters are wanted."""


class ListWanted(ChatWish):
    """The list of conversations is wanted."""
