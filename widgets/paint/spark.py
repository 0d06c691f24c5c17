"""Histories as block characters."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

LEVELS = "▁▂▃▄▅▆▇█"
SPAN = 300
"""How many samples a history shows: five minutes at one a second."""


class History:
    """The last samples of one value. None stands for a moment without a value."""

    def __init__(self) -> None:
        self._samples: deque[float | None] = deque(maxlen=2 * SPAN)
        self._count = 0

    def push(self, value: float | None) -> None:
        """One more sample."""
        self._samples.append(value)
        self._count += 1

    def columns(self, cells: int) -> list[float | None]:
        """The last five minutes as means in `cells` columns, the newest at the right.

        Columns begin at fixed samples, so that a finished one never changes and the picture moves on only once
        in a column's time: steady to look at, and next to nothing to send to the terminal.
        """
        size = -(-SPAN // max(cells, 1))
        last = (self._count - 1) // size
        first = self._count - len(self._samples)
        return [
            self._mean(column * size - first, (column + 1) * size - first)
            for column in range(last - cells + 1, last + 1)
        ]

    def _mean(self, start: int, end: int) -> float | None:
        known = [value for value in islice(self._samples, max(start, 0), max(end, 0)) if value is not None]
        return sum(known) / len(known) if known else None


def spark(values: Sequence[float | None], top: float = 100.0) -> str:
    """One character a value, `▁` for nothing up to `█` for `top`; a blank where there is no value."""
    return "".join(" " if value is None else LEVELS[_level(value, top, 8) - 1] for value in values)


def chart(values: Sequence[float | None], rows: int, top: float = 100.0) -> list[str]:
    """The same, `rows` lines high, the top one first."""
    levels = [0 if value is None else _level(value, top, rows * 8) for value in values]
    return [
        "".join(" " if level <= floor else LEVELS[min(level - floor, 8) - 1] for level in levels)
        for floor in range((rows - 1) * 8, -1, -8)
    ]


def _level(value: float, top: float, steps: int) -> int:
    return max(1, min(steps, round(value / top * steps))) if top > 0 else 1
