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

from lmdeck.demo import gguf
from lmdeck.demo.catalog import CatalogModel
from lmdeck.demo.engines.base import EngineError, LoadOptions, RuntimeLine
from lmdeck.demo.engines.llama_runner import LlamaRunner
from lmdeck.demo.fields import Json

LEVELS = {"I": "info", "W": "warn", "E": "error", "D": "debug"}
MAX_LINE = 2**20


class LlamaEngine:
    """One GGUF file, offered as a chat model and as an embedding model. Raises GgufError, OSError for a bad file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        system = {"darwin": "mac", "win32": "win"}.get(sys.platform, sys.platform)
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        device = "apple-metal" if (system, machine) == ("mac", "arm64") else "cpu"
        self.name = f"llama.cpp-{system}-{machine}-{device}"
        self.version = importlib.metadata.version("xllamacpp")

    async def catalogue(self) -> tuple[CatalogModel, ...]:
        """The file, twice, as its header describes it."""
        header = await asyncio.to_thread(gguf.read, self._file)
        return describe(self._file, header)

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
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "lmdeck.demo.engines.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=MAX_LINE,
            env=os.environ | {"GGML_NO_BACKTRACE": "1"},  # a failed assertion ends the child; no debugger is called
        )
        last = deque[RuntimeLine](maxlen=200)
        runner = LlamaRunner(process, key, model, asyncio.create_task(_read_log(process, log, last)))
        try:
            runner.url = await _start(process, _settings(self._file, model, options, key))
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


def describe(file: Path, header: gguf.Gguf) -> tuple[CatalogModel, ...]:
    """The chat and the embedding model that one GGUF file makes."""
    stem = re.sub(r"[-.](?:I?Q\d\w*|B?F16|F32|MXFP4)$", "", file.stem, flags=re.IGNORECASE)
    slug = re.sub(r"[^a-z0-9.]+", "-", stem.lower()).strip("-")
    publisher = header.text("general.organization") or "local"
    name = stem.replace("-", " ").replace("_", " ")
    chat = CatalogModel(
        key=slug,
        display_name=name,
        publisher=publisher,
        architecture=header.architecture,
        quantization=header.quantization,
        size_bytes=file.stat().st_size,
        max_context_length=header.number("context_length") or 2048,
        path=f"{publisher}/{stem}-GGUF/{file.name}",
        params=_params(header.parameters),
        tools="tools" in (header.text("tokenizer.chat_template") or ""),
        kv_bytes_per_token=header.kv_bytes_per_token,
        layers=header.number("block_count") or 0,
    )
    twin = f"text-embedding-{slug.removesuffix('-instruct')}"
    return chat, replace(chat, key=twin, display_name=f"{name} (embedding)", embedding=True, tools=False)


def _params(count: int) -> str:
    """`135M`, `1.5B`."""
    return f"{count / 1e9:.3g}B" if count >= 1e9 else f"{count / 1e6:.0f}M"
