"""What is counted of finished exchanges: rows, packed and in batches, and their totals with either kind of
percentiles."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import isnan, nan
from struct import Struct
from typing import NamedTuple

from lmdeck.exchanges.flight import ALL
from lmdeck.exchanges.spread import Sketch, Values
from lmdeck.model.exchange import Exchange
from lmdeck.model.log import PredictionStats
from lmdeck.model.statistics import Spread, Summary

TRUNCATED = ("maxPredictedTokensReached", "contextLengthReached")
MOST_NAMES = 1_000
"""Instances and stop reasons that are told apart; what comes after so many counts without its name."""

Packed = bytes
_PACKED, _ENDED = Struct("<dqqddHH?"), Struct("<d")
_INSTANCE = 5


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


class Batch(NamedTuple):
    """What some rows come to; `stops` counts their stop reasons."""

    requests: int
    tokens_in: int
    tokens_out: int
    errors: int
    stops: Mapping[str, int]
    speeds: array[float]
    ttfts: array[float]


class Packing:
    """Rows as bytes: a fifth of their memory, and nothing that the garbage collector looks through."""

    def __init__(self) -> None:
        self._names = [""]
        self._numbers = {"": 0}

    def known(self, name: str) -> str:
        """The name as it is counted."""
        return self._names[self._number(name)]

    def pack(self, row: Row) -> Packed:
        """A row without its beginning."""
        speed, ttft = (nan if value is None else value for value in (row.speed, row.ttft))
        names = self._number(row.instance_id), self._number(row.stop_reason)
        return _PACKED.pack(row.ended_at, row.tokens_in, row.tokens_out, speed, ttft, *names, row.is_error)

    def batches(self, rows: Iterable[Packed]) -> dict[str, Batch]:
        """The rows of each instance; under "" those whose instance has no name."""
        groups: dict[int, list[tuple[float, ...]]] = {}
        for row in _PACKED.iter_unpack(b"".join(rows)):
            groups.setdefault(row[_INSTANCE], []).append(row)
        return {self._names[number]: self._batch(group) for number, group in groups.items()}

    def batches_and_all(self, rows: Sequence[Packed]) -> dict[str, Batch]:
        """The rows of each instance that has a name, and under ALL all together."""
        if not rows:
            return {}
        return {**self.batches(rows), ALL: self._batch(list(_PACKED.iter_unpack(b"".join(rows))))}

    def _batch(self, rows: list[tuple[float, ...]]) -> Batch:
        _, tokens_in, tokens_out, speeds, ttfts, _, stops, errors = zip(*rows, strict=True)
        counted = {self._names[number]: count for number, count in Counter(stops).items() if number}
        return Batch(
            len(rows), sum(tokens_in), sum(tokens_out), sum(errors), counted, _measured(speeds), _measured(ttfts)
        )

    def _number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None:
            if len(self._names) > MOST_NAMES:
                return 0
            number = self._numbers[name] = len(self._names)
            self._names.append(name)
        return number


def ended_at(packed: Packed) -> float:
    """When a packed row's exchange ended."""
    at: float = _ENDED.unpack_from(packed)[0]
    return at


class Totals:
    """Counts of rows."""

    def __init__(self) -> None:
        self.requests = self.tokens_in = self.tokens_out = self.errors = 0
        self.stops: Counter[str] = Counter()

    def count(self, batch: Batch | Totals, sign: int = 1) -> None:
        """So much more, or less."""
        self.requests += sign * batch.requests
        self.tokens_in += sign * batch.tokens_in
        self.tokens_out += sign * batch.tokens_out
        self.errors += sign * batch.errors
        for reason, count in batch.stops.items():
            self.stops[reason] += sign * count

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

    def add(self, batch: Batch) -> None:
        """So much more."""
        self.totals.count(batch)
        self._speed.add(batch.speeds)
        self._ttft.add(batch.ttfts)

    def remove(self, batch: Batch) -> None:
        """So much less, of what was added."""
        self.totals.count(batch, -1)
        self._speed.remove(batch.speeds)
        self._ttft.remove(batch.ttfts)

    def summary(self, instance_id: str, queue_peak: int) -> Summary:
        """One line of the statistics."""
        return self.totals.summary(instance_id, self._speed.spread(), self._ttft.spread(), queue_peak)


class Rough:
    """Totals and sketched percentiles of any number of rows."""

    def __init__(self) -> None:
        self.totals = Totals()
        self._speed, self._ttft = Sketch(), Sketch()

    def add(self, batch: Batch) -> None:
        """So much more."""
        self.totals.count(batch)
        self._speed.add(batch.speeds)
        self._ttft.add(batch.ttfts)

    def merge(self, other: Rough) -> None:
        """All of another's."""
        self.totals.count(other.totals)
        self._speed.merge(other._speed)
        self._ttft.merge(other._ttft)

    def summary(self, instance_id: str, queue_peak: int) -> Summary:
        """One line of the statistics."""
        return self.totals.summary(instance_id, self._speed.spread(), self._ttft.spread(), queue_peak)


def _measured(values: Iterable[float]) -> array[float]:
    return array("d", [value for value in values if not isnan(value)])
