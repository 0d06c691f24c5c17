"""Percentiles: exact over values that come and go, or from a sketch over any number of them."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from lmdeck.model.statistics import Spread

if TYPE_CHECKING:
    from ddsketch import DDSketch

EXACT = 100_000
"""Values up to which percentiles are exact."""

SKETCH_ERROR = 0.01
"""What a sketch's percentile may be off, relative to the value at its rank."""

_FEW = 200


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the ascending values lie, interpolated between its two neighbours (numpy's
    `linear`, the inclusive method of `statistics.quantiles`)."""
    rank = share * (len(ordered) - 1)
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


class Values:
    """A multiset of numbers: adding is cheap, sorting is put off until the spread is asked for."""

    def __init__(self) -> None:
        self._ordered, self._come, self._gone = array("d"), array("d"), array("d")

    def add(self, values: Iterable[float]) -> None:
        """So many more."""
        self._come.extend(values)

    def remove(self, values: Iterable[float]) -> None:
        """So many less, of those that were added."""
        self._gone.extend(values)

    def spread(self) -> Spread:
        """Count, median and 95th percentile."""
        ordered = self._sorted()
        if not ordered:
            return Spread()
        return Spread(len(ordered), percentile(ordered, 0.5), percentile(ordered, 0.95))

    def _sorted(self) -> array[float]:
        ordered, come, gone = self._ordered, self._come, self._gone
        if len(come) + len(gone) <= _FEW:
            for value in come:
                insort(ordered, value)
            for value in gone:
                del ordered[bisect_left(ordered, value)]
        else:
            whole = sorted(chain(ordered, sorted(come)))  # two runs that are sorted: cheap
            self._ordered = array("d", _without(whole, sorted(gone)))
        self._come, self._gone = array("d"), array("d")
        return self._ordered


def _without(ordered: list[float], gone: list[float]) -> list[float]:
    if not gone:
        return ordered
    kept, at, count = [], 0, len(gone)
    for value in ordered:
        if at < count and gone[at] == value:
            at += 1
        else:
            kept.append(value)
    return kept


class Sketch:
    """A DDSketch: percentiles within SKETCH_ERROR of the value at their rank, in a few kilobytes, and mergeable."""

    def __init__(self) -> None:
        from ddsketch import DDSketch  # only when there is something to count: start-up time

        self._sketch: DDSketch = DDSketch(SKETCH_ERROR)

    def add(self, values: Iterable[float]) -> None:
        """So many more."""
        for value in values:
            self._sketch.add(value)

    def merge(self, other: Sketch) -> None:
        """All of another one's."""
        self._sketch.merge(other._sketch)

    def spread(self) -> Spread:
        """Count, median and 95th percentile."""
        count = int(self._sketch.count)
        if not count:
            return Spread(exact=False)
        return Spread(count, self._sketch.get_quantile_value(0.5), self._sketch.get_quantile_value(0.95), exact=False)
