"""What goes over the wire to OpenAI's and Anthropic's clients: events, and the answer that carries them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from lmdeck.demo.fields import Json

DONE = b"data: [DONE]\n\n"
"""The end of a stream of chat or completion chunks."""


@dataclass(frozen=True, slots=True)
class Event:
    """One Server-Sent Event. Chunks of chats and completions have no name."""

    data: Json
    name: str = ""

    def encode(self) -> bytes:
        """The event's bytes."""
        head = f"event: {self.name}\n" if self.name else ""
        return head.encode() + b"data: " + encoded(self.data) + b"\n\n"


def encoded(data: Json) -> bytes:
    """Compact JSON in ASCII: a lone surrogate, which JSON can carry and UTF-8 cannot, stays an escape."""
    return json.dumps(data, separators=(",", ":")).encode()


def json_answer(data: Json) -> Response:
    """A whole answer."""
    return Response(encoded(data), media_type="application/json")


class EventStream(StreamingResponse):
    """An answer of Server-Sent Events. However it ends, `chunks` is closed on return, which stops the generation."""

    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        super().__init__(chunks, media_type="text/event-stream", headers={"cache-control": "no-cache"})
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._chunks):
            await super().__call__(scope, receive, send)


def objects(value: object) -> list[Json]:
    """The objects of a list, for reading an engine's own answers tolerantly."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def string(record: Json, name: str) -> str:
    """A text field; empty if it is absent or no text."""
    value = record.get(name)
    return value if isinstance(value, str) else ""


def count(record: Json, name: str) -> int | None:
    """A whole number; None if it is absent or none."""
    value = record.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
