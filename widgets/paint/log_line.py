"""One summary line for one log entry."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lmdeck.model.log import LogEntry, PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine
from lmdeck.model.text import one_line
from lmdeck.model.units import UNKNOWN, rate, ttft
from lmdeck.widgets.paint.line import Line, Span, Tone, safe, width

if TYPE_CHECKING:
    from lmdeck.model.exchange import Exchange

CELLS = 120
NAME_WIDTHS = {130: 28, 72: 18, 0: 12}
"""From so many cells on, shorter instance names are padded to this, so that what is behind them stands in columns."""
READ = 2_000
"""How many characters of a text are looked at for its summary line."""
COUNTED = 100_000
"""Lines are counted, and bytes outside ASCII, in texts up to this length."""
PARSED_BODY = 200_000
"""Longer request bodies are not taken apart, only measured."""

_PREFIX = re.compile(r"\[\d{4}-\d\d-\d\d[ T][\d:.,]+\]\s*(?:\[[A-Z]+\])?\s*")
_REQUEST = re.compile(r"Received request: ([A-Z]+) to (\S+)(?: with body\s*)?")
_CUT_OFF = frozenset({"maxPredictedTokensReached", "contextLengthReached", "userStopped"})
_BROKEN = frozenset({"failed", "modelUnloaded"})
_ORIGINS: dict[str, Tone] = {"server": "accent", "runtime": "muted", "deck": "strong"}
_LEVELS: dict[str, tuple[str, Tone]] = {
    "error": ("✗", "bad"),
    "fatal": ("✗", "bad"),
    "warn": ("!", "warn"),
    "warning": ("!", "warn"),
}


def summary(entry: LogEntry, hide_text: bool = False, exchange: Exchange | None = None, cells: int = CELLS) -> Line:
    """Time, a mark for direction or level, and what there is to say, in columns for a line of so many cells.

    `hide_text` leaves out prompts and answers. A `?` stands behind the mark when the `exchange` that the entry is said
    to be part of is a guess.
    """
    mark, tone = _LEVELS.get(entry.level.lower(), ("·", ""))
    if isinstance(entry, PredictionOutput):
        mark, body = "←", _output(entry, hide_text, cells)
    elif isinstance(entry, PredictionInput):
        mark, body = "→", (_name(entry.instance_id, cells), Span("  "), *_words(entry.text, hide_text))
    elif isinstance(entry, ServerLine) and (request := _request(entry.text)):
        mark, body = "→", request
    else:
        body = _line(entry, tone)
    doubt = "?" if exchange is not None and exchange.certainty == "guess" else " "
    return Span(clock_time(entry.at), "muted"), Span(f" {mark}{doubt}", tone or _direction(mark)), *body


def clock_time(at: float) -> str:
    """Unix seconds as local time, `18:32:17`."""
    try:
        return time.strftime("%H:%M:%S", time.localtime(at))
    except (OverflowError, OSError, ValueError):
        return "--:--:--"


def kilobytes(count: int) -> str:
    """A length as people say it: `812 B`, `4.1 kB`, `2.3 MB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1e3:.1f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"


def _direction(mark: str) -> Tone:
    return "good" if mark == "←" else "accent" if mark == "→" else "muted"


def _name(instance: str, cells: int) -> Span:
    name, least = safe(instance), next(wide for start, wide in NAME_WIDTHS.items() if cells >= start)
    return Span(name + " " * (least - width((Span(name),))), "strong")


def _output(entry: PredictionOutput, hide_text: bool, cells: int) -> Line:
    name = _name(entry.instance_id, cells)
    if entry.stats is None:
        return name, Span("  "), *_words(entry.text, hide_text)
    columns = list(_statistics(entry.stats, aligned=cells >= 72))
    room = cells - len("00:00:00 ← ") - width((name,))
    while width(span for _, span in columns) > room and (last := max(columns, key=lambda column: column[0]))[0]:
        columns.remove(last)
    return name, *(span for _, span in columns)


def _statistics(stats: PredictionStats, aligned: bool) -> Iterator[tuple[int, Span]]:
    """The columns, each with its rank: where they do not all fit, the highest are left out first, 0 never."""
    gap, number = "  ", 13 if aligned else 0
    if stats.prompt_tokens is not None or stats.predicted_tokens is not None:
        before, after = (UNKNOWN if n is None else n for n in (stats.prompt_tokens, stats.predicted_tokens))
        yield 2, Span(f"{gap}{f'{before}→{after} tok':>{number}}")
    elif aligned:
        yield 2, Span(gap + " " * number)
    if stats.tokens_per_second is not None or aligned:
        yield 1, Span(f"{gap}{rate(stats.tokens_per_second):>{number and 11}}")
    if stats.ttft_s is not None or aligned:
        yield 3, Span(f"{gap}{ttft(stats.ttft_s):>{number and 11}}")
    if reason := stats.stop_reason:
        tone: Tone = "bad" if reason in _BROKEN else "warn" if reason in _CUT_OFF else "muted"
        yield 4 if tone == "muted" else 0, Span(f"{gap}{safe(reason)}", tone)
    if stats.draft_tokens:
        yield 5, Span(f"{gap}draft {stats.accepted_draft_tokens or 0}/{stats.draft_tokens}", "muted")


def _words(text: str, hide_text: bool) -> Line:
    """How long a prompt or an answer is, and how it begins."""
    length = Span(f"{len(text)} chars", "muted")
    return (length,) if hide_text else (length, Span(f"  {one_line(text[:READ], 300)}"))


def _request(text: str) -> Line:
    """`POST /v1/chat/completions  model  stream  temperature=0  (4.1 kB)` of a "Received request" line."""
    found = _REQUEST.search(text, 0, READ)
    if found is None:
        return ()
    pieces = [Span(f"{found[1]} {safe(found[2])}", "strong")]
    if length := len(text) - found.end():
        body = text[found.end() :] if length <= PARSED_BODY else ""
        pieces += [Span(f"  {safe(word)}") for word in _parameters(body)]
        pieces.append(Span(f"  ({_size(text, found.end())})", "muted"))
    return tuple(pieces)


def _size(text: str, start: int = 0) -> str:
    """How much there is from `start` on, without going through a long text."""
    length = len(text) - start
    if text.isascii():
        return kilobytes(length)
    return kilobytes(len(text[start:].encode(errors="replace"))) if length <= COUNTED else f"{length} chars"


def _parameters(body: str) -> Iterator[str]:
    import json  # not before the first request is drawn: starting up is quicker without it

    try:
        fields = json.loads(body) if body else None
    except (ValueError, RecursionError):
        return
    if not isinstance(fields, dict):
        return
    if isinstance(model := fields.pop("model", None), str):
        yield one_line(model, 60)
    if fields.pop("stream", None) is True:
        yield "stream"
    for name, value in fields.items():
        if isinstance(value, bool):
            yield f"{name}={str(value).lower()}"
        elif isinstance(value, int | float):
            yield f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        elif isinstance(value, list) and name in ("messages", "tools"):
            yield f"{len(value)} {name if len(value) != 1 else name[:-1]}"


def _line(entry: LogEntry, tone: Tone) -> Line:
    """A line of the server's, an engine's or the deck's: where it is from, and its first line that says something."""
    prefix = _PREFIX.match(entry.text)
    start = prefix.end() if prefix else 0
    text = entry.text[start : start + COUNTED]
    first = one_line(next((line for line in text[:READ].splitlines() if line.strip()), ""))
    origin = entry.instance_id if isinstance(entry, RuntimeLine) and entry.instance_id else entry.source
    spans = [Span(f"{safe(origin):<8}", _ORIGINS.get(entry.source, "muted")), Span(f" {first}", tone)]
    if len(entry.text) - start > COUNTED:
        spans.append(Span(f"  ({_size(entry.text)})", "muted"))
    elif more := text.strip().count("\n"):
        spans.append(Span(f"  +{more} lines", "muted"))
    return tuple(spans)
