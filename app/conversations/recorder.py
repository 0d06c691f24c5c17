"""Makes an answer's turn of the events of its stream."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from lmdeck.model.chat import (
    ChatEnded,
    ChatEvent,
    ChatFault,
    ChatStarted,
    MessageDelta,
    ReasoningDelta,
    ToolCall,
)
from lmdeck.model.conversation import Turn

UNFINISHED: Final = "lmdeck was closed before its end"
"""The `cut_off` of a turn whose answer still runs: true of one that is found on the disk later."""
MOST_TEXT: Final = 2**22
"""So many characters of an answer, and of its reasoning, are recorded."""
MOST_CALLS: Final = 1000

_LIMIT, _FULL = "token limit reached", "context is full"
_EARLY: Final = {
    "length": _LIMIT,
    "max_tokens": _LIMIT,
    "max_output_tokens": _LIMIT,
    "maxPredictedTokensReached": _LIMIT,
    "contextLengthReached": _FULL,
    "model_context_window_exceeded": _FULL,
    "content_filter": "held back by a filter",
    "refusal": "the model refuses",
    "modelUnloaded": "the model was unloaded",
    "userStopped": "stopped at the server",
    "failed": "the engine failed",
}


class Recorder:
    """The answer to the turn `parent`, through `endpoint` (a path) of `server` (its URL); `clock` tells Unix time.

    `stored` False: the server was told to keep nothing, so that its response id leads nowhere and is left out.
    """

    def __init__(
        self, id: str, parent: str, endpoint: str, server: str, clock: Callable[[], float], *, stored: bool = True
    ) -> None:
        self._turn = Turn(id, parent, "assistant", "", clock(), endpoint=endpoint, server=server)
        self._stored = stored
        self._text, self._reasoning = _Pieces(), _Pieces()
        self._calls: list[ToolCall] = []
        self._fault = ""
        self._ended = False

    @property
    def empty(self) -> bool:
        """Whether nothing worth keeping came so far: no text, reasoning or tool call."""
        return not (self._text.size or self._reasoning.size or self._calls)

    def feed(self, event: ChatEvent) -> None:
        """Take one event; the cost does not grow with the answer."""
        match event:
            case MessageDelta(text):
                self._text.add(text)
            case ReasoningDelta(text):
                self._reasoning.add(text)
            case ToolCall():
                self._call(event)
            case ChatStarted(instance_id):
                self._turn = replace(self._turn, instance_id=instance_id or self._turn.instance_id)
            case ChatFault(problem):
                self._fault = problem.sentence
            case ChatEnded():
                self._end(event)

    def turn(self, cut_off: str = "") -> Turn:
        """The turn as far as it came. `cut_off` says why no more will come; what the server itself said goes first, and
        before the end `UNFINISHED` stands there."""
        why = self._fault or cut_off or ("" if self._ended else UNFINISHED)
        return replace(
            self._turn,
            text=self._text.joined(),
            reasoning=self._reasoning.joined(),
            tools=tuple(self._calls),
            cut_off=why or self._turn.cut_off,
        )

    def _end(self, event: ChatEnded) -> None:
        self._ended = True
        if not self._text.size:
            self._text.add(event.text)
        self._turn = replace(
            self._turn,
            stats=event.stats,
            response_id=event.response_id if self._stored else None,
            instance_id=event.instance_id or self._turn.instance_id,
            cut_off=f"{_EARLY[event.stop]} ({event.stop})" if event.stop in _EARLY else "",
        )

    def _call(self, event: ToolCall) -> None:
        """What is new of a call joins what was known of it: the last one of its name that still runs."""
        for place in reversed(range(len(self._calls))):
            if self._calls[place].goes_on(event):
                self._calls[place] = self._calls[place].with_news(event)
                return
        if len(self._calls) < MOST_CALLS:
            self._calls.append(event)


class _Pieces:
    """A growing text, up to `MOST_TEXT` characters."""

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[str] = []

    def add(self, text: str) -> None:
        """Append."""
        text = text[: MOST_TEXT - self.size]
        self.size += len(text)
        self._pieces.append(text)

    def joined(self) -> str:
        """The whole; joined only once."""
        self._pieces = ["".join(self._pieces)]
        return self._pieces[0]
