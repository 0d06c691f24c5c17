"""JSON lines of `lms log stream --json` to log entries, as bytes arrive and without I/O."""

import sys
import time
from collections.abc import Callable

from lmdeck.backend.decode import count, fields, number, parse, text
from lmdeck.backend.lines import MAX_LINE, Line, LineSplitter
from lmdeck.backend.masking import masked
from lmdeck.model.log import (
    LogEntry,
    PredictionInput,
    PredictionOutput,
    PredictionStats,
    RuntimeLine,
    ServerLine,
    Unreadable,
)

Fields = dict[str, object]

MAX_UNREADABLE = 64 * 2**10

_BANNER = b"Streaming logs from LM Studio"
# The last moment that every platform's local time can show is in the year 3000.
_LATEST_MS = 32_500_000_000_000


class LogDecoder:
    """Push decoder of one source (`model`, `server`, `runtime`): the entries are the same wherever bytes are split.

    Blank lines and the banner are skipped; whatever else is no known event becomes an Unreadable, shortened to
    MAX_UNREADABLE characters. `now` gives the Unix seconds for entries without a time of their own.
    """

    def __init__(self, source: str, *, now: Callable[[], float] = time.time, max_line: int = MAX_LINE) -> None:
        self._source = source
        self._now = now
        self._lines = LineSplitter(max_line)

    def feed(self, chunk: bytes) -> list[LogEntry]:
        """The entries that `chunk` completes."""
        return self._decode(self._lines.feed(chunk))

    def close(self) -> list[LogEntry]:
        """The entry of a last line without an end, once the stream is over."""
        return self._decode(self._lines.close())

    def _decode(self, lines: list[Line]) -> list[LogEntry]:
        entries = []
        for line in lines:
            raw = line.raw.strip()
            if raw and not raw.startswith(_BANNER):
                entries.append(self._entry(raw, line.cut))
        return entries

    def _entry(self, raw: bytes, cut: bool) -> LogEntry:
        try:
            event = fields(parse(raw))
        except ValueError:
            event = {}
        at = self._at(event.get("timestamp"))
        entry = event_entry(at, fields(event.get("data")))
        return entry or Unreadable(at, _excerpt(raw, cut), self._source)

    def _at(self, timestamp: object) -> float:
        moment = number(timestamp)
        return moment / 1000 if moment is not None and 0 < moment < _LATEST_MS else self._now()


def event_entry(at: float, data: Fields) -> LogEntry | None:
    """The entry of one event's `data`; None for a type that is not known."""
    match data.get("type"):
        case "llm.prediction.input":
            return PredictionInput(
                at, _instance(data), text(data.get("input")) or "", _name(data.get("modelPath")) or ""
            )
        case "llm.prediction.output":
            stats = data.get("stats")
            return PredictionOutput(
                at, _instance(data), text(data.get("output")) or "", _stats(stats) if isinstance(stats, dict) else None
            )
        case "server.log":
            return ServerLine(at, masked((text(data.get("content")) or "").rstrip("\r\n")), _level(data))
        case "runtime.log":
            return RuntimeLine(
                at,
                (text(data.get("message")) or "").rstrip("\r\n"),
                _level(data),
                engine=_name(data.get("engineName")) or "",
                engine_version=_name(data.get("engineVersion")) or "",
                instance_id=_name(data.get("modelIdentifier")) or _name(data.get("instanceReference")),
                pid=count(data.get("pid")),
            )
    return None


def _instance(data: Fields) -> str:
    return _name(data.get("modelIdentifier")) or ""


def _name(value: object) -> str | None:
    """A string that comes with line after line: one object for all of them."""
    return sys.intern(value) if isinstance(value, str) else None


def _level(data: Fields) -> str:
    return sys.intern((text(data.get("level")) or "info").lower())


def _stats(stats: Fields) -> PredictionStats:
    return PredictionStats(
        stop_reason=_name(stats.get("stopReason")),
        tokens_per_second=number(stats.get("tokensPerSecond")),
        ttft_s=number(stats.get("timeToFirstTokenSec")),
        total_time_s=number(stats.get("totalTimeSec")),
        prompt_tokens=count(stats.get("promptTokensCount")),
        predicted_tokens=count(stats.get("predictedTokensCount")),
        draft_tokens=count(stats.get("totalDraftTokensCount")),
        accepted_draft_tokens=count(stats.get("acceptedDraftTokensCount")),
    )


def _excerpt(raw: bytes, cut: bool) -> str:
    words = raw[: MAX_UNREADABLE * 4].decode("utf-8", "replace")
    if cut or len(words) > MAX_UNREADABLE:
        return words[:MAX_UNREADABLE] + " … (too long, cut off)"
    return words
