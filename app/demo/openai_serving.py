"""From a call to its answer: through the hub's queue, from either kind of engine, streamed or whole."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from lmdeck.demo import openai_scripted
from lmdeck.demo.catalog import CatalogModel
from lmdeck.demo.engines.base import EngineError, Finished, Stats
from lmdeck.demo.errors import NO_MODELS, ApiError, invalid
from lmdeck.demo.fields import Json
from lmdeck.demo.hub import Hub
from lmdeck.demo.instance import Instance, Ticket
from lmdeck.demo.openai_call import Call
from lmdeck.demo.openai_tally import Tally
from lmdeck.demo.openai_upstream import Upstream
from lmdeck.demo.openai_wire import Event, EventStream, json_answer
from lmdeck.demo.web import as_api_error, unless_gone

TAG = "LM STUDIO SERVER"
GONE = "Client disconnected. Stopping generation..."


class Exchange:
    """One call on its way. `instance` is known with the first event, `stats` after the last."""

    instance: Instance
    stats: Stats

    def __init__(self, hub: Hub, upstream: Upstream, call: Call, name: str) -> None:
        self._hub, self._upstream, self.call, self._name = hub, upstream, call, name

    async def events(self) -> AsyncGenerator[Event, None]:
        """The answer's events, as the client gets them. Closing it stops the generation. Raises ApiError,
        EngineError."""
        async with self._hub.request(self._name, ttl_s=self.call.ttl_s) as ticket:
            self.instance = ticket.instance
            proxied = ticket.instance.runner.url is not None
            source = self._proxied(ticket) if proxied else self._scripted(ticket)
            async with aclosing(source) as events:
                async for event in events:
                    yield event

    async def _proxied(self, ticket: Ticket) -> AsyncGenerator[Event, None]:
        tally = Tally(self.call.limit)
        async with aclosing(self._upstream.generate(ticket, self.call, tally)) as records:
            async for data in records:
                yield self.call.event(data, ticket.instance.id)
        self.stats = tally.stats()

    async def _scripted(self, ticket: Ticket) -> AsyncGenerator[Event, None]:
        renderer = self.call.renderer()
        async with aclosing(openai_scripted.answers(ticket, self.call.ask)) as pieces:
            async for index, piece in pieces:
                if isinstance(piece, Finished):
                    self.stats = piece.stats
                for data in renderer.take(index, piece):
                    yield self.call.event(data, ticket.instance.id)
        for data in renderer.end():
            yield self.call.event(data, ticket.instance.id)


Dress = Callable[[Exchange], AsyncGenerator[Event, None]]
"""What becomes of an exchange's events on their way out."""


class Serving:
    """Answers calls for all compatible endpoints. Who made it closes it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._upstream = Upstream()

    async def close(self) -> None:
        """Close the connections to the llama-servers."""
        await self._upstream.close()

    async def answer(self, request: Request, call: Call, dress: Dress = Exchange.events) -> Response:
        """Answer `call`; the generation stops when the client closes the connection. Raises ApiError, EngineError for
        what goes wrong before the first event."""
        name, model = pick(self.hub, call.name, embedding=False)
        if call.ask.has_images and not model.vision:
            raise invalid(f"Model '{model.key}' does not support image inputs.", param="messages")
        log = self.hub.log
        messages = len(call.ask.messages)
        of = f" on conversation with {messages} messages." if messages else "."
        log.server(f"Running {call.kind}{of}", tag=TAG)
        exchange = Exchange(self.hub, self._upstream, call, name)
        events = dress(exchange)
        try:
            if not call.stream:
                return json_answer(await unless_gone(request, self._whole(exchange, events)))
            log.server("Streaming response...", tag=TAG)
            first = await unless_gone(request, _first(events))
        except ClientDisconnect:
            log.server(GONE, tag=TAG)
            raise
        return EventStream(self._streamed(call, first, events))

    async def _streamed(
        self, call: Call, first: Event, events: AsyncGenerator[Event, None]
    ) -> AsyncGenerator[bytes, None]:
        log, over = self.hub.log, False
        try:
            async with aclosing(events):
                yield first.encode()
                async for event in events:
                    yield event.encode()
            over = True
            log.server("Finished streaming response")
            yield call.closing
        except (ApiError, EngineError) as error:
            over = True
            log.server(str(error), level="ERROR")
            yield call.error(as_api_error(error)).encode()
        finally:
            if not over:
                log.server(GONE, tag=TAG)

    async def _whole(self, exchange: Exchange, events: AsyncGenerator[Event, None]) -> Json:
        async with aclosing(events):
            records = [event.data async for event in events]
        whole = exchange.call.whole(records)
        shown = json.dumps(whole, indent=2, ensure_ascii=False)
        self.hub.log.server(f"Generated prediction: {shown}", tag=exchange.instance.id)
        return whole


async def _first(events: AsyncGenerator[Event, None]) -> Event:
    """The first event: whatever fails before it has an HTTP status of its own."""
    return await anext(events)


def pick(hub: Hub, name: str, *, embedding: bool) -> tuple[str, CatalogModel]:
    """The instance's id or the model's key to ask, and the model; where `name` is empty, the first one loaded. Raises
    ApiError if there is none, or it is of the other kind."""
    if not name:
        loaded = (each for each in hub.instances.values() if each.model.embedding is embedding)
        instance = next(loaded, None)
        if instance is None:
            raise NO_MODELS
        return instance.id, instance.model
    instance = hub.find(name)
    if instance is None and not hub.jit and not hub.instances:
        raise NO_MODELS
    model = instance.model if instance else hub.model(name)
    if model.embedding is not embedding:
        words = "is not an embedding model" if embedding else "is an embedding model and generates no text"
        raise invalid(f"Model '{model.key}' {words}.", param="model")
    return name, model
