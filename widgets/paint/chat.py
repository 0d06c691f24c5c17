"""Lines around a conversation: how full the context is, attachments, completions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from lmdeck.model.units import size
from lmdeck.widgets.paint.line import Line, Span, crop, safe, width

if TYPE_CHECKING:
    from lmdeck.model.conversation import Attachment, ContextMeter
    from lmdeck.model.slash import Completion

_CHARACTERS_A_TOKEN = 4
_NEARLY_FULL = 0.9
_MARKS: Final = {"allocated": " ✓", "proven": " ✓", "reported": " ?"}
MOST_ATTACHMENTS: Final = 4
"""Of more only the number is said."""


def meter_words(meter: ContextMeter, written: int) -> str:
    """`ctx 1,234 / 8,192 15 % ✓`; nothing where nobody knows anything. `written` characters are about to be added:
    when they bring it near the end, they are counted in tokens as well as can be guessed (`≈`), and words warn."""
    used, whole = meter.used, meter.size
    if whole is None or whole <= 0:
        return f"ctx {used:,}" if used is not None else ""
    mark = _MARKS.get(meter.source, "")
    if nearly_full(meter, written):
        added = written // _CHARACTERS_A_TOKEN
        total = (used or 0) + added
        amount = f"≈{total:,}" if added else f"{total:,}"
        return f"ctx {amount} / {whole:,}{mark}: " + ("will not fit" if total > whole else "nearly full")
    return f"ctx {whole:,}{mark}" if used is None else f"ctx {used:,} / {whole:,} {used / whole * 100:.0f} %{mark}"


def nearly_full(meter: ContextMeter, written: int) -> bool:
    """Whether the next turn may not find room."""
    if not meter.size:
        return False
    return (meter.used or 0) + written // _CHARACTERS_A_TOKEN >= meter.size * _NEARLY_FULL


def attachment_lines(attachments: Sequence[Attachment], cells: int) -> Sequence[Line]:
    """One line each: `+ notes.md  text 3.4 KiB  ✕`."""
    lines = []
    for attachment in attachments[:MOST_ATTACHMENTS]:
        facts = Span(f"  {attachment.kind} {size(attachment.size_bytes)}  ✕", "muted")
        name = crop((Span(safe(attachment.name)),), max(cells - width((facts,)) - 2, 4))
        lines.append(crop((Span("+ ", "accent"), *name, facts), cells))
    if (more := len(attachments) - MOST_ATTACHMENTS) > 0:
        lines.append(crop((Span(f"  and {more} more", "muted"),), cells))
    return lines


def completion_lines(items: Sequence[Completion], chosen: int | None, cells: int, rows: int) -> Sequence[Line]:
    """As many as there are rows for, around the chosen one, which has a mark; what is left out is counted."""
    first = max(0, min((chosen or 0) - rows // 2, len(items) - rows))
    shown = items[first : first + rows]
    column = min(max((width((Span(safe(item.text)),)) for item in shown), default=0), max(cells // 2, 12))
    lines = []
    for number, item in enumerate(shown, first):
        mark = Span("› ", "accent") if number == chosen else Span("  ")
        text = crop((Span(safe(item.text), "strong" if number == chosen else ""),), cells - 2)
        gap = Span(" " * (max(column - width(text), 0) + 2))
        lines.append(crop((mark, *text, gap, Span(safe(item.help), "muted")), cells) if item.help else (mark, *text))
    if lines and len(items) > rows:
        place = Span(f" {first + rows}/{len(items)}", "muted")
        lines[-1] = (*crop(lines[-1], cells - width((place,))), place)
    return lines
