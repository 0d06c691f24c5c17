"""One request of an experiment: sent through the chat, timed, and refused to anybody but the instance in question."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from lmdeck.backend.errors import BackendError, Refused
from lmdeck.backend.protocol import Backend
from lmdeck.model.chat import (
    ChatEnded,
    ChatFault,
    ChatRequest,
    ChatStarted,
    ChatStats,
    MessageDelta,
    ModelLoading,
    ReasoningDelta,
)

Clock = Callable[[], float]
"""Monotonic seconds."""


@dataclass(slots=True)
class Turn:
    """An answer and its times on the clock; `first` and `last` are those of its first and last piece of text."""

    started: float
    ended: float = 0.0
    first: float | None = None
    last: float | None = None
    pieces: int = 0
    text: str = ""
    stats: ChatStats = field(default_factory=ChatStats)

    @property
    def tokens(self) -> int:
        """Tokens generated, reasoning included: the server's count, else one a piece."""
        return self.pieces if self.stats.output_tokens is None else self.stats.output_tokens

    @property
    def ttft(self) -> float | None:
        """Seconds to the first piece of text."""
        return None if self.first is None else self.first - self.started

    @property
    def speed(self) -> float | None:
        """Tokens per second after the first one; by the server's word where everything came in one piece."""
        if self.first is None or self.last is None or self.last <= self.first or self.tokens < 2:
            return self.stats.tokens_per_second
        return (self.tokens - 1) / (self.last - self.first)


async def take_turn(backend: Backend, request: ChatRequest, clock: Clock) -> Turn:
    """Send it and read the whole answer; cancelling it closes the connection. Raises BackendError: `Refused` for every
    word the server has against it, in the stream too."""
    turn = Turn(clock())
    fault: ChatFault | None = None
    async with aclosing(backend.chat(request)) as events:
        async for event in events:
            match event:
                case ChatStarted(instance_id=answering) if answering not in ("", request.model):
                    raise BackendError(f"{answering} answers in its place", title=f"{request.model} does not answer")
                case ModelLoading():
                    raise BackendError("the server began to load a model for it", title=f"{request.model} is gone")
                case MessageDelta(text=text) | ReasoningDelta(text=text) if text:
                    turn.last = clock()
                    turn.first = turn.last if turn.first is None else turn.first
                    turn.text += text
                    turn.pieces += 1
                case ChatFault():
                    fault = event
                case ChatEnded():
                    turn.stats = event.stats
                    turn.text = turn.text or event.text
    if fault is not None:
        raise Refused(fault.problem.detail, title=fault.problem.title, kind=fault.problem.title)
    turn.ended = clock()
    return turn
