"""One deck behind one page: a process of its own, that ends with the page."""

import asyncio
import os
import re
import shlex
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from aiohttp import WSMessage, WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from lmdeck.backend.decode import count, fields, items, parse, text

DRIVER: Final = "lmdeck.web.driver:PageDriver"
_GRACE_S = 10.0
"""What a deck may take to end in order (seconds)."""
_LARGEST = 1000
"""Columns or rows of a page at most."""


class Deck(AppService):
    """Textual's protocol between a page's socket and the deck that `arguments` start.

    `serve` is all of its life. `end` may be called at any time, from elsewhere too.
    """

    def __init__(self, arguments: Sequence[str], socket: web.WebSocketResponse) -> None:
        async def close() -> None:
            await socket.close()

        super().__init__(
            shlex.join(arguments),
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=close,
            download_manager=DownloadManager(),
        )
        self._arguments, self._socket = arguments, socket

    async def serve(self, width: str, height: str) -> None:
        """Run the deck in a terminal of this size until the page or the deck ends."""
        try:
            await self.start(_cells(width, 80), _cells(height, 24))
            with suppress(ConnectionResetError):  # it left while it was answered
                async for message in self._socket:
                    await self._hear(message)
        finally:
            await self.end()

    async def run(self) -> None:
        """Carry what the deck writes; a deck that has ended ends its page."""
        try:
            await super().run()
        finally:
            await self.remote_close()

    async def end(self) -> None:
        """Ask the deck to end, wait for it, and kill it and its process group if it stays."""
        process = self._process
        if process is None:
            return
        ending = asyncio.create_task(self._end_in_order(process))
        try:
            # No timeout that cancels: textual-serve swallows that.
            await asyncio.wait((ending,), timeout=_GRACE_S)
        finally:
            _kill(process)
        await ending

    async def _end_in_order(self, process: Process) -> None:
        await self.stop()
        await process.wait()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        # No shell, and a group of its own: Ctrl+C in the server's terminal is for the server alone.
        environment = self._build_environment(width=width, height=height) | {"TEXTUAL_DRIVER": DRIVER}
        self._process = process = await asyncio.create_subprocess_exec(
            *self._arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment, start_new_session=True
        )
        self._stdin = process.stdin
        return process

    async def _hear(self, message: WSMessage) -> None:
        """Pass on what the page says; what is no message of its terminal is ignored."""
        if message.type is not WSMsgType.TEXT:
            return
        try:
            kind, *values = items(parse(message.data)) or [None]
        except ValueError:
            return
        value = values[0] if values else None
        if kind == "stdin":
            await self.send_bytes((text(value) or "").encode(errors="replace"))
        elif kind == "resize":
            size = fields(value)
            await self.set_terminal_size(_cells(size.get("width"), 80), _cells(size.get("height"), 24))
        elif kind == "ping":
            await self._socket.send_json(["pong", value])
        elif kind == "blur":
            await self.blur()
        elif kind == "focus":
            await self.focus()


def _cells(value: object, default: int) -> int:
    if isinstance(value, str):
        value = int(value) if re.fullmatch(r"[0-9]{1,6}", value) else None
    cells = count(value)
    return min(max(cells or default, 1), _LARGEST)


def _kill(process: Process) -> None:
    """End the deck and what is in its group, at once; what has ended already is left alone."""
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
