"""The inference endpoints a conversation can go through, and what each one supports."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One of LM Studio's inference endpoints. `name` is what `/endpoint` takes."""

    name: str
    path: str
    stateful: bool = False
    """It can continue from an earlier answer's id (`previous_response_id`)."""
    history: bool = True
    """It takes the earlier turns, each with its role, in the request."""
    images: bool = True
    integrations: bool = False
    """It runs tools by itself: plugins and MCP servers."""
    mcp: bool = False
    """It runs those of MCP servers that a request names, if LM Studio's settings allow it; no plugins."""
    store: bool = False
    """It can be told to keep nothing (`store`)."""

    @property
    def supports(self) -> str:
        """In words, for the screen: `state · images · tools (MCP)`."""
        told = (
            (self.stateful, "state on the server"),
            (not self.stateful and self.history, "history sent each time"),
            (not self.stateful and not self.history, "no history: plain text goes on"),
            (self.images, "images"),
            (self.integrations, "tools (plugins, MCP)"),
            (self.mcp, "tools (MCP)"),
        )
        return " · ".join(words for holds, words in told if holds)


NATIVE: Final = Endpoint("native", "/api/v1/chat", stateful=True, history=False, integrations=True, store=True)
CHAT_COMPLETIONS: Final = Endpoint("openai", "/v1/chat/completions")
RESPONSES: Final = Endpoint("responses", "/v1/responses", stateful=True, mcp=True, store=True)
MESSAGES: Final = Endpoint("anthropic", "/v1/messages")
COMPLETIONS: Final = Endpoint("completions", "/v1/completions", history=False, images=False)
V0_CHAT: Final = Endpoint("v0", "/api/v0/chat/completions")

ENDPOINTS: Final = (NATIVE, CHAT_COMPLETIONS, RESPONSES, MESSAGES, COMPLETIONS, V0_CHAT)


def find(name: str, among: Iterable[Endpoint] = ENDPOINTS) -> Endpoint | None:
    """By name or by path."""
    return next((endpoint for endpoint in among if name in (endpoint.name, endpoint.path)), None)
