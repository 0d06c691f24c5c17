"""All endpoints that speak another vendor's dialect, with the connections they share."""

from __future__ import annotations

from starlette.routing import Route

from lmdeck.demo.anthropic_api import AnthropicApi
from lmdeck.demo.conversations import Conversations
from lmdeck.demo.hub import Hub
from lmdeck.demo.openai_api import OpenAIApi
from lmdeck.demo.openai_serving import Serving
from lmdeck.demo.v0_inference import V0Inference


class Compatible:
    """`/v1/…` and the generating endpoints of `/api/v0`. `conversations` are those of `/v1/responses`, which
    `/api/v1/chat` does not know. Who made it closes it, after the instances are gone."""

    def __init__(self, hub: Hub, conversations: Conversations) -> None:
        self._hub, self._conversations = hub, conversations
        self._serving = Serving(hub)

    def routes(self) -> list[Route]:
        """The endpoints."""
        serving = self._serving
        apis = (OpenAIApi(self._hub, serving, self._conversations), AnthropicApi(serving), V0Inference(serving))
        return [route for api in apis for route in api.routes()]

    async def close(self) -> None:
        """Close the connections."""
        await self._serving.close()
