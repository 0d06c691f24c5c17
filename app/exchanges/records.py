"""Exchanges as they are kept and exported: records of numbers, JSON Lines, CSV, Markdown."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import get_args

from lmdeck.backend.decode import count, number, parse, records, text
from lmdeck.backend.decode import fields as record_in
from lmdeck.model.exchange import Certainty, Exchange, ExchangeRecord
from lmdeck.model.log import PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine
from lmdeck.model.text import clean, one_line

COLUMNS = tuple(field.name for field in fields(ExchangeRecord))
_STATS = tuple(field.name for field in fields(PredictionStats))
_COUNTS = ("prompt_tokens", "predicted_tokens", "draft_tokens", "accepted_draft_tokens")
# What a spreadsheet takes for a formula when a cell begins with it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_FENCE = re.compile(r"`{3,}")

Json = dict[str, object]


def record(exchange: Exchange, server: str) -> ExchangeRecord:
    """What is kept of a finished exchange on `server` (its address): numbers, no text."""
    stats = exchange.stats or PredictionStats()
    return ExchangeRecord(
        at=exchange.at,
        server=server,
        instance_id=exchange.instance_id,
        path=exchange.path,
        error=exchange.error,
        certainty=exchange.certainty,
        **{name: getattr(stats, name) for name in _STATS},
    )


def as_jsonl(exchanges: Iterable[Exchange], *, with_text: bool = False) -> Iterator[str]:
    """One JSON object and line end for each exchange; its log lines, prompt and answer only `with_text`. Times are
    Unix seconds."""
    for exchange in exchanges:
        yield _dumped(_object(exchange, with_text)) + "\n"


def from_jsonl(lines: Iterable[str]) -> Iterator[Exchange]:
    """The exchanges of an export; lines that are none are left out, fields of a wrong type absent."""
    for line in lines:
        try:
            given = record_in(parse(line))
        except ValueError:
            continue
        if (exchange := _exchange(given)) is not None:
            yield exchange


def as_csv(records: Iterable[ExchangeRecord]) -> Iterator[str]:
    """A header and one line for each record; `at` is UTC as `2026-11-24T12:17:37.123Z`. Text that a spreadsheet would
    take for a formula gets an apostrophe before it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for each in records:
        row = asdict(each) | {"at": _moment(each.at)}
        writer.writerow([_cell(row[name]) for name in COLUMNS])
        yield _emptied(buffer)
    if rest := _emptied(buffer):
        yield rest


def as_markdown(exchanges: Iterable[Exchange], *, with_text: bool = False) -> Iterator[str]:
    """A section for each exchange: what was asked, its numbers, and `with_text` prompt and answer."""
    for exchange in exchanges:
        name = _plain(exchange.instance_id or "unknown model")
        yield f"## {exchange.number}. {name}, {_moment(exchange.at)}\n\n"
        yield "".join(f"- {label}: {value}\n" for label, value in _facts(exchange) if value)
        if exchange.parameters:
            yield _fenced(json.dumps(exchange.parameters, ensure_ascii=False, indent=2), "json")
        if with_text and exchange.input is not None:
            yield "\n### Prompt\n" + _fenced(exchange.input.text)
        if with_text and exchange.output is not None:
            yield "\n### Answer\n" + _fenced(exchange.output.text)
        yield "\n"


def _object(exchange: Exchange, with_text: bool) -> Json:
    found: Json = {
        "number": exchange.number,
        "at": exchange.at,
        "ended_at": exchange.ended_at,
        "instance_id": exchange.instance_id,
        "path": exchange.path,
        "parameters": dict(exchange.parameters),
        "client": exchange.client,
        "slot": exchange.slot,
        "stats": None if exchange.stats is None else _known(asdict(exchange.stats)),
        "error": exchange.error,
        "certainty": exchange.certainty,
        "doubt": exchange.doubt,
    }
    if with_text:
        found |= {name: None if line is None else asdict(line) for name, line in _lines(exchange)}
        found["runtime"] = [asdict(line) for line in exchange.runtime]
        if isinstance(output := found["output"], dict):
            del output["stats"]
    return _known(found)


def _dumped(given: Json) -> str:
    """One line of JSON that is UTF-8: lone surrogates are escaped, NaN and infinities null."""
    try:
        line = json.dumps(given, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        line.encode()
    except UnicodeEncodeError:
        return json.dumps(given, separators=(",", ":"))
    except ValueError:
        return _dumped(json.loads(json.dumps(given), parse_constant=lambda _: None))
    return line


def _lines(
    exchange: Exchange,
) -> tuple[tuple[str, ServerLine | PredictionInput | PredictionOutput | None], ...]:
    return (
        ("request", exchange.request),
        ("input", exchange.input),
        ("output", exchange.output),
        ("generated", exchange.generated),
    )


def _known(given: Mapping[str, object]) -> Json:
    """Without what is not known."""
    return {name: value for name, value in given.items() if value not in (None, "", {}, [])}


def _exchange(given: Json) -> Exchange | None:
    at, number_ = number(given.get("at")), count(given.get("number"))
    if at is None or number_ is None:
        return None
    stats = _stats(record_in(given["stats"])) if "stats" in given else None
    certainty = given.get("certainty")
    output = _output(given.get("output"))
    return Exchange(
        number_,
        text(given.get("instance_id")) or "",
        at,
        number(given.get("ended_at")),
        path=text(given.get("path")) or "",
        parameters=record_in(given.get("parameters")),
        client=text(given.get("client")) or "",
        request=_server(given.get("request")),
        input=_input(given.get("input")),
        output=replace(output, stats=stats) if output else None,
        generated=_server(given.get("generated")),
        runtime=tuple(line for each in records(given.get("runtime")) if (line := _runtime(each)) is not None),
        slot=count(given.get("slot")),
        stats=stats,
        error=text(given.get("error")) or "",
        certainty=next((known for known in _CERTAINTIES if known == certainty), "guess"),
        doubt=text(given.get("doubt")) or "",
    )


_CERTAINTIES: tuple[Certainty, ...] = get_args(Certainty)


def _stats(given: Json) -> PredictionStats:
    counts = {name: count(given.get(name)) for name in _COUNTS}
    return PredictionStats(
        text(given.get("stop_reason")),
        number(given.get("tokens_per_second")),
        number(given.get("ttft_s")),
        number(given.get("total_time_s")),
        **counts,
    )


def _server(given: object) -> ServerLine | None:
    line = record_in(given)
    at = number(line.get("at"))
    return None if at is None else ServerLine(at, text(line.get("text")) or "", text(line.get("level")) or "info")


def _input(given: object) -> PredictionInput | None:
    line = record_in(given)
    at = number(line.get("at"))
    if at is None:
        return None
    words, path = text(line.get("text")) or "", text(line.get("model_path")) or ""
    return PredictionInput(at, text(line.get("instance_id")) or "", words, path)


def _output(given: object) -> PredictionOutput | None:
    line = record_in(given)
    at = number(line.get("at"))
    words = text(line.get("text")) or ""
    return None if at is None else PredictionOutput(at, text(line.get("instance_id")) or "", words)


def _runtime(line: Json) -> RuntimeLine | None:
    at = number(line.get("at"))
    if at is None:
        return None
    return RuntimeLine(
        at,
        text(line.get("text")) or "",
        text(line.get("level")) or "info",
        text(line.get("engine")) or "",
        text(line.get("engine_version")) or "",
        text(line.get("instance_id")),
        count(line.get("pid")),
        text(line.get("source")) or "runtime",
    )


def _moment(at: float) -> str:
    try:
        moment = datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return "–"
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(value)
    line = one_line(value)
    return f"'{line}" if value.startswith(_FORMULA) or line.startswith(_FORMULA) else line


def _emptied(buffer: io.StringIO) -> str:
    said = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return said


def _facts(exchange: Exchange) -> Iterator[tuple[str, str]]:
    stats = exchange.stats or PredictionStats()
    yield "request", _plain(f"POST {exchange.path}") if exchange.path else ""
    yield "client", _plain(exchange.client)
    yield "tokens in", _figure(stats.prompt_tokens)
    yield "tokens out", _figure(stats.predicted_tokens)
    yield "speed", _figure(stats.tokens_per_second, ".1f", " tok/s")
    yield "TTFT", _figure(stats.ttft_s, ".2f", " s")
    yield "total", _figure(stats.total_time_s, ".2f", " s")
    if stats.draft_tokens is not None and stats.accepted_draft_tokens is not None:
        yield "draft tokens accepted", f"{stats.accepted_draft_tokens} of {stats.draft_tokens}"
    yield "stop reason", _plain(stats.stop_reason or "")
    yield "error", _plain(exchange.error)
    if exchange.certainty != "certain" or exchange.doubt:
        yield "joined", _plain(f"{exchange.certainty}: {exchange.doubt}" if exchange.doubt else exchange.certainty)


def _figure(value: float | None, form: str = "d", unit: str = "") -> str:
    return "" if value is None else f"{value:{form}}{unit}"


def _plain(words: str) -> str:
    """Text from outside on one line, that Markdown takes as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", one_line(words))


def _fenced(words: str, language: str = "") -> str:
    """Text from outside as a block of its own, whatever it holds."""
    words = clean(words, len(words))
    fence = "`" * (max((len(run) for run in _FENCE.findall(words)), default=2) + 1)
    return f"\n{fence}{language}\n{words.rstrip()}\n{fence}\n"
