"""The columns of the requests in the history, and what is said about them."""

from typing import Final

from lmdeck.model.exchange import Certainty, PastExchange
from lmdeck.model.text import one_line
from lmdeck.model.units import UNKNOWN
from lmdeck.screens.exchange_text import moment, stop_reason
from lmdeck.widgets.column import Column
from lmdeck.widgets.line_view import Paragraph
from lmdeck.widgets.paint.line import Line, Span

MOST: Final = 500
"""More rows are not shown at once."""
_JOINS: Final[dict[Certainty, Line]] = {
    "certain": (Span("✓", "good"),),
    "likely": (Span("?", "warn"),),
    "guess": (Span("!", "warn"),),
}
_LEGEND: Final = "JOIN: ✓ certain  ? likely  ! a guess"
_MINUTES: Final = len("2026-11-24 18:32")


def counted(rows: int) -> str:
    """How many rows there are, one beyond `MOST` standing for any number more, and what their marks mean."""
    found = f"the newest {MOST}" if rows > MOST else f"{rows} request{'' if rows == 1 else 's'}"
    return f"{found}   {_LEGEND}"


def nothing_found(words: str) -> list[Paragraph]:
    """What stands there without a row."""
    if words.strip():
        return [
            Paragraph(f"No request in the history has “{one_line(words, 100)}”."),
            Paragraph("Words are looked for in model, path, stop reason and error, and in the texts that were kept."),
            Paragraph("Esc clears the words", "accent"),
        ]
    return [
        Paragraph("No request is kept yet."),
        Paragraph("A finished request is kept a few seconds after its end, with `lms` to tell of it.", "muted"),
    ]


def _model(past: PastExchange) -> str:
    return one_line(past.record.instance_id, 80) or UNKNOWN


def _path(past: PastExchange) -> str:
    return one_line(past.record.path, 80) or UNKNOWN


def _tokens(past: PastExchange) -> str:
    told = past.record.prompt_tokens, past.record.predicted_tokens
    return "→".join(UNKNOWN if count is None else str(count) for count in told)


def _all_tokens(past: PastExchange) -> int | None:
    told = [count for count in (past.record.prompt_tokens, past.record.predicted_tokens) if count is not None]
    return sum(told) if told else None


def _speed(past: PastExchange) -> float | None:
    return past.record.tokens_per_second


def _figure(value: float | None, decimals: int) -> str:
    return UNKNOWN if value is None else f"{value:.{decimals}f}"


def _end(past: PastExchange) -> Line:
    """The error, else the stop reason by LM Studio's name."""
    record = past.record
    if record.error:
        return (Span(f"✗ {one_line(record.error, 200)}", "bad"),)
    cut = stop_reason(record.stop_reason).startswith("cut off")
    return (Span(one_line(record.stop_reason or "", 60) or UNKNOWN, "warn" if cut else ""),)


PAST_COLUMNS: Final[tuple[Column[PastExchange], ...]] = (
    Column("WHEN", lambda p: moment(p.record.at)[:_MINUTES], _MINUTES, 0, "left", 0, lambda p: p.record.at, True),
    Column("MODEL", _model, 14, 40, sort_key=_model),
    Column("PATH", _path, 12, 24, "left", 6, _path),
    Column("TOKENS", _tokens, 11, 15, "right", 1, _all_tokens, True),
    Column("TOK/S", lambda p: _figure(p.record.tokens_per_second, 1), 5, 8, "right", 2, _speed, True),
    Column("TTFT", lambda p: _figure(p.record.ttft_s, 2), 5, 8, "right", 3, lambda p: p.record.ttft_s, True),
    Column("STOP", _end, 12, 40, "left", 4, lambda p: (not p.record.error, p.record.stop_reason or "")),
    Column("JOIN", lambda p: _JOINS[p.record.certainty], 4, 4, "left", 5, lambda p: p.record.certainty),
)
"""Speed is tokens per second, the time to the first token seconds."""
