"""What the dialects share: what a decoder is, how errors in a stream are read, the turns to send."""

from collections.abc import Callable, Iterable
from typing import Protocol

from lmdeck.backend.decode import fields, parse
from lmdeck.backend.refusal import error_words, problem_of
from lmdeck.backend.sse import SSEEvent
from lmdeck.model.chat import ChatEnded, ChatEvent, ChatFault, ChatRequest, ChatStats, Said

Fields = dict[str, object]

Reveal = Callable[[str], str]
"""The value of the environment variable that a header names."""


class Decoder(Protocol):
    """Reads one streamed answer, and ends with ChatEnded, after a ChatFault too; then it is fed no more."""

    def feed(self, event: SSEEvent) -> Iterable[ChatEvent]:
        """What one event of the stream says."""
        ...

    def close(self) -> Iterable[ChatEvent]:
        """The stream is over: ends the answer if it is whole all the same; empty if it was cut off."""
        ...


def data_of(event: SSEEvent) -> Fields:
    """An event's JSON object; empty for anything else."""
    try:
        return fields(parse(event.data))
    except ValueError:
        return {}


def failure(data: Fields, stats: ChatStats = ChatStats()) -> tuple[ChatEvent, ...]:  # noqa: B008 - it is frozen
    """The last events of a stream that broke off with an error, where `data` is one: nothing follows it there."""
    words = error_words(data)
    return () if words is None else (ChatFault(problem_of(words)), ChatEnded(stats))


def turns(request: ChatRequest) -> tuple[Said, ...]:
    """The earlier turns and this one, without empty ones. What one side said in a row is one turn: many chat
    templates take only turns that alternate."""
    found: list[Said] = []
    for said in (*request.history, Said("user", request.input, request.images)):
        if found and found[-1].role == said.role:
            before = found.pop()
            text = "\n\n".join(filter(None, (before.text, said.text)))
            said = Said(said.role, text, before.images + said.images)
        if said.text or said.images:
            found.append(said)
    return tuple(found)
