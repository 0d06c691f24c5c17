"""The cosines between texts: numbers, each with a shade."""

from collections.abc import Sequence
from typing import Final

from lmdeck.model.units import UNKNOWN
from lmdeck.model.vectors import Comparison
from lmdeck.widgets.paint.line import Line, Span, fit, say

SHADES: Final = " ░▒▓█"
"""From no likeness (0 and below) to the same direction."""
LABEL_CELLS: Final = 24
_CELL = 8


def matrix(comparison: Comparison) -> list[Line]:
    """A heading, and a line a text: its number, how it begins, its length as a vector, its cosine with each."""
    numbers = "".join(str(number).rjust(_CELL - 2) + "  " for number in range(1, len(comparison.inputs) + 1))
    lines: list[Line] = [(Span(" " * (4 + LABEL_CELLS) + "    NORM" + numbers, "muted"),)]
    rows = zip(comparison.inputs, comparison.norms, comparison.cosines, strict=True)
    for number, (text, length, cosines) in enumerate(rows, 1):
        name = fit(say(text), LABEL_CELLS)
        lines.append((Span(f"{number:>3} ", "muted"), *name, Span(f"{length:>8.4g}"), *_cells(cosines, number - 1)))
    return lines


def shade(cosine: float) -> str:
    """A fifth of the way from 0 to 1 a step."""
    return SHADES[max(0, min(len(SHADES) - 1, int(cosine * len(SHADES))))]


def _cells(cosines: Sequence[float | None], own: int) -> Line:
    return tuple(
        Span(f"{UNKNOWN:>6}  ", "muted")
        if cosine is None
        else Span(f"{cosine:>6.2f}{shade(cosine)} ", "muted" if column == own else "")
        for column, cosine in enumerate(cosines)
    )
