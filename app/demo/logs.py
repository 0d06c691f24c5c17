"""The three log sources of `lms log stream`: what happens is told once, to whoever listens at that moment."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

from lmdeck.demo.fields import Json

SOURCES: Final = ("model", "server", "runtime")
BUFFER = 20_000
BUFFER_BYTES = 64 * 2**20
"""Events and bytes kept for a listener that reads slowly; the oldest go beyond that, and their number is told."""


class LogListener:
    """One listener of one source, with a bounded buffer."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._bytes = self._dropped = 0
        self._ready = asyncio.Event()
        self._closed = False

    def put(self, line: bytes) -> None:
        """Append a line; drops the oldest when full."""
        self._lines.append(line)
        self._bytes += len(line)
        while len(self._lines) > BUFFER or self._bytes > BUFFER_BYTES:
            self._bytes -= len(self._lines.popleft())
            self._dropped += 1
        self._ready.set()

    def close(self) -> None:
        """End the iteration after what is buffered."""
        self._closed = True
        self._ready.set()

    async def batches(self) -> AsyncIterator[bytes]:
        """Whole lines, as many as have come."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            if self._dropped:
                note: Json = {"type": "server.log", "level": "warn", "content": f"{self._dropped} log events dropped"}
                self._dropped = 0
                yield event_line(note)
            if self._lines:
                batch = b"".join(self._lines)
                self._lines.clear()
                self._bytes = 0
                yield batch
            if self._closed:
                return


def event_line(data: Json) -> bytes:
    """One event as `lms log stream --json` prints it; `timestamp` in Unix milliseconds."""
    event = {"timestamp": round(time.time() * 1000), "data": data}
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


class LogHub:
    """Sends every event to the listeners of its source; costs nothing without listeners."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[LogListener]] = {source: set() for source in SOURCES}
        self._closed = False

    @contextmanager
    def listen(self, source: str) -> Iterator[LogListener]:
        """A listener of `source` while the block runs."""
        listener = LogListener()
        if self._closed:
            listener.close()
        self._listeners[source].add(listener)
        try:
            yield listener
        finally:
            self._listeners[source].discard(listener)

    def close(self) -> None:
        """End all listeners, now and later."""
        self._closed = True
        self.drop()

    def drop(self) -> None:
        """End the listeners of this moment, as when the connection breaks."""
        for listener in [each for group in self._listeners.values() for each in group]:
            listener.close()

    def heard(self, source: str) -> bool:
        """Whether anybody listens: what is costly to tell need not be told to nobody."""
        return bool(self._listeners[source])

    def emit(self, source: str, data: Json) -> None:
        """Tell one event."""
        if listeners := self._listeners[source]:
            self.raw(source, event_line(data), listeners)

    def raw(self, source: str, line: bytes, listeners: set[LogListener] | None = None) -> None:
        """Send a line as it is, event or not."""
        for listener in self._listeners[source] if listeners is None else listeners:
            listener.put(line)

    def server(self, message: str, *, level: str = "INFO", tag: str = "") -> None:
        """A line of the HTTP server's log, as LM Studio writes it: `[2026-04-17 18:32:17][DEBUG] …`."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        head = f"[{stamp}][{level}]{f'[{tag}]' if tag else ''}"
        self.emit("server", {"type": "server.log", "content": f"{head} {message}", "level": level.lower()})

    def runtime(self, message: str, level: str, about: Json, pid: int | None) -> None:
        """A line of the engine's own log; `about` names the engine and the instance."""
        event: Json = {"type": "runtime.log", "level": level, "message": message, **about}
        self.emit("runtime", event if pid is None else {**event, "pid": pid})
