"""A chat request, and the events of its streamed answer, whichever endpoint it goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lmdeck.model.endpoints import NATIVE
from lmdeck.model.problem import Problem

Value = bool | int | float | str | list["Value"] | dict[str, "Value"]
"""What a parameter can be, as JSON has it."""


@dataclass(frozen=True, slots=True)
class Said:
    """One earlier turn, for endpoints that take the history. `images` are data URLs."""

    role: str
    text: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tools:
    """A source of tools for one request: a plugin's id, or an ephemeral MCP server. `headers` name the environment
    variables whose values are sent."""

    label: str
    plugin_id: str = ""
    server_url: str = ""
    allowed_tools: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One turn, by whichever endpoint. What is unset is not sent.

    `previous_response_id` continues (or branches from) an earlier answer on the server, `history` holds the turns
    before this one for endpoints that keep nothing; `images` are data URLs; `parameters` are by the names of
    `model/parameters.py`; `store` False keeps nothing on the server.
    """

    model: str
    input: str
    previous_response_id: str | None = None
    system_prompt: str | None = None
    store: bool | None = None
    endpoint: str = NATIVE.path
    parameters: Mapping[str, Value] = field(default_factory=dict)
    history: tuple[Said, ...] = ()
    images: tuple[str, ...] = ()
    tools: tuple[Tools, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatStats:
    """Statistics of one answer; every number may be missing. Times in seconds."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    tokens_per_second: float | None = None
    ttft_s: float | None = None
    load_time_s: float | None = None
    measured: bool = False
    """Whether speed and TTFT were measured here, because the server tells none."""


@dataclass(frozen=True, slots=True)
class ChatStarted:
    """The server took the request, for this instance."""

    instance_id: str


@dataclass(frozen=True, slots=True)
class ModelLoading:
    """The model is being loaded for this request. `progress` 0..1; `done` once it is in memory."""

    progress: float | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class PromptProcessing:
    """The prompt is being read (prefill). `progress` 0..1; `done` when the first token is next."""

    progress: float | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the model's reasoning; an empty `text` with `done` ends it."""

    text: str
    done: bool = False


@dataclass(frozen=True, slots=True)
class MessageDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call as far as it is known: `state` is `called`, `arguments`, `success` or `failure`.

    `arguments` and `output` are JSON or plain text, as the server sent them; `reason` explains a failure.
    """

    tool: str
    state: str
    arguments: str = ""
    output: str = ""
    provider: str = ""
    reason: str = ""

    def goes_on(self, event: ToolCall) -> bool:
        """Whether `event` tells more of this call. Calls have no ids: a running one of the same name is meant."""
        is_running = self.state not in ("success", "failure")
        return event.state != "called" and is_running and (self.tool == event.tool or "" in (self.tool, event.tool))

    def with_news(self, event: ToolCall) -> ToolCall:
        """This call with what `event` tells of it; what it does not repeat stays."""
        return ToolCall(
            tool=event.tool or self.tool,
            state=event.state,
            arguments=event.arguments or self.arguments,
            output=event.output or self.output,
            provider=event.provider or self.provider,
            reason=event.reason or self.reason,
        )


@dataclass(frozen=True, slots=True)
class ChatFault:
    """The server reported an error inside the stream; `ChatEnded` still follows."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class ChatEnded:
    """The whole answer is there. `response_id` is what the next turn continues from."""

    stats: ChatStats
    response_id: str | None = None
    instance_id: str | None = None
    text: str = ""
    """The answer's messages joined, as the server sent them once more at the end."""
    stop: str = ""
    """Why the model stopped, in the server's word (`length`, `max_tokens` …); empty where it does not tell."""


ChatEvent = (
    ChatStarted | ModelLoading | PromptProcessing | ReasoningDelta | MessageDelta | ToolCall | ChatFault | ChatEnded
)
