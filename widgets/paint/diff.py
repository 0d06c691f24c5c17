"""What has to be sent to the terminal when one line replaces another."""

from collections.abc import Iterable
from itertools import takewhile
from typing import Literal

from rich.segment import Segment
from textual.strip import Strip


def changed(old: Strip, new: Strip) -> tuple[int, int]:
    """The cells, from and up to, in which two strips differ; the same number twice when they do not."""
    if old is new or (before := list(old)) == (after := list(new)):
        return 0, 0
    start = _common(zip(before, after, strict=False))
    if old.cell_length != new.cell_length:
        return start, max(old.cell_length, new.cell_length)
    return start, new.cell_length - _common(zip(reversed(before), reversed(after), strict=False), -1)


def _common(pairs: Iterable[tuple[Segment, Segment]], step: Literal[1, -1] = 1) -> int:
    """How many cells are the same before the first difference; with step -1 the texts are read backwards."""
    cells = 0
    for one, other in pairs:
        if one == other:
            cells += one.cell_length
            continue
        if one.style == other.style and one.text.isascii() and other.text.isascii():
            letters = zip(one.text[::step], other.text[::step], strict=False)
            cells += sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], letters))
        break
    return cells
