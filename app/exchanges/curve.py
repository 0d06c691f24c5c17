"""Tokens and times to the first one, over time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lmdeck.exchanges.counts import Row

_MINUTE = 60
_SECONDS, _MINUTES = 3_700, 20_160
_LONGEST_S = 3_600.0


@dataclass(slots=True)
class _Cell:
    tokens: float = 0.0
    ttft: float = 0.0
    answers: int = 0


class Curve:
    """What was generated, by the second for an hour and by the minute for a fortnight. An answer's tokens are spread
    over the time in which they were generated, its TTFT counts when it ended."""

    def __init__(self) -> None:
        self._seconds: dict[int, _Cell] = {}
        self._minutes: dict[int, _Cell] = {}

    def add(self, row: Row) -> None:
        """A finished exchange."""
        took = min(row.tokens_out / row.speed, _LONGEST_S) if row.speed else 0.0
        begin = max(row.ended_at - took, min(row.at, row.ended_at))
        for width, cells, most in ((1, self._seconds, _SECONDS), (_MINUTE, self._minutes, _MINUTES)):
            for number, share in _shares(begin, row.ended_at, width, 0.0):
                _cell(cells, number).tokens += row.tokens_out * share
            if row.ttft is not None:
                cell = _cell(cells, int(row.ended_at // width))
                cell.ttft += row.ttft
                cell.answers += 1
            while len(cells) > most:
                del cells[next(iter(cells))]

    def steps(self, since: float, step_s: float, count: int) -> tuple[tuple[float, ...], tuple[float | None, ...]]:
        """Tokens/s and the mean TTFT in `count` steps from `since` on."""
        width, cells = (1, self._seconds) if step_s * count <= _SECONDS else (_MINUTE, self._minutes)
        sums = [_Cell() for _ in range(count)]
        for number, cell in cells.items():
            at = number * width
            if at + width <= since:
                continue
            for step, share in _shares(max(at, since), at + width, step_s, since):
                if 0 <= step < count:
                    sums[step].tokens += cell.tokens * share
            middle = math.floor((at + width / 2 - since) / step_s)
            if 0 <= middle < count:
                sums[middle].ttft += cell.ttft
                sums[middle].answers += cell.answers
        speeds = tuple(each.tokens / step_s for each in sums)
        return speeds, tuple(each.ttft / each.answers if each.answers else None for each in sums)


def _cell(cells: dict[int, _Cell], number: int) -> _Cell:
    if (cell := cells.get(number)) is None:
        cell = cells[number] = _Cell()
    return cell


def _shares(begin: float, end: float, width: float, origin: float) -> list[tuple[int, float]]:
    """The cells between two times, and the share of that time that lies in each."""
    first, last = math.floor((begin - origin) / width), math.floor((end - origin) / width)
    if first == last or end <= begin:
        return [(last, 1.0)]
    edges = [begin, *(origin + width * number for number in range(first + 1, last + 1)), end]
    return [(first + index, (edges[index + 1] - edges[index]) / (end - begin)) for index in range(len(edges) - 1)]
