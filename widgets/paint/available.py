"""The cells of the Available pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lmdeck.model.units import UNKNOWN, gigabytes
from lmdeck.widgets.paint.line import Line, Span, safe
from lmdeck.widgets.paint.memory import fit_cell, places

if TYPE_CHECKING:
    from lmdeck.model.catalog import Model
    from lmdeck.model.rows import AvailableRow

NOTHING: Line = (Span(UNKNOWN, "muted"),)


def model(row: AvailableRow) -> Line:
    """The key behind a mark: `●` in memory, `●2` twice, `◌` on its way."""
    if row.loading:
        return Span("◌ ", "warn"), Span(safe(row.model.key))
    if not row.copies:
        return Span("  "), Span(safe(row.model.key))
    copies = " " if row.copies == 1 else str(row.copies) if row.copies < 10 else "+"
    return Span(f"●{copies}", "good"), Span(safe(row.model.key), "strong")


def word(text: str | None) -> Line:
    """A word of the server's, or a dash."""
    return (Span(safe(text)),) if text else NOTHING


def count(value: int | None) -> Line:
    """A whole number, or a dash."""
    return NOTHING if value is None else (Span(str(value)),)


def size(amount: int | None) -> Line:
    """The file's size in GB; the heading names the unit."""
    return NOTHING if amount is None else (Span(gigabytes(amount)),)


def fit(row: AvailableRow) -> Line:
    """Whether it fits, and the GiB it needs: `✓ 18.2`, `✗ ≈48.3`, `?`, `…` until there is a forecast."""
    return fit_cell(row.outlook)


def need(row: AvailableRow) -> int | None:
    """The bytes that `fit` shows."""
    found = places(row.outlook) if row.outlook else []
    return found[0].total if found else None


def abilities(of: Model) -> str:
    """`tools vision reasoning`, or `embedding`."""
    able, words = of.capabilities, list[str]()
    if of.is_embedding:
        words.append("embedding")
    if able.tools:
        words.append("tools")
    if able.vision or of.type == "vlm":
        words.append("vision")
    if able.reasoning:
        words.append("reasoning")
    return " ".join(words)
