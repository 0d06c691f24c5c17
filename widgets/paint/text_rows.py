"""A text of any size as rows of a given width: only the part that is looked at is ever wrapped."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

from rich.cells import cell_len

from lmdeck.model.text import clean
from lmdeck.widgets.paint.line import Piece, Tone

BLOCK = 4096
"""Characters that are wrapped at a time. A row that a block ends in may stay short, if it is in a longer paragraph."""
KEPT_BLOCKS = 64
LONGEST_TOKEN = 64
TAB = 4


class Mark(NamedTuple):
    """A part of a text, by positions in it, that looks different; a row may have to begin before or after it."""

    start: int
    end: int
    tone: Tone = ""
    breaks: Literal["", "before", "after"] = ""


class Row(NamedTuple):
    """A row, by the positions in the text that it shows."""

    start: int
    end: int


Marker = Callable[[str, int, int], Iterable[Mark]]
"""The marks of `text[start:end]`, in order and without overlaps; asked only for what is looked at."""


class _Block(NamedTuple):
    shown: str
    rows: list[Row]
    marks: list[Mark]


def no_marks(text: str, start: int, end: int) -> Iterable[Mark]:
    """Nothing looks different."""
    return ()


class TextRows:
    """The rows of `text`, `cells` wide. Rows are counted exactly where the text was looked at (`settle`), and estimated
    elsewhere, so that their numbers may shift; positions in the text never do."""

    def __init__(self, text: str, cells: int, marker: Marker = no_marks) -> None:
        self.text, self.cells = text, max(cells, 2)
        self._marker = marker
        self._edges = _edges(text)
        self._counts = [self._estimate(block) for block in range(len(self._edges) - 1)]
        self._starts = list(accumulate(self._counts, initial=0))
        self._exact = bytearray(len(self._counts))
        self._blocks: dict[int, _Block] = {}

    @property
    def total(self) -> int:
        """How many rows there are, as far as it is known."""
        return self._starts[-1]

    def settle(self, position: int, before: int, after: int) -> int:
        """The number of the row with this position, exact as those of so many rows before and after it are now."""
        here = self._block_of(position)
        self._count(here)
        for rows, blocks in ((before, range(here - 1, -1, -1)), (after, range(here + 1, len(self._counts)))):
            for block in blocks:
                if rows <= 0:
                    break
                rows -= self._count(block)
        self._starts = list(accumulate(self._counts, initial=0))
        return self.number(position)

    def number(self, position: int) -> int:
        """The number of the row with this position."""
        block = self._block_of(position)
        rows = self._block(block).rows
        return self._starts[block] + max(bisect_right(rows, position, key=lambda row: row.start) - 1, 0)

    def row(self, number: int) -> Row:
        """The row of this number, or the nearest that there is."""
        block, index = self._locate(number)
        return self._block(block).rows[index]

    def pieces(self, number: int, hits: Iterable[tuple[int, int]] = ()) -> list[Piece]:
        """The row as it is drawn, `hits` (positions from and up to) marked in it; safe to show."""
        at, index = self._locate(number)
        block, first = self._block(at), self._edges[at]
        start, end = block.rows[index]
        tones = [mark for mark in block.marks if mark.tone and mark.start < end and mark.end > start]
        found = [hit for hit in hits if hit[0] < end and hit[1] > start]
        edges = [edge for mark in tones for edge in (mark.start, mark.end)] + [edge for hit in found for edge in hit]
        inner = {edge for edge in edges if start < edge < end}
        drawn, left = list[Piece](), start
        for right in sorted((*inner, end)):
            tone: Tone = next((mark.tone for mark in tones if mark.start <= left < mark.end), "")
            hit = any(one <= left < other for one, other in found)
            shown = block.shown[left - first : right - first].replace("\t", " " * TAB)
            drawn.append(Piece(shown, tone, hit))
            left = right
        return drawn

    def _locate(self, number: int) -> tuple[int, int]:
        number = max(0, min(number, self.total - 1))
        block = min(bisect_right(self._starts, number), len(self._counts)) - 1
        return block, min(number - self._starts[block], len(self._block(block).rows) - 1)

    def _block_of(self, position: int) -> int:
        return max(0, min(bisect_right(self._edges, position), len(self._counts)) - 1)

    def _count(self, block: int) -> int:
        """The block's rows, exact from now on."""
        if not self._exact[block]:
            self._counts[block], self._exact[block] = len(self._block(block).rows), 1
        return self._counts[block]

    def _estimate(self, block: int) -> int:
        start, end = self._edges[block], self._edges[block + 1]
        return max(self.text.count("\n", start, end), -(-(end - start) * 16 // (15 * self.cells)), 1)

    def _block(self, block: int) -> _Block:
        if (kept := self._blocks.get(block)) is None:
            if len(self._blocks) >= KEPT_BLOCKS:
                self._blocks.clear()
            start, end = self._edges[block], self._edges[block + 1]
            shown, marks = visible(self.text[start:end]), list(self._marker(self.text, start, end))
            breaks = [mark.start if mark.breaks == "before" else mark.end for mark in marks if mark.breaks]
            rows = list(_wrap_block(shown, start, breaks, self.cells))
            kept = self._blocks[block] = _Block(shown, rows, marks)
        return kept


def visible(text: str) -> str:
    """`text`, character by character in what can be shown; only tabs and newlines stay as they are."""
    text = "\t".join(map(clean, text.replace("\r\n", " \n").split("\t")))
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else " " if letter.isspace() else "\ufffd" for letter in text
    )


def _edges(text: str) -> "array[int]":
    """Where blocks begin, and the end: behind a newline or a blank, if there is one."""
    edges, at, end = array("q", [0]), 0, len(text)
    while end - at > BLOCK:
        most = at + BLOCK
        cut = text.rfind("\n", at, most) + 1 or text.rfind(" ", at + BLOCK // 2, most) + 1
        if not cut:  # not within a special token of a prompt
            angle = text.rfind("<", most - LONGEST_TOKEN, most)
            cut = most if angle < 0 else angle
        at = cut + 1 if text[cut : cut + 1] == "\n" else cut
        edges.append(at)
    edges.append(end)
    return edges


def _wrap_block(shown: str, offset: int, breaks: Sequence[int], cells: int) -> Iterable[Row]:
    """The rows of a block that begins at `offset` of the text; `breaks` are positions in the text."""
    cuts = iter((*(cut - offset for cut in breaks), len(shown) + 1))
    at, cut, size = 0, next(cuts), len(shown)
    while at < size or not size:
        newline = shown.find("\n", at)
        end = size if newline < 0 else newline
        while cut <= at:
            cut = next(cuts)
        if cut < end:
            yield from _wrap(shown, at, cut, offset, cells)
            at = cut
            continue
        yield from _wrap(shown, at, end, offset, cells)
        at = end + 1
        if not size:
            break


def _wrap(shown: str, start: int, end: int, offset: int, cells: int) -> Iterable[Row]:
    """`shown[start:end]`, which holds no newline, broken at blanks, and inside words that are longer than a row."""
    reach = _reach(shown[start:end], cells)
    at = start
    while True:
        if (most := start + reach(at - start)) >= end:
            yield Row(offset + at, offset + end)
            return
        blank = shown.rfind(" ", at, most + 1)
        stop = most if blank <= at or shown[at:blank].isspace() else blank
        yield Row(offset + at, offset + stop)
        at = stop + 1 if shown[stop] == " " else stop


def _reach(paragraph: str, cells: int) -> Callable[[int], int]:
    """How far a row goes that begins at a position of the paragraph."""
    if paragraph.isascii() and "\t" not in paragraph:
        return lambda at: at + cells
    edges = list(accumulate((TAB if letter == "\t" else cell_len(letter) for letter in paragraph), initial=0))
    return lambda at: max(bisect_right(edges, edges[at] + cells) - 1, at + 1)
