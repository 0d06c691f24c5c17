"""The cells of the Loaded pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lmdeck.model.units import UNKNOWN, countdown, gib
from lmdeck.widgets.paint.line import Line, Span, Tone, safe, say

if TYPE_CHECKING:
    from lmdeck.model.context import ContextReading
    from lmdeck.model.rows import LoadedRow

NOTHING: Line = (Span(UNKNOWN, "muted"),)
_STATES: dict[str, tuple[str, Tone]] = {
    "generating": ("● generating", "good"),
    "processingPrompt": ("● prompt", "good"),
    "computingEmbedding": ("● embedding", "good"),
    "idle": ("○ idle", ""),
    "loaded": ("○ loaded", ""),
    "loading": ("◌ loading", "warn"),
    "unloading": ("◌ unloading", "warn"),
}


def instance(row: LoadedRow) -> Line:
    """The identifier; `(copy)` behind it when the same model is in memory more than once. What tells copies apart,
    `:2`, stays with that mark when the name is cut."""
    tone: Tone = "muted" if row.pending else ""
    if not row.duplicate:
        return (Span(safe(row.id), tone),)
    name, colon, number = row.id.rpartition(":")
    if not (colon and number.isdigit()):
        name, colon, number = row.id, "", ""
    return Span(safe(name), tone), Span(f"{colon}{number} (copy)", "warn")


def state(row: LoadedRow, now: float) -> Line:
    """`● generating`, `○ idle`, `◌ loading 12 s`; `now` in monotonic seconds."""
    words, tone = _STATES.get(row.state, (f"○ {row.state}", ""))
    if row.pending and row.since is not None:
        words = f"{words} {seconds(now - row.since)}"
    return say(words, tone)


def seconds(passed: float) -> str:
    """Time spent in whole seconds: `12 s`, from a minute on `1:05`."""
    return f"{max(0, int(passed))} s" if passed < 60 else countdown(int(passed))


def context(reading: ContextReading) -> Line:
    """One number and one mark: `131072 ✓` the runtime agrees, `131072 ?` only reported, `32768→8192 ✗` collapsed."""
    if reading.collapse is not None:
        promised, real = reading.collapse
        return (Span(f"{promised.tokens}→{real.tokens} ✗", "bad"),)
    if reading.reported is not None or reading.allocated is not None:
        shown = reading.reported or reading.allocated
        assert shown is not None
        return Span(str(shown.tokens)), Span(" ✓", "good") if reading.mark == "agree" else Span(" ?", "muted")
    return NOTHING if reading.requested is None else (Span(f"{reading.requested.tokens} …", "muted"),)


def vram(row: LoadedRow) -> Line:
    """What its engine process holds of the GPUs, in GiB; `!` when it seems to have spilled into RAM."""
    held = row.engine.vram if row.engine else None
    mark = (Span("!", "warn"),) if row.spill else ()
    return (*NOTHING, *mark) if held is None else (Span(gib(held)), *mark)


def ttl(row: LoadedRow, now: float) -> Line:
    """Time until it is unloaded for idleness; its last minute stands out."""
    if row.ttl_deadline is None:
        return NOTHING
    left = row.ttl_deadline - now
    return (Span(countdown(left), "warn" if left < 60 else ""),)


def number(value: float | int | None, decimals: int = 0) -> Line:
    """A plain number, or a dash."""
    return NOTHING if value is None else (Span(f"{value:.{decimals}f}"),)
