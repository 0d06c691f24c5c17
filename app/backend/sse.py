"""Server-Sent Events, decoded as bytes arrive. No I/O here: bytes in, events out.

Follows the event stream grammar of the HTML standard; `id` and `retry` are ignored, as nothing here reconnects.
"""

import re
from dataclasses import dataclass

from lmdeck.backend.errors import BadReply

MAX_EVENT = 32 * 2**20

_END_OF_LINE = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class SSEEvent:
    """One event: its name (`message` when the server gave none) and its data lines joined by newlines."""

    event: str
    data: str


class SSEDecoder:
    """Push decoder: the events are the same wherever the bytes are split.

    An event larger than `max_event` bytes raises BadReply. An event that is not closed by a blank line does not
    count, as the standard says.
    """

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        self._max_event = max_event
        self._line = bytearray()
        self._after_cr = False
        self._at_start = True
        self._event = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[SSEEvent]:
        """The events that `chunk` completes."""
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        events = []
        first, *more = _END_OF_LINE.split(chunk)
        self._line += first
        for piece in more:
            line = bytes(self._line)
            self._line[:] = piece
            if (event := self._take(line)) is not None:
                events.append(event)
        self._check_size()
        return events

    def _check_size(self) -> None:
        if self._size + len(self._line) > self._max_event:
            raise BadReply(f"one event of the stream is larger than {self._max_event} bytes")

    def _take(self, line: bytes) -> SSEEvent | None:
        """Handle one line; answers the event it closes."""
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            return self._close_event()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(value) + 1
            self._check_size()
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        return None

    def _close_event(self) -> SSEEvent | None:
        event, data = self._event, self._data
        self._event, self._data, self._size = "", [], 0
        if not data:
            return None
        return SSEEvent(event or "message", b"\n".join(data).decode("utf-8", "replace"))
