"""Percentiles: exact over values that come and go, or from a sketch over any number of them."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from lmdeck.model.statistics import Spread

if TYPE_CHECKING:
    from ddsketch import DDSketch

EXACT = 100_000
"""Values up to which percentiles are exact."""

SKETCH_ERROR = 0.01
"""What a sketch's percentile may be off, relative to the value at its rank."""

_FEW = 200


def percentile(ordered: list[float], share: float) -> float:
    """The value below which `share` of the ascending values lie, interpolated between its two neighbours (numpy's
    `linear`, the inclusive method of `statistics.quantiles`)."""
    rank = share * (len(ordered) - 1)
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


class Values:
    """A multiset of numbers: adding is cheap, sorting is put off until the spread is asked for."""

    def __init__(self) -> None:
        self._ordered: list[float] = []
        self._come: list[float] = []
        self._gone: list[float] = []

    def add(self, value: float) -> None:
        """One more."""
        self._come.append(value)

    def remove(self, value: float) -> None:
        """One less, of those that were added."""
        self._gone.append(value)

    def spread(self) -> Spread:
        """Count, median and 95th percentile."""
        ordered = self._sorted()
        if not ordered:
            return Spread()
        return Spread(len(ordered), percentile(ordered, 0.5), percentile(ordered, 0.95))

    def _sorted(self) -> list[float]:
        if self._come:
            self._ordered += self._come
            self._ordered.sort()  # two runs of which one is sorted: cheap
            self._come = []
        if len(self._gone) <= _FEW:
            for value in self._gone:
                del self._ordered[bisect_left(self._ordered, value)]
        else:
            self._ordered = _without(self._ordered, sorted(self._gone))
        self._gone = []
        return self._ordered


def _without(ordered: list[float], gone: list[float]) -> list[float]:
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

    def add(self, value: float) -> None:
        """One more."""
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
