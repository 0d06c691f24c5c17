"""Statistics over exchanges: of one model or of all, over a window. Times are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WINDOWS: Mapping[str, float | None] = {"1 m": 60.0, "15 m": 900.0, "1 h": 3600.0, "session": None}


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 95th percentile of what was measured `count` times; `exact` or from a sketch with its stated error."""

    count: int = 0
    p50: float | None = None
    p95: float | None = None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of the statistics; `instance_id` is empty for all together. `queue_peak` is the most requests that were
    under way at once, `truncated` how many answers ended at a limit (context or output tokens)."""

    instance_id: str
    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    speed: Spread = Spread()
    ttft: Spread = Spread()
    stop_reasons: Mapping[str, int] = field(default_factory=dict)
    errors: int = 0
    truncated: int = 0
    queue_peak: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """A day's totals of one model, from the store; `date` is `2026-11-24` in local time."""

    date: str
    instance_id: str
    requests: int
    tokens_in: int
    tokens_out: int
    errors: int


@dataclass(frozen=True, slots=True)
class Series:
    """Live curves over one window, oldest first, one value a step of `step_s`: tokens/s generated, mean TTFT (None
    where nothing finished), requests in flight."""

    step_s: float
    tokens_per_second: tuple[float, ...] = ()
    ttft: tuple[float | None, ...] = ()
    in_flight: tuple[int, ...] = ()
