"""The real engine: llama.cpp, one child process for each loaded model (worker.py), spoken to over its HTTP port."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import platform
import re
import secrets
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lmdeck.demo.catalog import CatalogModel
from lmdeck.demo.engines.base import EngineError, LoadOptions, RuntimeLine
from lmdeck.demo.engines.context import REAL_FAULTS, arrange
from lmdeck.demo.engines.gguf_model import describe
from lmdeck.demo.engines.llama_runner import LlamaRunner
from lmdeck.demo.engines.shelf import shelve
from lmdeck.demo.faults import Faults
from lmdeck.demo.fields import Json
from lmdeck.estimate.gguf import read_header

LEVELS = {"I": "info", "W": "warn", "E": "error", "D": "debug"}
MAX_LINE = 2**20


class LlamaEngine:
    """One GGUF file, offered as a chat model and as an embedding model, and found below `folder` as LM Studio's models
    are below theirs. The catalogue raises NotGGUF, OSError for a bad file."""

    def __init__(self, file: Path, folder: Path, faults: Faults) -> None:
        self._file, self._folder, self._faults = file, folder, faults
        self.models_folder: Path | None = None
        system = {"darwin": "mac", "win32": "win"}.get(sys.platform, sys.platform)
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        device = "apple-metal" if (system, machine) == ("mac", "arm64") else "cpu"
        self.name = f"llama.cpp-{system}-{machine}-{device}"
        self.version = importlib.metadata.version("xllamacpp")

    async def catalogue(self) -> tuple[CatalogModel, ...]:
        """The file, twice, as its header describes it."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> tuple[CatalogModel, ...]:
        models = describe(self._file, read_header(self._file))
        self.models_folder, path = shelve(self._file, self._folder, models[0].path)
        self._file = self.models_folder / path
        return tuple(replace(model, path=path) for model in models)

    async def load(
        self,
        model: CatalogModel,
        options: LoadOptions,
        *,
        progress: Callable[[float], None],
        log: Callable[[RuntimeLine], None],
    ) -> LlamaRunner:
        """Start a worker and wait until the model is in its memory. llama.cpp tells no progress, so none is told."""
        key = secrets.token_urlsafe(24)
        context = arrange(options.context_length, model.max_context_length, self._faults, REAL_FAULTS)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "lmdeck.demo.engines.worker",
            "--model",  # for who looks at the process table: the settings go to its stdin
            str(self._file),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=MAX_LINE,
            env=os.environ | {"GGML_NO_BACKTRACE": "1"},  # a failed assertion ends the child; no debugger is called
        )
        allocated = replace(options, context_length=context.allocated)
        last = deque[RuntimeLine](maxlen=200)
        runner = LlamaRunner(process, key, context.reported, asyncio.create_task(_read_log(process, log, last)))
        try:
            runner.url = await _start(process, _settings(self._file, model, allocated, key))
        except BaseException:
            process.kill()  # it does not hear its stdin while it loads
            await runner.close()
            raise
        if runner.url is None:
            await runner.close()
            raise EngineError(_reason(list(last)))
        return runner


async def _start(process: asyncio.subprocess.Process, settings: Json) -> str | None:
    """Hand over the settings; the worker's URL once it has loaded, None if it ended instead."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(settings).encode() + b"\n")
    line = await process.stdout.readline()
    return str(json.loads(line)["url"]) if line else None


def _settings(file: Path, model: CatalogModel, options: LoadOptions, key: str) -> Json:
    # An embedding needs its whole input in one physical batch.
    batch = options.context_length if model.embedding else options.eval_batch_size
    return {
        "path": str(file),
        "alias": model.key,
        "n_ctx": options.context_length,
        "n_parallel": options.parallel,
        "n_batch": batch,
        "n_ubatch": batch if model.embedding else min(512, batch),
        "n_gpu_layers": round(options.gpu * (model.layers + 1)),
        "no_kv_offload": not options.offload_kv_cache_to_gpu,
        "flash_attention": options.flash_attention,
        "embedding": model.embedding,
        "api_key": key,
    }


async def _read_log(
    process: asyncio.subprocess.Process, log: Callable[[RuntimeLine], None], last: deque[RuntimeLine]
) -> None:
    """The child's stderr, line by line, until it ends. A continuation line has the level of the line before it."""
    assert process.stderr is not None
    level = "info"
    while True:
        try:
            raw = await process.stderr.readline()
        except ValueError:  # longer than MAX_LINE; asyncio has dropped it
            continue
        if not raw:
            return
        text = raw.decode("utf-8", "replace").rstrip("\r\n")
        if found := re.match(r"[\d.]+ ([IWED]) ", text):
            level = LEVELS[found[1]]
        line = RuntimeLine(text, level, process.pid)
        last.append(line)
        log(line)


def _reason(lines: list[RuntimeLine]) -> str:
    """Why a load failed: llama.cpp's first error, which is the cause of the ones after it."""
    errors = [re.sub(r"^[\d.]+ E +", "", line.text) for line in lines if line.level == "error"]
    cause = next((text for text in errors if "error loading model: " in text), errors[0] if errors else "")
    if not cause:
        return "the engine's process ended: " + (lines[-1].text if lines else "it said nothing")
    return cause.rpartition("error loading model: ")[2]
