"""Bars of block characters; parts differ by their glyph, so that colours are not needed to tell them apart."""

from collections.abc import Sequence
from typing import NamedTuple

from lmdeck.widgets.paint.line import Line, Span, Tone

FREE = "░"


class Part(NamedTuple):
    """A part of a bar, in the same unit as the bar's total."""

    amount: float
    glyph: str = "█"
    tone: Tone = "accent"


def bar(parts: Sequence[Part], total: float, cells: int) -> Line:
    """`███▓▓░░░`: the parts one after another out of `total`, exactly `cells` wide.

    What is not nothing gets a cell, and a bar is full only when nothing is free.
    """
    spans, filled, amount = list[Span](), 0, 0.0
    for part in parts:
        amount += max(part.amount, 0.0)
        end = min(_cells(amount, total, cells), cells)
        if part.amount > 0:
            end = max(end, min(filled + 1, cells))
        if end > filled:
            spans.append(Span(part.glyph * (end - filled), part.tone))
            filled = end
    if filled < cells:
        spans.append(Span(FREE * (cells - filled), "muted"))
    return tuple(spans)


def _cells(amount: float, total: float, cells: int) -> int:
    if total <= 0:
        return 0
    filled = round(amount / total * cells)
    return max(0, cells - 1) if filled >= cells and amount < total * 0.995 else filled
