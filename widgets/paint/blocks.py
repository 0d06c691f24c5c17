"""Streamed Markdown, split where a block has surely ended."""

import re
from typing import NamedTuple

_FENCE = re.compile(r" {0,3}(?:(`{3,})[^`]*|(~{3,}).*)$")
_ITEM = re.compile(r" {0,3}(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)")
_INSIDE = 2
"""From so many blanks on, a line may belong to a list item."""
LONG_LIST = 1500
"""A list of more characters is cut between its items, so that its growth costs no more than that of a short one."""


class Block(NamedTuple):
    """The source of one or more whole Markdown blocks; `joined`: without a blank line it goes on with the last list."""

    text: str
    joined: bool = False


class BlockSplitter:
    """Fed deltas, gives back whole Markdown blocks; what may still grow stays in `open`.

    A block ends at a blank line outside of code fences and lists, before and after a fence, and a list where a line
    follows that belongs to no item. The blocks' texts joined are the text fed, exactly, and they do not depend on the
    deltas. Work per delta follows the delta's length, not the answer's.
    """

    def __init__(self) -> None:
        self._closed: list[Block] = []
        self._lines: list[str] = []
        self._partial: list[str] = []
        self._size = 0
        self._fence = ""
        self._list = False
        self._after_blank = False
        self._joined = False

    @property
    def open(self) -> Block:
        """The block that is still growing."""
        return Block("".join([*self._lines, *self._partial]), self._joined)

    @property
    def in_fence(self) -> bool:
        """Whether the open block is a code fence."""
        return bool(self._fence)

    def feed(self, text: str) -> list[Block]:
        """Take a delta; answers the blocks that it closed."""
        head, newline, rest = text.partition("\n")
        while newline:
            self._line("".join([*self._partial, head, newline]))
            self._partial.clear()
            head, newline, rest = rest.partition("\n")
        if head:
            self._partial.append(head)
        closed, self._closed = self._closed, []
        return closed

    def finish(self) -> list[Block]:
        """Nothing more comes: the rest."""
        self._lines.extend(self._partial)
        self._partial.clear()
        self._close()
        closed, self._closed = self._closed, []
        return closed

    def _line(self, line: str) -> None:
        if self._fence:
            self._add(line)
            if self._ends_fence(line):
                self._close()
        elif not line.strip():
            self._add(line)
            self._after_blank = True
            if not self._list:
                self._close()
        else:
            self._text_line(line)

    def _text_line(self, line: str) -> None:
        inside = len(line) - len(line.lstrip()) >= _INSIDE
        fence, item = _FENCE.match(line), _ITEM.match(line)
        if self._list and not inside:
            if item and self._size > LONG_LIST:
                self._close(joined=not self._after_blank)
            elif self._after_blank and not item:
                self._close()
        if fence and not (self._list and inside):
            self._close()
            self._fence = fence[1] or fence[2]
        elif item or (not self._lines and line.startswith(("    ", "\t"))):
            self._list = True  # indented code goes on behind blank lines, too
        self._add(line)
        self._after_blank = False

    def _ends_fence(self, line: str) -> bool:
        """A closing fence is at least as long as the opening one and has nothing behind it."""
        mark = line.strip()
        return mark.startswith(self._fence) and not mark.strip(self._fence[0]) and _FENCE.match(line) is not None

    def _add(self, line: str) -> None:
        self._lines.append(line)
        self._size += len(line)

    def _close(self, joined: bool = False) -> None:
        if self._lines:
            self._closed.append(Block("".join(self._lines), self._joined))
            self._lines.clear()
        self._size, self._fence, self._list, self._after_blank, self._joined = 0, "", False, False, joined


class LineSplitter:
    """The same for plain text: every line is a block."""

    in_fence = False

    def __init__(self) -> None:
        self._partial: list[str] = []

    @property
    def open(self) -> Block:
        """The line that is still growing."""
        return Block("".join(self._partial), joined=True)

    def feed(self, text: str) -> list[Block]:
        """Take a delta; answers the lines that it closed."""
        *lines, rest = text.split("\n")
        if lines:
            lines[0] = "".join([*self._partial, lines[0]])
            self._partial.clear()
        if rest:
            self._partial.append(rest)
        return [Block(f"{line}\n", joined=True) for line in lines]

    def finish(self) -> list[Block]:
        """Nothing more comes: the rest."""
        rest, self._partial = self.open, []
        return [rest] if rest.text else []
