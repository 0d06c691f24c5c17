"""What is counted of finished exchanges: rows, and their totals with either kind of percentiles."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple, Protocol

from lmdeck.exchanges.spread import Sketch, Values
from lmdeck.model.exchange import Exchange
from lmdeck.model.log import PredictionStats
from lmdeck.model.statistics import Spread, Summary

TRUNCATED = ("maxPredictedTokensReached", "contextLengthReached")


class Row(NamedTuple):
    """One finished exchange, in numbers. Times are Unix seconds, speeds tokens/s."""

    ended_at: float
    at: float
    instance_id: str
    tokens_in: int
    tokens_out: int
    speed: float | None
    ttft: float | None
    stop_reason: str
    is_error: bool


def row_of(exchange: Exchange) -> Row:
    """The numbers of a finished exchange; what it does not tell counts as none."""
    stats = exchange.stats or PredictionStats()
    return Row(
        exchange.at if exchange.ended_at is None else exchange.ended_at,
        exchange.at,
        exchange.instance_id,
        stats.prompt_tokens or 0,
        stats.predicted_tokens or 0,
        stats.tokens_per_second,
        stats.ttft_s,
        stats.stop_reason or "",
        bool(exchange.error),
    )


class _Spreading(Protocol):
    def add(self, value: float) -> None: ...
    def spread(self) -> Spread: ...


class Totals:
    """Counts of rows."""

    def __init__(self) -> None:
        self.requests = self.tokens_in = self.tokens_out = self.errors = 0
        self.stops: Counter[str] = Counter()

    def count(self, row: Row, sign: int) -> None:
        """One row more, or less."""
        self.requests += sign
        self.tokens_in += sign * row.tokens_in
        self.tokens_out += sign * row.tokens_out
        self.errors += sign * row.is_error
        if row.stop_reason:
            self.stops[row.stop_reason] += sign

    def add(self, other: Totals) -> None:
        """All of another's."""
        self.requests += other.requests
        self.tokens_in += other.tokens_in
        self.tokens_out += other.tokens_out
        self.errors += other.errors
        self.stops.update(other.stops)

    def summary(self, instance_id: str, speed: Spread, ttft: Spread, queue_peak: int) -> Summary:
        """The counts as one line of the statistics."""
        stops = {reason: count for reason, count in self.stops.most_common() if count > 0}
        return Summary(
            instance_id,
            self.requests,
            self.tokens_in,
            self.tokens_out,
            speed,
            ttft,
            stops,
            self.errors,
            sum(stops.get(reason, 0) for reason in TRUNCATED),
            queue_peak,
        )


class Exact:
    """Totals and exact percentiles of rows that come and go."""

    def __init__(self) -> None:
        self.totals = Totals()
        self._speed, self._ttft = Values(), Values()

    def add(self, row: Row) -> None:
        """One more."""
        self.totals.count(row, 1)
        _measure(row, self._speed, self._ttft)

    def remove(self, row: Row) -> None:
        """One less."""
        self.totals.count(row, -1)
        if row.speed is not None:
            self._speed.remove(row.speed)
        if row.ttft is not None:
            self._ttft.remove(row.ttft)

    def summary(self, instance_id: str, queue_peak: int) -> Summary:
        """One line of the statistics."""
        return self.totals.summary(instance_id, self._speed.spread(), self._ttft.spread(), queue_peak)


class Rough:
    """Totals and sketched percentiles of any number of rows."""

    def __init__(self) -> None:
        self.totals = Totals()
        self._speed, self._ttft = Sketch(), Sketch()

    def add(self, row: Row) -> None:
        """One more."""
        self.totals.count(row, 1)
        _measure(row, self._speed, self._ttft)

    def merge(self, other: Rough) -> None:
        """All of another's."""
        self.totals.add(other.totals)
        self._speed.merge(other._speed)
        self._ttft.merge(other._ttft)

    def summary(self, instance_id: str, queue_peak: int) -> Summary:
        """One line of the statistics."""
        return self.totals.summary(instance_id, self._speed.spread(), self._ttft.spread(), queue_peak)


def _measure(row: Row, speed: _Spreading, ttft: _Spreading) -> None:
    if row.speed is not None:
        speed.add(row.speed)
    if row.ttft is not None:
        ttft.add(row.ttft)
