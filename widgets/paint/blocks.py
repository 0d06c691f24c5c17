"""Streamed Markdown, split where a block has surely ended."""

import re

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


class BlockSplitter:
    """Fed deltas, gives back whole Markdown blocks; what may still grow stays in `open`.

    A block ends at a blank line outside a code fence, and after a closing fence. The pieces joined are the
    text fed, exactly. Work per delta follows the delta's length, not the answer's.
    """

    def __init__(self) -> None:
        self._closed: list[str] = []
        self._lines: list[str] = []
        self._partial: list[str] = []
        self._fence = ""

    @property
    def open(self) -> str:
        """The text of the block that is still growing."""
        return "".join([*self._lines, *self._partial])

    def open_tail(self, lines: int) -> str:
        """The last `lines` lines of the open block: what is worth drawing of a long one."""
        return "".join([*self._lines[-lines:], *self._partial])

    def feed(self, text: str) -> str:
        """Take a delta; answers the text of all blocks that it closed, or an empty string."""
        head, newline, rest = text.partition("\n")
        while newline:
            self._line("".join([*self._partial, head, newline]))
            self._partial.clear()
            head, newline, rest = rest.partition("\n")
        if head:
            self._partial.append(head)
        closed = "".join(self._closed)
        self._closed.clear()
        return closed

    def finish(self) -> str:
        """Nothing more comes: the rest."""
        rest = self.open
        self._lines.clear()
        self._partial.clear()
        return rest

    def _line(self, line: str) -> None:
        self._lines.append(line)
        mark = _FENCE.match(line)
        if self._fence:
            # A closing fence is at least as long as the opening one and has nothing after it.
            if mark and mark[1].startswith(self._fence) and not line.strip().strip(self._fence[0]):
                self._fence = ""
                self._close()
        elif mark:
            self._fence = mark[1]
        elif not line.strip():
            self._close()

    def _close(self) -> None:
        self._closed.extend(self._lines)
        self._lines.clear()
