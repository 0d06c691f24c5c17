"""LM Studio's native `POST /api/v1/chat`: streamed or whole, stateful, loading its model just in time."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lmdeck.demo import fields
from lmdeck.demo.answer import Answer
from lmdeck.demo.catalog import CatalogModel
from lmdeck.demo.chat_call import ChatCall, read_call
from lmdeck.demo.conversations import Conversations
from lmdeck.demo.engines.base import EngineError
from lmdeck.demo.errors import NO_MODELS, ApiError, invalid
from lmdeck.demo.fields import Json
from lmdeck.demo.hub import Hub, check_context
from lmdeck.demo.instance import Instance
from lmdeck.demo.loading import LoadJob
from lmdeck.demo.web import as_api_error, event, event_stream, read_body, unless_gone

TAG = "LM STUDIO SERVER"


class NativeChat:
    """`/api/v1/chat`."""

    def __init__(self, hub: Hub, conversations: Conversations) -> None:
        self._hub, self._conversations = hub, conversations

    def routes(self) -> list[Route]:
        """The endpoint."""
        return [Route("/api/v1/chat", self.chat, methods=["POST"])]

    async def chat(self, request: Request) -> Response:
        """Answer; the generation stops when the client closes the connection."""
        hub = self._hub
        body = await read_body(request, hub.log)
        call = read_call(body, self._model(fields.required(body, "model")), self._conversations)
        instance, job = await self._prepare(call)
        count = len(call.request.messages)
        hub.log.server(f"Running chat completion on conversation with {count} messages.", tag=TAG)
        events = self._events(call, instance, job)
        if call.stream:
            hub.log.server("Streaming response...", tag=TAG)
            return event_stream(self._streamed(events))
        result = await unless_gone(request, self._whole(events))
        shown = json.dumps(result, indent=2, ensure_ascii=False)
        hub.log.server(f"Generated prediction: {shown}", tag=str(result["model_instance_id"]))
        return JSONResponse(result)

    def _model(self, name: str) -> CatalogModel:
        """The model behind a key or an instance's id. Raises ApiError."""
        instance = self._hub.find(name)
        if instance is not None:
            return instance.model
        if not self._hub.jit and not self._hub.instances:
            raise NO_MODELS
        return self._hub.model(name)

    async def _prepare(self, call: ChatCall) -> tuple[Instance | None, LoadJob | None]:
        """The instance to ask, or the load that makes it. Raises ApiError before anything is streamed."""
        hub = self._hub
        instance = hub.find(call.name)
        if instance is None:
            job = hub.jit_load(call.name, ttl_s=call.ttl_s, context_length=call.context_length)
            await hub.evict_for(job)
            return None, job
        wanted = call.context_length
        if wanted is None or wanted == instance.options.context_length:
            return instance, None
        return None, await self._reload(instance, wanted)

    async def _reload(self, instance: Instance, context_length: int) -> LoadJob:
        """Load an instance anew with another context, under its old name. Raises ApiError if it is busy."""
        hub = self._hub
        if instance.tickets:
            raise invalid(
                f"Cannot change the context length of '{instance.id}' while it is busy.", param="context_length"
            )
        options = replace(instance.options, context_length=context_length)
        check_context(instance.model, context_length)
        await hub.unload(instance.id, why=" to load it with another context length")
        return hub.load(instance.model, options, identifier=instance.id, ttl_s=instance.ttl_s, jit=instance.jit)

    async def _events(
        self, call: ChatCall, instance: Instance | None, job: LoadJob | None
    ) -> AsyncGenerator[Json, None]:
        """All events of one answer, `chat.end` last; errors are an `error` event before it."""
        name = instance.id if instance else job.id if job else call.name
        answer = Answer(name)
        yield {"type": "chat.start", "model_instance_id": name}
        failure: ApiError | None = None
        try:
            if job is not None:
                async for loading in self._loading(job, answer):
                    yield loading
                instance = await job.done()
            assert instance is not None
            async with self._hub.slot(instance) as ticket, aclosing(ticket.generate(call.request)) as pieces:
                async for piece in pieces:
                    for each in answer.take(piece):
                        yield each
        except (ApiError, EngineError) as error:
            failure = as_api_error(error)
        if failure is not None:
            for each in answer.abort():
                yield each
            yield {"type": "error"} | failure.native()
        yield {"type": "chat.end", "result": answer.result(self._stored(call, answer, failure))}

    async def _loading(self, job: LoadJob, answer: Answer) -> AsyncIterator[Json]:
        name: Json = {"model_instance_id": job.id}
        yield {"type": "model_load.start"} | name
        async for fraction in job.updates():
            yield {"type": "model_load.progress", "progress": round(fraction, 4)} | name
        await job.done()
        answer.load_s = job.seconds
        yield {"type": "model_load.end", "load_time_seconds": round(job.seconds, 3)} | name

    def _stored(self, call: ChatCall, answer: Answer, failure: ApiError | None) -> str | None:
        """The id under which the answer is kept; None if it is not."""
        if failure is not None or not call.store:
            return None
        response_id = self._conversations.new_id()
        said: Json = {"role": "assistant", "content": answer.message}
        self._conversations.store(response_id, (*call.request.messages, said))
        return response_id

    async def _streamed(self, events: AsyncGenerator[Json, None]) -> AsyncGenerator[bytes, None]:
        log, begun, ended = self._hub.log, False, False
        try:
            async with aclosing(events):
                async for each in events:
                    if each["type"] == "message.delta" and not begun:
                        begun = True
                        log.server("First token generated. Continuing to stream response..", tag=TAG)
                    yield event(each)
            ended = True
            log.server("Finished streaming response")
        finally:
            if not ended:
                log.server("Client disconnected. Stopping generation...", tag=TAG)

    async def _whole(self, events: AsyncGenerator[Json, None]) -> Json:
        """The result of `chat.end`. Raises ApiError for an `error` event."""
        async with aclosing(events):
            async for each in events:
                if each["type"] == "error":
                    error = fields.obj(each["error"])
                    kind = str(error["type"])
                    status = 400 if kind == "invalid_request" else 500
                    raise ApiError(status, kind, str(error["message"]))
                if each["type"] == "chat.end":
                    return fields.obj(each["result"])
        raise AssertionError("chat.end is always the last event")
