"""The demo server as a child process of the deck: started, owned and ended here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from lmdeck.backend.errors import CommandFailed

STOP_TIMEOUT_S = 8.0

_NEW_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows only


@dataclass(frozen=True, slots=True)
class DemoEndpoint:
    """Where the server listens, what it accepts, the path of its `lms`, its process, and its models folder (None: the
    scripted engine has no files)."""

    url: str
    token: str = field(repr=False)
    lms: str
    pid: int
    models: str | None = None


class DemoServer:
    """One `python -m lmdeck.demo` process. It ends with `close`, and by itself when this process dies.

    `engine` is `llama` or `scripted`; `model` a GGUF file for the first; `options` further arguments of
    `lmdeck demo-server` such as `("--fault", "html")`.
    """

    def __init__(
        self,
        engine: str = "llama",
        *,
        model: Path | None = None,
        port: int = 0,
        options: tuple[str, ...] = (),
        timeout_s: float = 60.0,
    ) -> None:
        self._arguments = ["--engine", engine, "--port", str(port), "--parent-stdin", *options]
        if model is not None:
            self._arguments += ["--model", str(model)]
        self._timeout_s = timeout_s
        self._process: asyncio.subprocess.Process | None = None
        self._stderr: deque[str] = deque(maxlen=20)
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> DemoEndpoint:
        """Start it and wait until it answers. Raises CommandFailed with the end of its stderr."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "lmdeck.demo",
            *self._arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if name != "LM_API_TOKEN"},
            # Ctrl+C in the terminal is the deck's business: the server hears of its end by its stdin.
            start_new_session=sys.platform != "win32",
            creationflags=_NEW_GROUP,
        )
        self._reader = asyncio.create_task(self._read_stderr())
        try:
            return await asyncio.wait_for(self._ready(), self._timeout_s)
        except TimeoutError as error:
            await self.close()
            raise self._failed(f"not ready within {self._timeout_s:g} s") from error
        except BaseException:
            await self.close()
            raise

    async def _ready(self) -> DemoEndpoint:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            await self._process.wait()
            assert self._reader is not None
            await self._reader
            raise self._failed(f"exit code {self._process.returncode}")
        try:
            said = json.loads(line)
            folder = said.get("models")
            models = None if folder is None else str(folder)
            return DemoEndpoint(str(said["url"]), str(said["token"]), str(said["lms"]), self._process.pid, models)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._failed("it said something else than its address") from error

    def _failed(self, reason: str) -> CommandFailed:
        return CommandFailed("\n".join(self._stderr) or reason, title="demo server failed")

    async def _read_stderr(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        with contextlib.suppress(ValueError):  # a line beyond the reader's limit
            async for line in self._process.stderr:
                self._stderr.append(line.decode("utf-8", "replace").rstrip())

    async def close(self) -> None:
        """End it: closing its stdin asks, and after a while it is killed. Returns when it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if process.stdout is not None:
            await process.stdout.read()  # to its end, so that the pipe is closed with the process
        if self._reader is not None:
            await self._reader
