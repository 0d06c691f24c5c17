"""One summary line for one log entry."""

import re
import time
from collections.abc import Iterator

from lmdeck.model.log import LogEntry, PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine
from lmdeck.model.text import one_line
from lmdeck.model.units import UNKNOWN, rate, ttft
from lmdeck.widgets.paint.line import Line, Span, Tone, safe, width

NAME_WIDTH = 18
"""Shorter instance names are padded to this, so that the figures behind them stand in columns."""
READ = 2_000
"""How many characters of a text are looked at for its summary line."""
PARSED_BODY = 200_000
"""Longer request bodies are not taken apart, only measured."""

_PREFIX = re.compile(r"\[\d{4}-\d\d-\d\d[ T][\d:.,]+\]\s*(?:\[[A-Z]+\])?\s*")
_REQUEST = re.compile(r"Received request: ([A-Z]+) to (\S+)(?: with body\s*)?")
_CUT_OFF = frozenset({"maxPredictedTokensReached", "contextLengthReached", "userStopped"})
_BROKEN = frozenset({"failed", "modelUnloaded"})
_LEVELS: dict[str, tuple[str, Tone]] = {
    "error": ("✗", "bad"),
    "fatal": ("✗", "bad"),
    "warn": ("!", "warn"),
    "warning": ("!", "warn"),
}


def summary(entry: LogEntry, hide_text: bool = False) -> Line:
    """Time, a mark for direction or level, and what there is to say. `hide_text` leaves out prompts and answers."""
    mark, tone = _LEVELS.get(entry.level.lower(), ("·", ""))
    if isinstance(entry, PredictionOutput):
        mark, body = "←", _output(entry, hide_text)
    elif isinstance(entry, PredictionInput):
        mark, body = "→", _input(entry, hide_text)
    elif isinstance(entry, ServerLine) and (request := _request(entry.text, hide_text)):
        mark, body = "→", request
    else:
        body = _line(entry, tone)
    return Span(clock_time(entry.at), "muted"), Span(f" {mark} ", tone or _direction(mark)), *body


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


def _name(instance: str, tone: Tone = "strong") -> Span:
    name = safe(instance)
    return Span(name + " " * (NAME_WIDTH - width((Span(name),))), tone)


def _output(entry: PredictionOutput, hide_text: bool) -> Line:
    if entry.stats is None:
        return _name(entry.instance_id), Span("   "), *_words(entry.text, hide_text)
    return _name(entry.instance_id), *_statistics(entry.stats)


def _statistics(stats: PredictionStats) -> Iterator[Span]:
    if stats.prompt_tokens is not None or stats.predicted_tokens is not None:
        before, after = (UNKNOWN if n is None else n for n in (stats.prompt_tokens, stats.predicted_tokens))
        yield Span(f"   {before}→{after} tok")
    if stats.tokens_per_second is not None:
        yield Span(f"   {rate(stats.tokens_per_second)}")
    if stats.ttft_s is not None:
        yield Span(f"   {ttft(stats.ttft_s)}")
    if stats.stop_reason:
        tone: Tone = "bad" if stats.stop_reason in _BROKEN else "warn" if stats.stop_reason in _CUT_OFF else "muted"
        yield Span(f"   {safe(stats.stop_reason)}", tone)
    if stats.draft_tokens:
        yield Span(f"   draft {stats.accepted_draft_tokens or 0}/{stats.draft_tokens}", "muted")


def _input(entry: PredictionInput, hide_text: bool) -> Line:
    return _name(entry.instance_id), Span("   "), *_words(entry.text, hide_text)


def _words(text: str, hide_text: bool) -> Line:
    """How long a prompt or an answer is, and how it begins."""
    length = Span(f"{len(text)} chars", "muted")
    return (length,) if hide_text else (length, Span(f"   {one_line(text[:READ], 300)}"))


def _request(text: str, hide_text: bool) -> Line:
    """`POST /v1/chat/completions  model  stream  temperature=0  (4.1 kB)` of a "Received request" line."""
    found = _REQUEST.search(text, 0, READ)
    if found is None:
        return ()
    body = text[found.end() :]
    pieces = [Span(f"{found[1]} {safe(found[2])}", "strong")]
    if body:
        pieces += [Span(f"  {safe(word)}") for word in _parameters(body)]
        pieces.append(Span(f"  ({kilobytes(len(body.encode(errors='replace')))})", "muted"))
    return tuple(pieces)


def _parameters(body: str) -> Iterator[str]:
    import json  # not before the first request is drawn: starting up is quicker without it

    try:
        fields = json.loads(body) if len(body) <= PARSED_BODY else None
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
    text = entry.text[prefix.end() if prefix else 0 :]
    first = one_line(next((line for line in text[:READ].splitlines() if line.strip()), ""))
    origin = entry.instance_id if isinstance(entry, RuntimeLine) and entry.instance_id else entry.source
    spans = [Span(f"{safe(origin):<8}", "muted"), Span(f" {first}", tone)]
    if more := text.strip().count("\n"):
        spans.append(Span(f"  +{more} lines", "muted"))
    return tuple(spans)
