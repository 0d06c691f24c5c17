"""A model in memory, and one request's stay in its queue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace

from lmdeck.demo.catalog import CatalogModel, lms_record
from lmdeck.demo.engines.base import (
    Embeddings,
    EngineError,
    Finished,
    GenerateRequest,
    LoadOptions,
    Piece,
    Runner,
    RunnerGone,
    Stats,
    Text,
)
from lmdeck.demo.fields import Json
from lmdeck.demo.logs import LogHub

PHASES = ("generating", "computingEmbedding", "processingPrompt")


@dataclass(eq=False, slots=True)
class Instance:
    """One loaded copy. `ttl_s` is None for what stays until it is unloaded; times are Unix seconds."""

    id: str
    model: CatalogModel
    options: LoadOptions
    runner: Runner
    jit: bool = False
    ttl_s: float | None = None
    last_used: float = field(default_factory=time.time)
    tickets: list[Ticket] = field(default_factory=list)
    gone: bool = False
    slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.slots = asyncio.Semaphore(self.options.parallel)

    @property
    def reported(self) -> LoadOptions:
        """Its settings as the API tells them."""
        return replace(self.options, context_length=self.runner.reported_context)

    @property
    def status(self) -> str:
        """`idle` or what it is doing, in the words of `lms ps`."""
        phases = {ticket.phase for ticket in self.tickets}
        return next((phase for phase in PHASES if phase in phases), "idle")

    @property
    def ttl_left(self) -> float | None:
        """Seconds until the eviction; the full time while it is busy."""
        if self.ttl_s is None:
            return None
        return self.ttl_s if self.tickets else max(0.0, self.ttl_s - (time.time() - self.last_used))

    def v1(self) -> Json:
        """The instance in `loaded_instances`."""
        record: Json = {"id": self.id, "config": config_record(self.model, self.reported)}
        if self.ttl_left is not None:
            record["remaining_ttl_seconds"] = round(self.ttl_left)
        return record

    def ps(self) -> Json:
        """The instance in `lms ps --json`."""
        return lms_record(self.model) | {
            "identifier": self.id,
            "ttlMs": None if self.ttl_s is None else round(self.ttl_s * 1000),
            "lastUsedTime": round(self.last_used * 1000),
            "contextLength": self.runner.reported_context,
            "status": self.status,
            "queued": len(self.tickets),
            "parallel": None if self.model.embedding else self.options.parallel,
        }


def config_record(model: CatalogModel, options: LoadOptions) -> Json:
    """An instance's `config`; embedding models show their context only."""
    config: Json = {"context_length": options.context_length}
    if model.embedding:
        return config
    config |= {
        "eval_batch_size": options.eval_batch_size,
        "parallel": options.parallel,
        "flash_attention": options.flash_attention,
        "offload_kv_cache_to_gpu": options.offload_kv_cache_to_gpu,
    }
    if options.num_experts is not None:
        config["num_experts"] = options.num_experts
    return config


class Ticket:
    """One request to one instance, from the queue to its end. Made by `Hub.request`.

    `phase` is what `lms ps` shows; whoever drives the runner directly (a proxied request) sets it and logs input and
    output itself.
    """

    def __init__(self, instance: Instance, log: LogHub) -> None:
        self.instance, self._log = instance, log
        self.phase = "processingPrompt"

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Piece, None]:
        """The runner's pieces, ending in `Finished`; the prompt and the answer go to the model log. Raises
        EngineError (RunnerGone after an unload); closing it stops the generation."""
        runner = self.instance.runner
        self.log_input(await runner.format(request))
        text: list[str] = []
        stats = Stats("userStopped")
        pieces = runner.generate(request)
        try:
            async for piece in pieces:
                if isinstance(piece, Finished):
                    stats = piece.stats
                elif isinstance(piece, Text):
                    self.phase = "generating"
                    text.append(piece.text)
                yield piece
        except EngineError as error:
            unloaded = isinstance(error, RunnerGone)
            stats = replace(stats, stop_reason="modelUnloaded" if unloaded else "failed")
            raise
        finally:
            self.log_output("".join(text), stats)
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()

    async def embed(self, inputs: list[str]) -> Embeddings:
        """Embed texts. Raises EngineError."""
        self.phase = "computingEmbedding"
        return await self.instance.runner.embed(inputs)

    def log_input(self, prompt: str) -> None:
        """Tell the model log the formatted prompt."""
        instance = self.instance
        event: Json = {"modelPath": instance.model.path, "modelIdentifier": instance.id, "input": prompt}
        self._log.emit("model", {"type": "llm.prediction.input", **event})

    def log_output(self, output: str, stats: Stats) -> None:
        """Tell the model log the whole answer and its statistics, once, at the end."""
        event: Json = {"modelIdentifier": self.instance.id, "output": output, "stats": stats_record(stats)}
        self._log.emit("model", {"type": "llm.prediction.output", **event})


def stats_record(stats: Stats) -> Json:
    """Statistics as the model log and the SDK name them; what is not known is left out."""
    known = (stats.prompt_tokens, stats.predicted_tokens)
    record: Json = {
        "stopReason": stats.stop_reason,
        "tokensPerSecond": stats.tokens_per_second,
        "numGpuLayers": stats.gpu_layers,
        "timeToFirstTokenSec": stats.ttft_s,
        "totalTimeSec": stats.total_s,
        "promptTokensCount": stats.prompt_tokens,
        "predictedTokensCount": stats.predicted_tokens,
        "totalTokensCount": None if None in known else sum(n for n in known if n is not None),
    }
    return {name: value for name, value in record.items() if value is not None}
