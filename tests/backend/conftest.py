"""A loopback server that speaks raw bytes, and a fake `lms` written as a Python script."""

import asyncio
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(handler: Handler, until: bytes = b"\r\n\r\n") -> AsyncIterator[str]:
    """The URL of a server that reads a request's head (up to `until`) and then does what `handler` says."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(until)
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until `condition` holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.01)


@pytest.fixture
def fake_lms(tmp_path: Path) -> Callable[[str], str]:
    """Makes an executable `lms` that runs the given Python code, with `sys`, `os`, `time`, `json` and `args` there and
    `here` as its folder."""

    def make(code: str) -> str:
        script = tmp_path / "lms.py"
        head = f"import json, os, pathlib, sys, time\nargs = sys.argv[1:]\nhere = pathlib.Path({str(tmp_path)!r})\n"
        script.write_text(head + code)
        launcher = tmp_path / "lms"
        # No exec: like a .cmd file on Windows, the launcher stays and the real program is its child.
        launcher.write_text(f'#!/bin/sh\n{sys.executable} -S -E {script} "$@"\nexit $?\n')
        launcher.chmod(launcher.stat().st_mode | stat.S_IXUSR)
        return str(launcher)

    return make
