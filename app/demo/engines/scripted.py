"""The weightless engine for tests: scripted text, timings and faults; nothing is measured, everything is set."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from lmdeck.demo.catalog import CatalogModel
from lmdeck.demo.engines import script
from lmdeck.demo.engines.base import (
    Embeddings,
    EngineError,
    Finished,
    GenerateRequest,
    LoadOptions,
    Piece,
    PromptProgress,
    RunnerGone,
    RuntimeLine,
    Stats,
    Text,
)
from lmdeck.demo.engines.context import Context, arrange
from lmdeck.demo.engines.runtime_lines import drifted, loading, opening
from lmdeck.demo.engines.seven import SEVEN
from lmdeck.demo.engines.vectors import unit_vector
from lmdeck.demo.faults import GUARDRAIL, Faults

SCRIPTED_MEMORY = 24 * 2**30
"""The pretended GPU: one card of 24 GiB."""


@dataclass(slots=True)
class Timings:
    """How long things take: seconds for a load and to the first token, tokens per second after it."""

    load_s: float = 0.05
    ttft_s: float = 0.01
    tokens_per_s: float = 1000.0


class ScriptedRunner:
    """One scripted instance."""

    pid: int | None = None
    url: str | None = None
    api_key = ""

    def __init__(
        self,
        model: CatalogModel,
        context: Context,
        timings: Timings,
        faults: Faults,
        log: Callable[[RuntimeLine], None],
    ) -> None:
        self._model, self._context, self._timings, self._faults, self._log = model, context, timings, faults, log
        self._closed = asyncio.Event()

    @property
    def reported_context(self) -> int:
        """As the context faults have it."""
        return self._context.reported

    async def format(self, request: GenerateRequest) -> str:
        """ChatML."""
        return script.format_prompt(request)

    async def generate(self, request: GenerateRequest) -> AsyncIterator[Piece]:
        """Prompt progress, reasoning and a tool call where asked for, then the answer word by word."""
        started = time.monotonic()
        request, prompt_tokens = self._fit(request)
        for quarter in range(5):
            yield PromptProgress(quarter / 4)
            await self._rest(self._timings.ttft_s / 5)
        first = time.monotonic()
        thought = script.tokens(script.thought(request)) if self._reasons(request) else []
        text, stopped = script.cut(script.answer(request), request.options.get("stop"))
        words = script.tokens(text)
        limit = self._limit(request, prompt_tokens)
        said = 0
        for word in thought:
            yield await self._paced(Text(word, reasoning=True), started=first, number=(said := said + 1))
        if use := script.tool_use(request):
            yield use
        for word in words[:limit]:
            yield await self._paced(Text(word), started=first, number=(said := said + 1))
        stop = "stopStringFound" if stopped else "eosFound"
        if limit < len(words):
            stop = "maxPredictedTokensReached"
        if limit < len(words) and prompt_tokens + limit >= self._context.room:
            stop = "contextLengthReached"
        yield Finished(
            Stats(
                stop_reason=stop,
                prompt_tokens=prompt_tokens,
                predicted_tokens=said,
                reasoning_tokens=len(thought),
                tokens_per_second=self._timings.tokens_per_s,
                ttft_s=self._timings.ttft_s,
                total_s=round(time.monotonic() - started, 4),
                gpu_layers=-1,
            )
        )

    async def embed(self, inputs: list[str]) -> Embeddings:
        """Unit vectors, the same for the same text."""
        await self._rest(self._timings.ttft_s)
        return Embeddings([unit_vector(text) for text in inputs], sum(len(script.tokens(text)) for text in inputs))

    async def exited(self) -> int | None:
        """Ends only by `close`."""
        await self._closed.wait()
        return 0

    async def close(self) -> None:
        """End it; open generations hear RunnerGone at their next word."""
        self._closed.set()

    async def _rest(self, seconds: float) -> None:
        if self._closed.is_set():
            raise RunnerGone("Model was unloaded.")
        try:
            await asyncio.wait_for(self._closed.wait(), max(seconds, 0))
        except TimeoutError:
            return
        raise RunnerGone("Model was unloaded.")

    async def _paced(self, piece: Text, *, started: float, number: int) -> Text:
        """`piece`, once its turn has come at the scripted speed."""
        await self._rest(started + number / self._timings.tokens_per_s - time.monotonic())
        if number > 2 and self._faults.take("mid_stream_error"):
            raise EngineError("The model has crashed without additional information. (Exit code: 18446744072635812000)")
        return piece

    def _fit(self, request: GenerateRequest) -> tuple[GenerateRequest, int]:
        """The request as the model reads it, and its tokens. Raises EngineError, in LM Studio's words, if they do not
        fit."""
        if self._context.meet_prompt():
            for line in drifted(self._model, self._context):
                self._log(RuntimeLine(line))
        count, room = len(script.tokens(script.format_prompt(request))), self._context.room
        if self._context.cuts and count > self._context.usable:
            request = script.without_middle(request, count - self._context.usable)
            count = len(script.tokens(script.format_prompt(request)))
        if count >= room:
            raise EngineError(
                "The number of tokens to keep from the initial prompt is greater than the context length "
                f"(n_keep: {count} >= n_ctx: {room}). Try to load the model with a larger context length, or provide a "
                "shorter input.",
                "invalid_request",
            )
        return request, count

    def _limit(self, request: GenerateRequest, prompt_tokens: int) -> int:
        wanted = request.options.get("max_tokens")
        room = self._context.room - prompt_tokens
        return min(wanted, room) if isinstance(wanted, int) and wanted > 0 else room

    def _reasons(self, request: GenerateRequest) -> bool:
        setting = request.options.get("reasoning") or self._model.reasoning_default
        return bool(self._model.reasoning) and setting != "off"


class ScriptedEngine:
    """The seven models of the machine lmdeck was first asked for, in no memory at all."""

    name = "llama.cpp-win-x86_64-nvidia-cuda12-avx2"
    version = "2.3.0"

    def __init__(self, faults: Faults, timings: Timings) -> None:
        self.faults, self.timings = faults, timings

    models_folder = None

    async def catalogue(self) -> tuple[CatalogModel, ...]:
        """The seven."""
        return SEVEN

    async def load(
        self,
        model: CatalogModel,
        options: LoadOptions,
        *,
        progress: Callable[[float], None],
        log: Callable[[RuntimeLine], None],
    ) -> ScriptedRunner:
        """Ten steps of progress, runtime lines as llama.cpp writes them, and the load faults."""
        for line in opening(model):
            log(RuntimeLine(line))
        self._fail(model, options, log)
        context = arrange(options.context_length, model.max_context_length, self.faults)
        for tenth in range(1, 11):
            await asyncio.sleep(self.timings.load_s / 10)
            progress(tenth / 10)
        for line in loading(model, options, context):
            log(RuntimeLine(line))
        return ScriptedRunner(model, context, self.timings, self.faults, log)

    def _fail(self, model: CatalogModel, options: LoadOptions, log: Callable[[RuntimeLine], None]) -> None:
        if self.faults.take("load_fail"):
            raise EngineError(GUARDRAIL.format(size=model.memory(options.context_length) / 1e9))
        if self.faults.take("load_fail_generic"):
            log(RuntimeLine("ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory", "error"))
            log(RuntimeLine("llama_init_from_model: failed to initialize the context", "error"))
            raise EngineError("The model has crashed without additional information. (Exit code: 18446744072635812000)")


def parse_timings(text: str, into: Timings) -> None:
    """Set timings from `load=0.3,ttft=0.1,rate=50`. Raises ValueError for anything else."""
    names = {"load": "load_s", "ttft": "ttft_s", "rate": "tokens_per_s"}
    for name, value in re.findall(r"([^=,]+)=([^,]*)", text):
        if name not in names or float(value) < 0 or (name == "rate" and float(value) == 0):
            raise ValueError(f"timings are load=SECONDS,ttft=SECONDS,rate=TOKENS_PER_SECOND, not {text!r}")
        setattr(into, names[name], float(value))
