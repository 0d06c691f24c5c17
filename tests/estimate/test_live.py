"""The estimate against llama.cpp itself: the demo server's engine loads SmolLM2, and its own log tells what it took."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from lmdeck.backend.lms import Lms
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.config.token import Token
from lmdeck.demo.launch import DemoEndpoint
from lmdeck.estimate.forecast import forecast
from lmdeck.model.catalog import Model
from lmdeck.model.load import LoadRequest
from lmdeck.model.outlook import Question, Room

KEY = "smollm2-135m-instruct"
MIB = 2**20
CPU_ONLY = Room(ram_free=2**36, ram_total=2**36)
NEWEST = 11549
_LINES = {
    "n_ctx": re.compile(r"llama_context: n_ctx +(?:= )?(\d+)"),
    "n_ctx_seq": re.compile(r"llama_context: n_ctx_seq +(?:= )?(\d+)"),
    "kv": re.compile(r"llama_kv_cache: size = +([\d.]+) MiB"),
    "weights": re.compile(r"load_tensors: .* model buffer size = +([\d.]+) MiB"),
    "output": re.compile(r"llama_context: .* output buffer size = +([\d.]+) MiB"),
    "compute": re.compile(r"sched_reserve: .* compute buffer size = +([\d.]+) MiB"),
}


class RuntimeLog:
    """The runtime's log lines, as `lms log stream` gets them."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def allocated(self) -> dict[str, float]:
        """What the next load's lines tell, MiB and tokens, once all of it is there."""
        found: dict[str, float] = {}
        while _LINES.keys() - found.keys():
            message = json.loads(await asyncio.wait_for(anext(self._lines), 20))["data"]["message"]
            for name, pattern in _LINES.items():
                if match := pattern.search(message):
                    found[name] = float(match[1])
        return found


@asynccontextmanager
async def runtime_log(server: DemoEndpoint) -> AsyncIterator[RuntimeLog]:
    headers = {"authorization": f"Bearer {server.token}"}
    async with (
        httpx.AsyncClient(base_url=server.url, headers=headers, timeout=20, trust_env=False) as client,
        client.stream("GET", "/demo/logs?source=runtime") as response,
    ):
        lines = response.aiter_lines()
        assert await anext(lines) == ""  # it listens from here on
        yield RuntimeLog(lines)


BY_HTTP = ({"context_length": 5000, "eval_batch_size": 128}, {"context_length": 8192})
BY_LMS = ({"context_length": 2048, "parallel": 1}, {"context_length": 8192, "parallel": 7})


async def test_what_llama_cpp_takes_is_what_was_predicted(llama_server: DemoEndpoint, smollm2_file: Path) -> None:
    token = Token(llama_server.token)
    backend, lms = LMStudio(llama_server.url, token), Lms(llama_server.lms, token=token)
    try:
        async with runtime_log(llama_server) as log:
            for load, kinds in ((backend.load, BY_HTTP), (lms.load, BY_LMS)):
                for settings in kinds:
                    request = LoadRequest(KEY, **settings)
                    loaded, allocated = await asyncio.gather(load(request), log.allocated())
                    await backend.unload(loaded.instance_id)
                    _compare(request, allocated, smollm2_file)
    finally:
        await lms.close()
        await backend.close()


def _compare(request: LoadRequest, allocated: dict[str, float], file: Path) -> None:
    model = Model(KEY, size_bytes=file.stat().st_size, max_context_length=8192, format="gguf")
    question = Question(model, request, CPU_ONLY, file, llama_build=NEWEST)
    parts = forecast(question, search=False).parts
    assert parts is not None
    assert (parts.n_ctx, parts.n_ctx_seq) == (allocated["n_ctx"], allocated["n_ctx_seq"])
    assert parts.kv_bytes / MIB == pytest.approx(allocated["kv"], abs=0.006)
    assert parts.weights_bytes / MIB == pytest.approx(allocated["weights"], abs=0.006)
    assert parts.output_bytes / MIB == pytest.approx(allocated["output"], abs=0.006)
    for build in (NEWEST, None):  # a build that nobody told widens the range
        told = forecast(replace(question, llama_build=build), search=False).parts
        assert told is not None
        low, high = told.compute_range_bytes
        assert low / MIB - 0.01 <= allocated["compute"] <= high / MIB + 0.01
    assert parts.compute_bytes / MIB == pytest.approx(allocated["compute"], rel=0.02)
