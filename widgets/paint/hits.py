"""Where a text holds what somebody looks for."""

import re
from array import array
from bisect import bisect_left

MOST = 100_000
"""More hits are not kept: nobody steps through them."""


class Hits:
    """The first occurrences of `needle` in `text`, whatever the case, without overlaps, as positions in the text."""

    def __init__(self, text: str, needle: str) -> None:
        self.needle = needle
        self._size = len(needle)
        self.starts = _starts(text, needle) if needle else array("q")

    @property
    def count(self) -> str:
        """How many there are: `17`, `100000+`."""
        return f"{len(self.starts)}{'+' if len(self.starts) >= MOST else ''}"

    def within(self, start: int, end: int) -> list[tuple[int, int]]:
        """The hits that touch `text[start:end]`, as positions from and up to."""
        first = bisect_left(self.starts, start - self._size + 1)
        last = bisect_left(self.starts, end)
        return [(at, at + self._size) for at in self.starts[first:last]]


def _starts(text: str, needle: str) -> "array[int]":
    starts, lowered, wanted = array("q"), text.lower(), needle.lower()
    if len(lowered) != len(text) or len(wanted) != len(needle):  # a few letters have a longer lower case
        for found in re.finditer(re.escape(needle), text, re.IGNORECASE):
            starts.append(found.start())
            if len(starts) >= MOST:
                break
        return starts
    at = lowered.find(wanted)
    while at >= 0 and len(starts) < MOST:
        starts.append(at)
        at = lowered.find(wanted, at + len(wanted))
    return starts
