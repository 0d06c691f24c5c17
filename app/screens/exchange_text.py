"""An exchange in words: what is known of it, and what was received of it, as JSON Lines."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from lmdeck.model.exchange import Exchange
from lmdeck.model.log import PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine
from lmdeck.model.text import one_line
from lmdeck.model.units import UNKNOWN, elapsed, rate, ttft
from lmdeck.widgets.paint.line import Tone
from lmdeck.widgets.paint.log_line import clock_time
from lmdeck.widgets.paint.text_rows import Mark, Marker

STOP_REASONS: Final = {
    "eosFound": "the model ended its answer",
    "stopStringFound": "a stop string came",
    "toolCalls": "the model called a tool",
    "maxPredictedTokensReached": "cut off: the limit of output tokens is reached",
    "contextLengthReached": "cut off: the context is full",
    "userStopped": "cut off: stopped by the client",
    "modelUnloaded": "cut off: the model was unloaded",
    "failed": "it failed",
}
_JOINS: Final[dict[str, tuple[str, Tone]]] = {
    "certain": ("✓ certain, by content", "good"),
    "likely": ("? likely, by tokens, times and model", "warn"),
    "guess": ("! a guess: more than one request fits", "warn"),
}
_PRIVATE: Final = frozenset({"system_prompt", "system", "instructions", "prompt", "input", "messages", "suffix"})
_LONGEST_OPEN = 40
"""Longer parameters may quote the conversation: they are covered with it."""
_LABEL = 16

Fact = tuple[str, str, Tone]
_HEADING: Final[Fact] = ("Parameters of the request", "", "strong")
_NONE: Final[Fact] = ("none told", "the server logs them when its verbose logging is on", "")


def stop_reason(reason: str | None) -> str:
    """In words, with LM Studio's own name; one that is not known stays as it is."""
    if not reason:
        return UNKNOWN
    name = one_line(reason, 60)
    return f"{STOP_REASONS[reason]} ({name})" if reason in STOP_REASONS else name


def overview(exchange: Exchange, hide_text: bool) -> tuple[str, Marker]:
    """Everything but the texts, a fact a line."""
    stats = exchange.stats or (exchange.output.stats if exchange.output else None) or PredictionStats()
    parameters = list(_parameters(exchange.parameters, hide_text))
    facts = [*_request(exchange), *figures(stats), *_times(exchange, stats), *joined(exchange)]
    return page([*facts, _HEADING, *(parameters or [_NONE])])


def runtime(exchange: Exchange) -> str:
    """The engine's lines while it ran."""
    return "\n".join(f"{clock_time(line.at)}  {line.text.rstrip()}" for line in exchange.runtime)


def raw_json(exchange: Exchange) -> str:
    """The events it was joined from, oldest first, as LM Studio's log stream writes them."""
    events = (exchange.request, exchange.input, *exchange.runtime, exchange.generated, exchange.output)
    told = sorted((event for event in events if event is not None), key=lambda event: event.at)
    lines = [{"timestamp": round(event.at * 1000), "data": dict(_data(event))} for event in told]
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)


def moment(at: float | None) -> str:
    """Unix seconds as local date and time, to the millisecond."""
    if at is None:
        return UNKNOWN
    try:
        seconds, thousandths = divmod(round(at * 1000), 1000)
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) + f".{thousandths:03}"
    except (OverflowError, OSError, ValueError):
        return UNKNOWN


def _request(exchange: Exchange) -> Iterator[Fact]:
    yield "request", one_line(exchange.path) or f"{UNKNOWN} the server's log has not told it", ""
    yield "model", one_line(exchange.instance_id) or UNKNOWN, ""
    yield "client", one_line(exchange.client) or f"{UNKNOWN} not told", ""
    if exchange.error:
        yield "error", one_line(exchange.error), "bad"
    yield "state", ("… running" if exchange.running else "finished"), ""


def figures(stats: PredictionStats) -> Iterator[Fact]:
    """Tokens, speed, and why it ended."""
    for name, count in (("tokens in", stats.prompt_tokens), ("tokens out", stats.predicted_tokens)):
        yield name, UNKNOWN if count is None else str(count), ""
    yield "speed", rate(stats.tokens_per_second), ""
    yield "first token", ttft(stats.ttft_s), ""
    words = stop_reason(stats.stop_reason)
    yield "stop reason", words, "warn" if words.startswith("cut off") else "bad" if "failed" in words else ""
    if (drafted := stats.draft_tokens) is not None:
        accepted = stats.accepted_draft_tokens
        share = f", {accepted / drafted * 100:.0f} %" if drafted and accepted is not None else ""
        yield "draft", f"{UNKNOWN if accepted is None else accepted} of {drafted} tokens accepted{share}", ""


def _times(exchange: Exchange, stats: PredictionStats) -> Iterator[Fact]:
    yield "began", moment(exchange.at), ""
    if exchange.ended_at is not None:
        yield "ended", f"{moment(exchange.ended_at)}, after {elapsed(max(exchange.ended_at - exchange.at, 0))}", ""
    if stats.total_time_s is not None:
        yield "server's time", elapsed(stats.total_time_s), ""
    if exchange.slot is not None:
        yield "slot", str(exchange.slot), ""


def joined(exchange: Exchange) -> Iterator[Fact]:
    """How sure the join is."""
    words, tone = _JOINS[exchange.certainty]
    yield "joined", words, tone
    if exchange.doubt:
        yield "doubt", one_line(exchange.doubt), ""


def _parameters(parameters: Mapping[str, object], hide_text: bool) -> Iterator[Fact]:
    for name, value in parameters.items():
        told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        if hide_text and (name in _PRIVATE or len(told) > _LONGEST_OPEN):
            told = f"hidden, {len(told)} chars"
        yield one_line(name, 60), one_line(told, 300), ""


def page(facts: Iterable[Fact]) -> tuple[str, Marker]:
    """The facts as lines, and what looks different in them."""
    marks, text = list[Mark](), ""
    for name, value, tone in facts:
        if name == _HEADING[0]:
            text += "\n"
        label = name.ljust(_LABEL - 1) + " "
        middle = len(text) + len(label)
        marks.append(Mark(len(text), middle, tone if name == _HEADING[0] else "muted"))
        marks.append(Mark(middle, middle + len(value), tone))
        text += f"{label}{value}\n"
    return text, lambda _, start, end: [mark for mark in marks if mark.start < end and mark.end > start]


def _data(event: ServerLine | PredictionInput | PredictionOutput | RuntimeLine) -> Iterator[tuple[str, object]]:
    match event:
        case ServerLine():
            yield from (("type", "server.log"), ("content", event.text), ("level", event.level))
        case PredictionInput():
            yield from (("type", "llm.prediction.input"), ("modelPath", event.model_path))
            yield from (("modelIdentifier", event.instance_id), ("input", event.text))
        case PredictionOutput():
            yield from (("type", "llm.prediction.output"), ("modelIdentifier", event.instance_id))
            yield "output", event.text
            if event.stats is not None:
                yield "stats", dict(_stats(event.stats))
        case RuntimeLine():
            yield from (("type", "runtime.log"), ("level", event.level), ("message", event.text))
            yield from (("engineName", event.engine), ("engineVersion", event.engine_version))
            yield from (
                (name, value)
                for name, value in (("modelIdentifier", event.instance_id), ("pid", event.pid))
                if value is not None
            )


def _stats(stats: PredictionStats) -> Iterator[tuple[str, object]]:
    named = (
        ("stopReason", stats.stop_reason),
        ("tokensPerSecond", stats.tokens_per_second),
        ("timeToFirstTokenSec", stats.ttft_s),
        ("totalTimeSec", stats.total_time_s),
        ("promptTokensCount", stats.prompt_tokens),
        ("predictedTokensCount", stats.predicted_tokens),
        ("totalDraftTokensCount", stats.draft_tokens),
        ("acceptedDraftTokensCount", stats.accepted_draft_tokens),
    )
    return ((name, value) for name, value in named if value is not None)
