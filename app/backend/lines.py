"""Lines out of bytes, as they arrive and without I/O; asyncio's own reader gives up at 64 KiB."""

from typing import NamedTuple

MAX_LINE = 16 * 2**20


class Line(NamedTuple):
    """One line without its end; `cut` when it was longer than the limit and lost its rest."""

    raw: bytes
    cut: bool = False


class LineSplitter:
    """Push splitter at `\\n`: lines of any length up to `max_line` bytes, in linear time; the rest of a longer
    one is dropped."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._open = bytearray()
        self._cut = False

    def feed(self, chunk: bytes) -> list[Line]:
        """The lines that `chunk` completes."""
        first, *more = chunk.split(b"\n")
        self._append(first)
        if not more:
            return []
        last = more.pop()
        limit = self._max_line
        whole = [Line(piece) if len(piece) <= limit else Line(piece[:limit], True) for piece in more]
        lines = [self._take(), *whole]
        self._append(last)
        return lines

    def close(self) -> list[Line]:
        """What is left when the stream has ended: at most one line."""
        return [self._take()] if self._open else []

    def _append(self, piece: bytes) -> None:
        room = self._max_line - len(self._open)
        self._cut = self._cut or len(piece) > room
        self._open += piece[:room] if len(piece) > room else piece

    def _take(self) -> Line:
        line = Line(bytes(self._open), self._cut)
        self._open.clear()
        self._cut = False
        return line
