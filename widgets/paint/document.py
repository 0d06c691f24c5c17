"""A text that grows at its end, as rows of a width."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from lmdeck.widgets.paint.blocks import Block, BlockSplitter, LineSplitter
from lmdeck.widgets.paint.code import PIECE, CodeBlock
from lmdeck.widgets.paint.flow import Flow, Row
from lmdeck.widgets.paint.markdown import Reading, read, read_plain


class _Splitter(Protocol):
    @property
    def open(self) -> Block: ...

    @property
    def in_fence(self) -> bool: ...

    def feed(self, text: str) -> list[Block]: ...

    def finish(self) -> list[Block]: ...


class _Closed(NamedTuple):
    reading: Reading
    joined: bool


class Document:
    """Markdown, or plain text. What has ended is read and wrapped once for a width; a drawing costs what still grows.

    The rows of a text do not depend on the pieces in which it came.
    """

    def __init__(self, *, markdown: bool = True) -> None:
        self._splitter: _Splitter = BlockSplitter() if markdown else LineSplitter()
        self._read: Callable[[str], Reading] = read if markdown else read_plain
        self._closed: list[_Closed] = []
        self._fed = False
        self._flow = Flow(0)
        self._drawn = 0
        self._kept = self._settled = _Size(0, 0)
        self._code_lines = 0

    @property
    def cells(self) -> int:
        """The width that the rows were drawn for, 0 before the first drawing."""
        return self._flow.cells

    @property
    def rows(self) -> Sequence[Row]:
        """The rows as they were drawn last."""
        return self._flow.rows

    @property
    def lines(self) -> Sequence[str]:
        """The lines that the rows show, as they are copied."""
        return self._flow.lines

    @property
    def code_blocks(self) -> tuple[CodeBlock, ...]:
        """All code blocks so far, the one that grows included."""
        closed = [code for block in self._closed for code in block.reading.codes]
        return (*closed, *self._read(self._splitter.open.text).codes)

    def feed(self, text: str) -> None:
        """More text; drawn by the next `draw`."""
        if text:
            self._take(self._splitter.feed(text))

    def finish(self) -> None:
        """Nothing more comes."""
        self._take(self._splitter.finish())

    def draw(self, cells: int) -> int:
        """Bring the rows up to date for this width; answers the first that may look different."""
        if not cells:
            return 0
        if cells != self._flow.cells:
            self._flow, self._drawn, self._code_lines = Flow(cells), 0, 0
            self._kept = self._settled = _Size(0, 0)
        elif not self._fed:
            return len(self.rows)
        self._fed = False
        if self._drawn < len(self._closed):
            self._settled, self._code_lines = self._kept, 0
        first = self._settled.rows
        self._settled.restore(self._flow)
        for block in self._closed[self._drawn :]:
            self._append(*block)
        if self._drawn < len(self._closed):
            self._drawn = len(self._closed)
            self._kept = self._settled = _Size.of(self._flow)
        self._append_open()
        return first

    def _take(self, blocks: Sequence[Block]) -> None:
        self._closed.extend(_Closed(self._read(block.text), block.joined) for block in blocks)
        self._fed = True

    def _append(self, reading: Reading, joined: bool) -> None:
        if reading.parts:
            if self.rows and not joined:
                self._flow.blank()
            self._flow.add(reading.parts)

    def _append_open(self) -> None:
        """What still grows. A long code block is drawn by its latest lines."""
        text, joined = self._splitter.open
        if not text:
            return
        if self._splitter.in_fence:
            opening, *lines = text.split("\n")
            while len(lines) - self._code_lines > PIECE:
                piece = lines[self._code_lines :][:PIECE]
                self._append(self._read("\n".join([opening, *piece, ""])), bool(self._code_lines))
                self._settled = _Size.of(self._flow)
                self._code_lines += PIECE
            joined = bool(self._code_lines)
            lines = lines[self._code_lines :]
            if joined and lines == [""]:
                return
            text = "\n".join([opening, *lines])
        self._append(self._read(text), joined)


class _Size(NamedTuple):
    """How much of a flow there is."""

    rows: int
    lines: int

    @classmethod
    def of(cls, flow: Flow) -> "_Size":
        """As it is now."""
        return cls(len(flow.rows), len(flow.lines))

    def restore(self, flow: Flow) -> None:
        """Cut it back to this."""
        del flow.rows[self.rows :], flow.lines[self.lines :]
