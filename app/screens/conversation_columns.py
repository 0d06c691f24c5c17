"""The columns of the kept conversations, and what is said about them."""

import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from lmdeck.model.conversation import ConversationSummary
from lmdeck.model.text import one_line
from lmdeck.model.units import UNKNOWN
from lmdeck.widgets.column import Column
from lmdeck.widgets.line_view import Paragraph
from lmdeck.widgets.paint.line import Line, Span, wrap

_MINUTES: Final = len("2026-11-24 18:32")
_SNIPPET_LINES: Final = 3
LEGEND: Final = "▲ pinned  ● in the chat"


class ConversationRow(NamedTuple):
    """A conversation in the list; `current`: it is the one in the chat."""

    summary: ConversationSummary
    current: bool


def title_of(summary: ConversationSummary) -> str:
    """What it is called on the screen."""
    return one_line(summary.title, 200) or "untitled"


def _marks(row: ConversationRow) -> Line:
    pinned = Span("▲" if row.summary.pinned else " ", "accent")
    return (pinned, Span("●" if row.current else " ", "good"))


def _title(row: ConversationRow) -> Line:
    """Its title, and where the words were found."""
    title = Span(title_of(row.summary), "strong" if row.current else "")
    snippet = one_line(row.summary.snippet, 200)
    return (title, Span(f"   {snippet}", "muted")) if snippet else (title,)


def _model(row: ConversationRow) -> str:
    return one_line(row.summary.model, 80) or UNKNOWN


def _changed(row: ConversationRow) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(row.summary.changed))


COLUMNS: Final[tuple[Column[ConversationRow], ...]] = (
    Column("", _marks, 2),
    Column("TITLE", _title, 20, 140, sort_key=lambda row: title_of(row.summary).lower()),
    Column("MODEL", _model, 12, 32, priority=1, sort_key=_model),
    Column("TURNS", lambda row: str(row.summary.turns), 5, 5, "right", 2, lambda row: row.summary.turns, True),
    Column("CHANGED", _changed, _MINUTES, 0, "left", 0, lambda row: row.summary.changed, True),
)


def found_words(summary: ConversationSummary | None, cells: int) -> list[Line]:
    """Where the words were found in it, in a few lines."""
    if summary is None or not summary.snippet:
        return []
    return [(Span(line, "muted"),) for line in wrap(one_line(summary.snippet), cells)[:_SNIPPET_LINES]]


def counted(rows: int) -> str:
    """How many there are, and what their marks mean."""
    return f"{rows} conversation{'' if rows == 1 else 's'}   {LEGEND}"


def nothing_found(words: str) -> Sequence[Paragraph]:
    """What stands there without a row."""
    if words.strip():
        return (
            Paragraph(f"No conversation has “{one_line(words, 100)}”."),
            Paragraph("Words are looked for in titles and in what was said, from their beginnings on.", "muted"),
            Paragraph("Esc clears the words", "accent"),
        )
    return (
        Paragraph("No conversation is kept yet."),
        Paragraph("The first answer in the chat begins one, unless it is to be kept nowhere (ctrl+o).", "muted"),
    )
