"""The seam between the server and what generates: an `Engine` has models and loads them into `Runner`s."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lmdeck.demo.catalog import CatalogModel
from lmdeck.demo.fields import Json


class EngineError(Exception):
    """The engine could not do it; the message is what the user reads. `kind` is the API's error type."""

    def __init__(self, message: str, kind: str = "internal_error") -> None:
        super().__init__(message)
        self.kind = kind


class RunnerGone(EngineError):
    """The instance was unloaded, or its process died, under a request."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What an instance is loaded with. `context_length` and `eval_batch_size` are tokens; `gpu` is a share 0..1."""

    context_length: int
    parallel: int = 4
    eval_batch_size: int = 512
    flash_attention: bool = True
    offload_kv_cache_to_gpu: bool = True
    num_experts: int | None = None
    gpu: float = 1.0


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """One generation. `messages` are OpenAI-shaped and go through the chat template; `prompt`, where given, is used
    raw instead. `options` carry OpenAI names: temperature, top_p, top_k, min_p, repeat_penalty, max_tokens, stop,
    seed …, plus `reasoning` (LM Studio's setting). `integrations` are native v1's plug-ins, which only act natively."""

    messages: tuple[Json, ...] = ()
    prompt: str | None = None
    options: Json = field(default_factory=dict)
    integrations: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Stats:
    """Measured numbers of one generation; counts are tokens, times seconds. `stop_reason` is LM Studio's word
    (eosFound, stopStringFound, maxPredictedTokensReached, contextLengthReached, userStopped, modelUnloaded, failed,
    toolCalls)."""

    stop_reason: str
    prompt_tokens: int | None = None
    predicted_tokens: int | None = None
    reasoning_tokens: int = 0
    tokens_per_second: float | None = None
    ttft_s: float | None = None
    total_s: float | None = None
    gpu_layers: int | None = None


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """How much of the prompt has been read, 0..1."""

    fraction: float


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer, or of the reasoning before it."""

    text: str
    reasoning: bool = False


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool call through an integration, done. `output` is its result; `failure` a reason why there is none, and
    `invalid` what was wrong with the call then: `name` or `arguments`."""

    tool: str
    arguments: Json
    provider: Json
    output: str = ""
    failure: str | None = None
    invalid: str = "name"


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of the generation: always the last piece."""

    stats: Stats


Piece = PromptProgress | Text | ToolUse | Finished


@dataclass(frozen=True, slots=True)
class RuntimeLine:
    """One line of the engine's own log."""

    text: str
    level: str = "info"
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector per input, and the tokens read."""

    vectors: list[list[float]]
    prompt_tokens: int


class Runner(Protocol):
    """One model in memory."""

    @property
    def reported_context(self) -> int:
        """Its context length as the API tells it, in tokens: not always the truth."""
        ...

    @property
    def pid(self) -> int | None:
        """The process that holds it; None for a weightless one."""
        ...

    @property
    def url(self) -> str | None:
        """Base URL of a llama-server that answers OpenAI- and Anthropic-shaped requests; None if there is none.
        Requests to it carry `Authorization: Bearer <api_key>`."""
        ...

    @property
    def api_key(self) -> str:
        """The key of `url`; empty without one. Never leaves this process."""
        ...

    async def format(self, request: GenerateRequest) -> str:
        """The prompt as the model gets it, template and all."""
        ...

    def generate(self, request: GenerateRequest) -> AsyncIterator[Piece]:
        """Generate; the last piece is `Finished`. Closing the iterator stops the generation. Raises EngineError,
        RunnerGone when the instance is unloaded meanwhile."""
        ...

    async def embed(self, inputs: list[str]) -> Embeddings:
        """Embed texts. Raises EngineError."""
        ...

    async def exited(self) -> int | None:
        """Wait until it has ended by itself; answers the process's exit code. A closed runner ends too."""
        ...

    async def close(self) -> None:
        """Free it: open generations end with RunnerGone, and its process is gone on return."""
        ...


class Engine(Protocol):
    """A source of models."""

    @property
    def name(self) -> str:
        """As LM Studio names runtimes, e.g. `llama.cpp-linux-x86_64-cpu`."""
        ...

    @property
    def version(self) -> str:
        """The runtime's version."""
        ...

    async def catalogue(self) -> tuple[CatalogModel, ...]:
        """The models on disk."""
        ...

    @property
    def models_folder(self) -> Path | None:
        """Where the catalogue's paths begin, once the catalogue has been read; None without files."""
        ...

    async def load(
        self,
        model: CatalogModel,
        options: LoadOptions,
        *,
        progress: Callable[[float], None],
        log: Callable[[RuntimeLine], None],
    ) -> Runner:
        """Load a model; `progress` hears 0..1 only where it is known. Raises EngineError with the reason;
        cancelling it ends what was started."""
        ...
