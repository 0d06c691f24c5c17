"""Streamed Markdown, split where a block has surely ended."""

import re
from typing import NamedTuple

_FENCE = re.compile(r" {0,3}(?:(`{3,})[^`]*|(~{3,}).*)$")
_HEADING = re.compile(r" {0,3}#{1,6}(?:\s|$)")
_ITEM = re.compile(r" {0,3}(?:[-+*]|(\d{1,9})[.)])(?=\s)")
_CODE = 4
"""From so many blanks on, a line is code, or belongs to what an item's text begins that far to the right."""
LONG_LIST = 1500
"""A list of more characters is cut between its items, so that its growth costs no more than that of a short one."""


class Block(NamedTuple):
    """The source of one or more whole Markdown blocks; `joined`: without a blank line it goes on with the last list."""

    text: str
    joined: bool = False


class BlockSplitter:
    """Fed deltas, gives back whole Markdown blocks; what may still grow stays in `open`.

    A block ends at a blank line outside of code and lists, at a heading, before and after a fence, and a list where a
    line follows that belongs to no item. The blocks' texts joined are the text fed, exactly, and they do not depend on
    the deltas. Work per delta follows the delta's length, not the answer's.
    """

    def __init__(self) -> None:
        self._closed: list[Block] = []
        self._lines: list[str] = []
        self._partial: list[str] = []
        self._size = 0
        self._fence = ""
        self._item = 0
        self._code = False
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
            if not self._item and not self._code:
                self._close()
        else:
            self._text_line(line)
            self._after_blank = False

    def _text_line(self, line: str) -> None:
        shown = line.expandtabs(_CODE)
        indent = len(shown) - len(shown.lstrip())
        if (self._item and indent >= self._item) or (self._code and indent >= _CODE):
            self._add(line)
            return
        item, fence, heading = _item_of(shown), _FENCE.match(line), _HEADING.match(line)
        if fence or heading or self._code or (self._item and self._after_blank and not item):
            self._close()
        elif self._item and item and self._size > LONG_LIST:
            self._close(joined=not self._after_blank)
        if item and (self._item or not self._lines or item.interrupts):
            self._item = item.text
        elif not self._lines:
            self._code = indent >= _CODE
        self._fence = fence[1] or fence[2] if fence else ""
        self._add(line)
        if heading:
            self._close()

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
        self._size, self._fence, self._item, self._code, self._joined = 0, "", 0, False, joined


class _Item(NamedTuple):
    """The line that begins a list item: where its text stands, and whether it can follow a paragraph's line."""

    text: int
    interrupts: bool


def _item_of(line: str) -> _Item | None:
    mark = _ITEM.match(line)
    if mark is None:
        return None
    text = line[mark.end() :].strip()
    blanks = line.index(text, mark.end()) - mark.end() if text else 1
    return _Item(mark.end() + (blanks if blanks <= _CODE else 1), bool(text) and mark[1] in (None, "1"))


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
