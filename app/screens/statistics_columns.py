"""The columns of the statistics: of models, and of days."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from lmdeck.model.statistics import Day, Spread, Summary
from lmdeck.model.text import one_line
from lmdeck.model.units import UNKNOWN
from lmdeck.screens.exchange_text import stop_reason
from lmdeck.widgets.column import Column
from lmdeck.widgets.paint.bar import Part, bar
from lmdeck.widgets.paint.line import Line, Span, Tone

ALL: Final = "all models"
_BAR = 16


class DayRow(NamedTuple):
    """A day of a model, and the most tokens that any row has: what its bar is measured by."""

    day: Day
    most: int


def model_name(summary: Summary) -> str:
    """The instance, or all of them."""
    return one_line(summary.instance_id, 80) or ALL


def figure(value: float | None, spread: Spread, decimals: int) -> str:
    """A percentile; `~` where it comes from a sketch and not from every value."""
    return UNKNOWN if value is None else f"{'' if spread.exact else '~'}{value:.{decimals}f}"


def _name(summary: Summary) -> Line:
    return (Span(model_name(summary), "" if summary.instance_id else "strong"),)


def _alarm(count: int, tone: Tone) -> Line:
    return (Span(str(count), tone if count else ""),)


SUMMARY_COLUMNS: Final[tuple[Column[Summary], ...]] = (
    Column("MODEL", _name, 14, grow=40, sort_key=model_name),
    Column("REQ", lambda s: str(s.requests), 5, 7, "right", 0, lambda s: s.requests, True),
    Column("TOK IN", lambda s: str(s.tokens_in), 7, 11, "right", 2, lambda s: s.tokens_in, True),
    Column("OUT", lambda s: str(s.tokens_out), 7, 11, "right", 3, lambda s: s.tokens_out, True),
    Column("TOK/S", lambda s: figure(s.speed.p50, s.speed, 1), 5, 8, "right", 0, lambda s: s.speed.p50, True),
    Column("P95", lambda s: figure(s.speed.p95, s.speed, 1), 5, 8, "right", 4, lambda s: s.speed.p95, True),
    Column("TTFT", lambda s: figure(s.ttft.p50, s.ttft, 2), 5, 8, "right", 0, lambda s: s.ttft.p50, True),
    Column("P95", lambda s: figure(s.ttft.p95, s.ttft, 2), 5, 8, "right", 4, lambda s: s.ttft.p95, True),
    Column("ERR", lambda s: _alarm(s.errors, "bad"), 3, 5, "right", 1, lambda s: s.errors, True),
    Column("CUT", lambda s: _alarm(s.truncated, "warn"), 3, 5, "right", 1, lambda s: s.truncated, True),
    Column("PEAK", lambda s: str(s.queue_peak), 4, 5, "right", 1, lambda s: s.queue_peak, True),
)
LEGEND: Final = (
    "TOK/S, TTFT in s: median and 95th percentile, ~ estimated. ERR: errors. CUT: ended at a limit. PEAK: most at once."
)


def _bar(row: DayRow) -> Line:
    return bar([Part(tokens(row.day))], row.most, _BAR)


def tokens(day: Day) -> int:
    """In and out together."""
    return day.tokens_in + day.tokens_out


def _day_name(row: DayRow) -> str:
    return one_line(row.day.instance_id, 80) or ALL


DAY_COLUMNS: Final[tuple[Column[DayRow], ...]] = (
    Column("DAY", lambda row: one_line(row.day.date, 10), 10, 10, "left", 0, lambda row: row.day.date, True),
    Column("MODEL", _day_name, 14, grow=40, sort_key=_day_name),
    Column("REQ", lambda row: str(row.day.requests), 5, 7, "right", 1, lambda row: row.day.requests, True),
    Column("TOK IN", lambda row: str(row.day.tokens_in), 9, 12, "right", 0, lambda row: row.day.tokens_in, True),
    Column("OUT", lambda row: str(row.day.tokens_out), 8, 12, "right", 0, lambda row: row.day.tokens_out, True),
    Column("ERR", lambda row: _alarm(row.day.errors, "bad"), 3, 5, "right", 2, lambda row: row.day.errors, True),
    Column("TOKENS", _bar, _BAR, _BAR, "left", 3, lambda row: tokens(row.day), True),
)


def reasons(counts: Mapping[str, int]) -> str:
    """Why answers ended, the most frequent first: `12 × the model ended its answer (eosFound)`."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} × {stop_reason(name)}" for name, count in ordered) or "no stop reason told"
