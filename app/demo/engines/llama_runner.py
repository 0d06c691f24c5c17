"""One loaded llama.cpp worker: its HTTP port as a `Runner`."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx

from lmdeck.demo.engines.base import (
    Embeddings,
    EngineError,
    Finished,
    GenerateRequest,
    Piece,
    PromptProgress,
    RunnerGone,
    Stats,
    Text,
)
from lmdeck.demo.fields import Json, obj

KILL_AFTER_S = 3.0


class LlamaRunner:
    """A worker process and the connection to its llama-server. `url` is set once it has loaded."""

    url: str | None = None

    def __init__(
        self, process: asyncio.subprocess.Process, api_key: str, reported_context: int, reader: asyncio.Task[None]
    ) -> None:
        self._process, self.api_key, self._reader = process, api_key, reader
        self.reported_context = reported_context
        self._closed = False
        self._http: httpx.AsyncClient | None = None

    @property
    def pid(self) -> int | None:
        """The worker."""
        return self._process.pid

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = httpx.AsyncClient(
                base_url=self.url or "",
                headers={"authorization": f"Bearer {self.api_key}"},
                timeout=httpx.Timeout(None, connect=5),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),  # llama-server closes them
                trust_env=False,
            )
        return self._http

    async def format(self, request: GenerateRequest) -> str:
        """The prompt after llama-server's own chat template."""
        if request.prompt is not None:
            return request.prompt
        answer = await self._post("/apply-template", {"messages": list(request.messages)})
        return str(answer.get("prompt", ""))

    async def embed(self, inputs: list[str]) -> Embeddings:
        """Vectors from a worker that was loaded as an embedding model."""
        answer = await self._post("/v1/embeddings", {"input": inputs})
        rows = answer.get("data")
        vectors = [obj(row).get("embedding") for row in rows] if isinstance(rows, list) else []
        tokens = obj(answer.get("usage")).get("prompt_tokens")
        return Embeddings([v for v in vectors if isinstance(v, list)], tokens if isinstance(tokens, int) else 0)

    async def _post(self, path: str, body: Json) -> Json:
        try:
            response = await self._client().post(path, json=body)
        except httpx.HTTPError as error:
            raise await self._broken() from error
        if response.status_code != 200:
            raise _refusal(response.content)
        return obj(response.json())

    async def generate(self, request: GenerateRequest) -> AsyncIterator[Piece]:
        """Stream a generation; leaving it closes the connection, which makes llama-server stop."""
        if request.integrations:
            raise EngineError("This server has no plugins and connects to no MCP server.", "plugin_connection_error")
        body: Json = {
            **{name: value for name, value in request.options.items() if name != "reasoning"},
            "stream": True,
            "stream_options": {"include_usage": True},
            "return_progress": True,
        }
        if request.prompt is None:
            path, body["messages"] = "/v1/chat/completions", list(request.messages)
        else:
            path, body["prompt"] = "/v1/completions", request.prompt
        state = _Stream(request)
        try:
            async with self._client().stream("POST", path, json=body) as response:
                if response.status_code != 200:
                    raise _refusal(await response.aread())
                async for line in response.aiter_lines():
                    if line.startswith("data: {"):
                        for piece in state.pieces(obj(json.loads(line[6:]))):
                            yield piece
        except httpx.HTTPError as error:
            raise await self._broken() from error
        if not state.whole:
            raise await self._broken()
        yield Finished(state.stats())

    async def _broken(self) -> EngineError:
        """Why the connection to the worker broke."""
        if self._closed:
            return RunnerGone("Model was unloaded.")
        try:
            code = await asyncio.wait_for(self._process.wait(), 0.5)
        except TimeoutError:
            return EngineError("The engine broke off its answer; see the runtime log.")
        return EngineError(f"The model has crashed without additional information. (Exit code: {code})")

    async def exited(self) -> int | None:
        """Wait for the worker's end."""
        return await self._process.wait()

    async def close(self) -> None:
        """End the worker: its stdin is closed, and it is killed if that is not enough."""
        self._closed = True
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), KILL_AFTER_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        if self._process.stdout is not None:
            await self._process.stdout.read()  # to its end, so that the pipe is closed with the process
        if self._http is not None:
            await self._http.aclose()
        await self._reader


@dataclass(slots=True)
class _Stream:
    """What the chunks of one streamed answer add up to."""

    request: GenerateRequest
    finish: str | None = None
    usage: Json = field(default_factory=dict)
    timings: Json = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether the end has been seen."""
        return self.finish is not None

    def pieces(self, chunk: Json) -> Iterator[Piece]:
        """The pieces in one chunk. Raises EngineError for an error chunk."""
        if "error" in chunk:
            raise _refusal(json.dumps(chunk).encode())
        self.usage = obj(chunk.get("usage")) or self.usage
        self.timings = obj(chunk.get("timings")) or self.timings
        progress = obj(chunk.get("prompt_progress"))
        total, done = progress.get("total"), progress.get("processed")
        if isinstance(total, int) and isinstance(done, int) and total > 0:
            yield PromptProgress(min(1.0, done / total))
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            delta = obj(choice.get("delta"))
            if isinstance(thought := delta.get("reasoning_content"), str) and thought:
                yield Text(thought, reasoning=True)
            if isinstance(said := delta.get("content", choice.get("text")), str) and said:
                yield Text(said)
            if isinstance(finish := choice.get("finish_reason"), str):
                self.finish = finish

    def stats(self) -> Stats:
        """llama.cpp's own measurements. The time to the first token is the prompt's evaluation."""
        prompt_ms, predicted_ms = _number(self.timings, "prompt_ms"), _number(self.timings, "predicted_ms")
        predicted = _count(self.timings, "predicted_n")
        return Stats(
            stop_reason=self._reason(predicted or 0),
            prompt_tokens=_count(self.usage, "prompt_tokens"),
            predicted_tokens=predicted,
            tokens_per_second=_number(self.timings, "predicted_per_second"),
            ttft_s=None if prompt_ms is None else prompt_ms / 1000,
            total_s=None if prompt_ms is None or predicted_ms is None else (prompt_ms + predicted_ms) / 1000,
            gpu_layers=0,
        )

    def _reason(self, predicted: int) -> str:
        if self.finish == "length":
            limit = self.request.options.get("max_tokens")
            reached = isinstance(limit, int) and predicted >= limit
            return "maxPredictedTokensReached" if reached else "contextLengthReached"
        return "toolCalls" if self.finish == "tool_calls" else "eosFound"


def _number(record: Json, name: str) -> float | None:
    value = record.get(name)
    return float(value) if isinstance(value, int | float) else None


def _count(record: Json, name: str) -> int | None:
    value = record.get(name)
    return value if isinstance(value, int) else None


def _refusal(raw: bytes) -> EngineError:
    """llama-server's error answer, `{"error": {"code", "message", "type"}}`."""
    try:
        error = obj(obj(json.loads(raw)).get("error", json.loads(raw)))
    except ValueError:
        error = {}
    code = error.get("code")
    kind = "invalid_request" if isinstance(code, int) and 400 <= code < 500 else "internal_error"
    return EngineError(str(error.get("message", "the engine refused the request")), kind)
