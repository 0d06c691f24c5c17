"""Generation in the older API, `/api/v0`: OpenAI's shapes with statistics, the model and the runtime besides."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lmdeck.demo.engines.base import Engine, Stats
from lmdeck.demo.fields import Json
from lmdeck.demo.instance import Instance
from lmdeck.demo.openai_chat import ChatCall, CompletionCall
from lmdeck.demo.openai_embeddings import embed
from lmdeck.demo.openai_serving import Exchange, Serving
from lmdeck.demo.openai_wire import Event, objects
from lmdeck.demo.web import read_body


class V0Inference:
    """`/api/v0/chat/completions`, `/completions` and `/embeddings`."""

    def __init__(self, serving: Serving) -> None:
        self._serving, self._hub = serving, serving.hub

    def routes(self) -> list[Route]:
        """The endpoints."""
        handlers = {"chat/completions": self.chat, "completions": self.complete, "embeddings": self.embed}
        return [Route(f"/api/v0/{path}", handler, methods=["POST"]) for path, handler in handlers.items()]

    async def chat(self, request: Request) -> Response:
        """A chat completion."""
        return await self._serving.answer(request, ChatCall(await read_body(request, self._hub.log)), self._extended)

    async def complete(self, request: Request) -> Response:
        """A completion of a raw prompt."""
        call = CompletionCall(await read_body(request, self._hub.log))
        return await self._serving.answer(request, call, self._extended)

    async def embed(self, request: Request) -> Response:
        """Embeddings; nothing is generated, so there are no statistics."""
        answer, instance = await embed(self._hub, request)
        return JSONResponse(answer | {"stats": {}} | described(instance, self._hub.engine))

    async def _extended(self, exchange: Exchange) -> AsyncGenerator[Event, None]:
        """The exchange's chunks. From the first that tells an end on they are held back until the statistics are
        there, which that chunk then carries: it is the end of the text anyway."""
        held: list[Event] = []
        async with aclosing(exchange.events()) as events:
            async for event in events:
                if held or any(choice.get("finish_reason") for choice in objects(event.data.get("choices"))):
                    held.append(event)
                else:
                    yield event
        for number, event in enumerate(held):
            more: Json = {}
            if number == 0:
                more = {"stats": stats_record(exchange.stats)} | described(exchange.instance, self._hub.engine)
            yield Event(event.data | more)


def stats_record(stats: Stats) -> Json:
    """`stats` as v0 has it; times in seconds."""
    return {
        "tokens_per_second": stats.tokens_per_second,
        "time_to_first_token": stats.ttft_s,
        "generation_time": None if stats.total_s is None else stats.total_s - (stats.ttft_s or 0),
        "stop_reason": stats.stop_reason,
    }


def described(instance: Instance, engine: Engine) -> Json:
    """`model_info` and `runtime`."""
    model = instance.model
    return {
        "model_info": {
            "arch": model.architecture,
            "quant": model.quantization,
            "format": model.format,
            "context_length": instance.runner.reported_context,
        },
        "runtime": {"name": engine.name, "version": engine.version, "supported_formats": [model.format]},
    }
