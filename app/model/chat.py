"""A chat request and the events of its streamed answer (LM Studio's native `POST /api/v1/chat`)."""

from dataclasses import dataclass

from lmdeck.model.problem import Problem


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One turn. `previous_response_id` continues (or branches from) an earlier answer on the server; `store` False
    keeps nothing there; `reasoning` is one of the settings the model allows; `temperature` 0..1."""

    model: str
    input: str
    previous_response_id: str | None = None
    system_prompt: str | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    reasoning: str | None = None
    store: bool | None = None

    def body(self) -> dict[str, object]:
        """The request body, streamed; absent options are not sent."""
        options = {
            "previous_response_id": self.previous_response_id,
            "system_prompt": self.system_prompt,
            "max_output_tokens": self.max_output_tokens,
            "temperature": self.temperature,
            "reasoning": self.reasoning,
            "store": self.store,
        }
        sent = {name: value for name, value in options.items() if value not in (None, "")}
        return {"model": self.model, "input": self.input, "stream": True} | sent


@dataclass(frozen=True, slots=True)
class ChatStats:
    """Statistics of one answer; every number may be missing. Times in seconds."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    tokens_per_second: float | None = None
    ttft_s: float | None = None
    load_time_s: float | None = None


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


ChatEvent = (
    ChatStarted | ModelLoading | PromptProcessing | ReasoningDelta | MessageDelta | ToolCall | ChatFault | ChatEnded
)
