"""A generation asked for in one of the compatible dialects, and what the dialects share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

from lmdeck.demo import fields
from lmdeck.demo.engines.base import GenerateRequest, Piece
from lmdeck.demo.errors import ApiError
from lmdeck.demo.fields import FieldError, Json
from lmdeck.demo.openai_tally import Tally
from lmdeck.demo.openai_wire import DONE, Event

NUMBERS = {
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "frequency_penalty": (-2.0, 2.0),
    "presence_penalty": (-2.0, 2.0),
    "repeat_penalty": (0.0, 10.0),
}
INTEGERS = {"top_k": -1, "seed": -(2**63), "max_tokens": -1, "top_logprobs": 0}
"""Parameters and their least value; `max_tokens` of -1 is LM Studio's word for no bound."""


@dataclass(frozen=True, slots=True)
class Function:
    """A tool that the client runs; `schema` is the JSON schema of its arguments."""

    name: str
    schema: Json


@dataclass(frozen=True, slots=True)
class Ask:
    """What a dialect's body means to a model. There is one request for each answer wanted. `must_call` leaves no
    choice but a call of the first function; `schema` is the JSON schema that the answer has to follow."""

    requests: tuple[GenerateRequest, ...]
    functions: tuple[Function, ...] = ()
    must_call: bool = False
    schema: Json | None = None

    @property
    def messages(self) -> tuple[Json, ...]:
        """The conversation."""
        return self.requests[0].messages

    @property
    def has_images(self) -> bool:
        """Whether a message carries an image."""
        contents = (message.get("content") for message in self.messages)
        parts = (part for content in contents if isinstance(content, list) for part in content)
        return any(isinstance(part, dict) and part.get("type") == "image_url" for part in parts)


class Renderer(Protocol):
    """Tells a scripted generation as llama-server would."""

    def take(self, index: int, piece: Piece) -> Iterator[Json]:
        """The events of one piece of the answer `index`."""
        ...

    def end(self) -> Iterator[Json]:
        """The events after the last piece."""
        ...


class Call(ABC):
    """One request body, read and checked (FieldError or ApiError otherwise), and the dialect of its answer.

    A call is used for one generation: the events of its answer pass through it.
    """

    path: ClassVar[str]
    """llama-server's endpoint for it."""
    closing: ClassVar[bytes] = DONE
    """What ends a stream."""
    kind: ClassVar[str] = "chat completion"

    def __init__(self, body: Json) -> None:
        self.body = {name: value for name, value in body.items() if value is not None}
        self.name = fields.text(body, "model") or ""
        self.stream = bool(fields.flag(body, "stream"))
        self.ttl_s = fields.integer(body, "ttl")
        self.ask = self.read()

    @abstractmethod
    def read(self) -> Ask:
        """Check the body. Raises FieldError, ApiError."""

    @property
    @abstractmethod
    def limit(self) -> int | None:
        """The bound on generated tokens."""

    def upstream(self) -> Json:
        """The body for llama-server, which is always asked for a stream: it tells when the first token comes."""
        return {name: value for name, value in self.body.items() if name not in ("model", "ttl")} | {"stream": True}

    @abstractmethod
    def renderer(self) -> Renderer:
        """For an engine without a llama-server."""

    @abstractmethod
    def hear(self, data: Json, tally: Tally) -> None:
        """Note what one of llama-server's events says."""

    @abstractmethod
    def event(self, data: Json, instance_id: str) -> Event:
        """An event as the client gets it, with the instance's id for the model's name."""

    @abstractmethod
    def whole(self, events: Iterable[Json]) -> Json:
        """The answer that the events of a finished stream make."""

    def error(self, error: ApiError) -> Event:
        """An error after the stream has begun."""
        return Event(error.openai(), "error")


def options(body: Json) -> Json:
    """Sampling parameters under their OpenAI names. Raises FieldError."""
    found: Json = {name: fields.number(body, name, minimum=low, maximum=high) for name, (low, high) in NUMBERS.items()}
    found |= {name: fields.integer(body, name, minimum=least) for name, least in INTEGERS.items()}
    stop = body.get("stop")
    if isinstance(stop, str):
        stop = [stop]
    if stop is not None and not (isinstance(stop, list) and all(isinstance(each, str) for each in stop)):
        raise FieldError("stop", "'stop' must be a string or an array of strings")
    found["stop"] = stop
    return {name: value for name, value in found.items() if value is not None}


def messages(body: Json) -> list[Json]:
    """The conversation, which must not be empty. Raises FieldError."""
    found = fields.objects(body, "messages")
    if not found:
        raise FieldError("messages", "'messages' is required and must not be empty")
    if not all(isinstance(message.get("role"), str) for message in found):
        raise FieldError("messages", "every message must have a 'role'")
    return found


def effort(value: object) -> Json:
    """LM Studio's `reasoning` option for OpenAI's reasoning effort."""
    return {"reasoning": "off"} if value in ("none", "off") else {}
