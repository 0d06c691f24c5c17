"""A benchmark's levels as a table, and as bars made of eighth blocks."""

from collections.abc import Sequence
from statistics import median

from lmdeck.model.experiment import BenchLevel
from lmdeck.model.units import UNKNOWN
from lmdeck.widgets.paint.line import Line, Span, crop

_EIGHTHS = " ▏▎▍▌▋▊▉"
_HEADINGS = ("AT ONCE", "TOGETHER", "WALL s", "TOTAL TOK/S", "EACH TOK/S", "TTFT s", "FAILED")
_LEAST_BAR = 4


def table(levels: Sequence[BenchLevel]) -> list[Line]:
    """A heading and a row a level, 68 cells wide; each request's figures as medians."""
    lines: list[Line] = [(Span("  ".join(_HEADINGS), "muted"),)]
    for level in levels:
        cells = (
            str(level.concurrency),
            str(level.together),
            f"{level.wall_s:.2f}",
            f"{level.aggregate:.1f}",
            _median(level.each, 1),
            _median(level.ttft, 2),
            str(level.failed) if level.failed else UNKNOWN,
        )
        row = "  ".join(cell.rjust(len(heading)) for cell, heading in zip(cells, _HEADINGS, strict=True))
        lines.append((Span(row, "bad" if level.failed else ""),))
    return lines


def chart(levels: Sequence[BenchLevel], cells: int, effective: int | None = None) -> list[Line]:
    """A line a level: how many at once, a bar of all tokens per second, its figure, and a single request's. The level
    from which more bring no more says so."""
    top = max((level.aggregate for level in levels), default=0.0)
    lines = list[Line]()
    for level in levels:
        figures = f" {level.aggregate:8.1f} tok/s   each {_median(level.each, 1):>6}"
        note = "  ← enough" if level.concurrency == effective else ""
        room = max(_LEAST_BAR, cells - 4 - len(figures) - len("  ← enough"))
        spans = (
            Span(f"{level.concurrency:>3} ", "muted"),
            Span(bar(level.aggregate, top, room), "accent"),
            Span(figures),
            Span(note, "strong"),
        )
        lines.append(crop(spans, cells))
    return lines


def bar(value: float, top: float, cells: int) -> str:
    """`███▌   `: `value` out of `top` in eighths of a cell, exactly `cells` wide; what is not nothing shows."""
    eighths = min(cells * 8, round(value / top * cells * 8)) if top > 0 and value > 0 else 0
    if value > 0:
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(cells)


def _median(values: Sequence[float], digits: int) -> str:
    return f"{median(values):.{digits}f}" if values else UNKNOWN
