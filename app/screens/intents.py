"""What a screen asks of the application, and what it is told: the messages between the two."""

from textual.message import Message

from lmdeck.model.chat import ChatRequest
from lmdeck.model.load import LoadRequest
from lmdeck.model.problem import Problem
from lmdeck.state.deck import DeckState


class StateChanged(Message):
    """The deck's state is another one now. Only the newest matters."""

    bubble = False

    def __init__(self, state: DeckState) -> None:
        super().__init__()
        self.state = state

    def can_replace(self, message: Message) -> bool:
        """A burst of changes is drawn once."""
        return isinstance(message, StateChanged)


class Intent(Message):
    """Something the user asked for, once everything that must be asked has been asked."""


class Load(Intent):
    """Load a model."""

    def __init__(self, request: LoadRequest) -> None:
        super().__init__()
        self.request = request


class LoadOver(Message):
    """A load is over; `problem` says why it failed."""

    def __init__(self, request: LoadRequest, problem: Problem | None = None) -> None:
        super().__init__()
        self.request, self.problem = request, problem


class CancelLoad(Intent):
    """Stop waiting for this load, and look what becomes of it."""

    def __init__(self, request: LoadRequest) -> None:
        super().__init__()
        self.request = request


class Unload(Intent):
    """Unload these instances."""

    def __init__(self, instance_ids: tuple[str, ...]) -> None:
        super().__init__()
        self.instance_ids = instance_ids


class Ask(Intent):
    """Stream an answer into the chat."""

    def __init__(self, request: ChatRequest) -> None:
        super().__init__()
        self.request = request


class StopAnswer(Intent):
    """Stop the running answer."""


class Refresh(Intent):
    """Read everything again now."""
