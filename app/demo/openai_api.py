"""The OpenAI-compatible endpoints: models, chat completions, completions, embeddings and responses."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lmdeck.demo.conversations import Conversations
from lmdeck.demo.fields import Json
from lmdeck.demo.hub import Hub
from lmdeck.demo.openai_chat import ChatCall, CompletionCall
from lmdeck.demo.openai_embeddings import embed
from lmdeck.demo.openai_responses import ResponseCall
from lmdeck.demo.openai_serving import Serving
from lmdeck.demo.web import read_body


class OpenAIApi:
    """`/v1/…`."""

    def __init__(self, hub: Hub, serving: Serving, conversations: Conversations) -> None:
        self._hub, self._serving, self._conversations = hub, serving, conversations

    def routes(self) -> list[Route]:
        """The endpoints."""
        return [
            Route("/v1/models", self.models, methods=["GET"]),
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
            Route("/v1/completions", self.complete, methods=["POST"]),
            Route("/v1/embeddings", self.embed, methods=["POST"]),
            Route("/v1/responses", self.respond, methods=["POST"]),
        ]

    async def models(self, request: Request) -> Response:
        """What a request may name: everything that is loaded and, with just-in-time loading, all that could be."""
        return JSONResponse({"object": "list", "data": model_list(self._hub)})

    async def chat(self, request: Request) -> Response:
        """A chat completion."""
        return await self._serving.answer(request, ChatCall(await read_body(request, self._hub.log)))

    async def complete(self, request: Request) -> Response:
        """A completion of a raw prompt."""
        return await self._serving.answer(request, CompletionCall(await read_body(request, self._hub.log)))

    async def embed(self, request: Request) -> Response:
        """Embeddings."""
        answer, _ = await embed(self._hub, request)
        return JSONResponse(answer)

    async def respond(self, request: Request) -> Response:
        """A response, which may continue an earlier one."""
        body = await read_body(request, self._hub.log)
        return await self._serving.answer(request, ResponseCall(body, self._conversations))


def model_list(hub: Hub) -> list[Json]:
    """One record per instance, and per model without one if a request would load it."""
    names: list[str] = []
    for model in hub.models.values():
        copies = [instance.id for instance in hub.copies(model.key)]
        names += copies or ([model.key] if hub.jit else [])
    return [{"id": name, "object": "model", "owned_by": "organization_owner"} for name in names]
