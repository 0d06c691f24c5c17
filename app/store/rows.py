"""Rows and JSON of the history from and to the deck's values. What is read is decoded as if it came from outside."""

import json
from collections.abc import Mapping
from dataclasses import asdict, astuple, fields

from lmdeck.backend.decode import count, flag, number, parse, text
from lmdeck.backend.decode import fields as record_of
from lmdeck.model.exchange import Certainty, ExchangeRecord, ExchangeText, PastExchange
from lmdeck.model.history import LoadRecord, Preset
from lmdeck.model.load import LoadRequest
from lmdeck.model.statistics import Day

Cell = str | int | float | None
Row = Mapping[str, object]

LOAD_COLUMNS = tuple(field.name for field in fields(LoadRecord))
EXCHANGE_COLUMNS = tuple(field.name for field in fields(ExchangeRecord))
_MAX_TEXT = 8192
_LARGEST = 2**63 - 1  # SQLite's integers have 64 bits


def load_row(record: LoadRecord) -> dict[str, Cell]:
    """The columns of a load."""
    return {name: cell(getattr(record, name)) for name in LOAD_COLUMNS if name != "settings"} | {
        "settings": settings_text(record.settings)
    }


def load_record(row: Row) -> LoadRecord | None:
    """The load in a row; None for one that names no model or has no time."""
    at, key = number(row["at"]), text(row["model_key"])
    if at is None or not key:
        return None
    return LoadRecord(
        at=at,
        server=text(row["server"]) or "",
        machine=text(row["machine"]) or "",
        model_key=key,
        instance_id=text(row["instance_id"]) or "",
        settings=settings_of(row["settings"], key),
        load_time_s=number(row["load_time_s"]),
        predicted_gpu=count(row["predicted_gpu"]),
        predicted_ram=count(row["predicted_ram"]),
        confidence=text(row["confidence"]) or "",
        lmstudio_gpu=count(row["lmstudio_gpu"]),
        lmstudio_total=count(row["lmstudio_total"]),
        measured_gpu=_whole(row["measured_gpu"]),
        measured_ram=_whole(row["measured_ram"]),
        allocated_context=count(row["allocated_context"]),
        cause=text(row["cause"]) or "",
    )


def preset_row(preset: Preset) -> dict[str, Cell]:
    """The columns of a preset."""
    return {
        "model_key": cell(preset.settings.model),
        "name": cell(preset.name),
        "settings": settings_text(preset.settings),
    }


def preset(row: Row) -> Preset | None:
    """The preset in a row; None for one that names no model."""
    key = text(row["model_key"])
    return Preset(text(row["name"]) or "", settings_of(row["settings"], key)) if key else None


def settings_text(settings: LoadRequest) -> str:
    """The settings that were set, as JSON; the model is a column of its own."""
    return json.dumps(
        {name: value for name, value in asdict(settings).items() if value is not None and name != "model"}
    )


def settings_of(raw: object, model: str) -> LoadRequest:
    """Settings from JSON: unknown ones are ignored, those of a wrong type absent, all of them in no JSON."""
    try:
        said = record_of(parse(raw)) if isinstance(raw, str) else {}
    except ValueError:
        said = {}
    return LoadRequest(
        model,
        context_length=count(said.get("context_length")),
        eval_batch_size=count(said.get("eval_batch_size")),
        flash_attention=flag(said.get("flash_attention")),
        num_experts=count(said.get("num_experts")),
        offload_kv_cache_to_gpu=flag(said.get("offload_kv_cache_to_gpu")),
        parallel=count(said.get("parallel")),
        gpu=number(said.get("gpu")),
        ttl_s=count(said.get("ttl_s")),
        identifier=text(said.get("identifier")),
    )


def exchange_row(record: ExchangeRecord) -> tuple[Cell, ...]:
    """The cells of an exchange, in the order of `EXCHANGE_COLUMNS`."""
    return tuple(map(cell, astuple(record)))


def exchange_record(row: Row) -> ExchangeRecord | None:
    """The exchange in a row; None for one without a time."""
    at, certainty = number(row["at"]), row["certainty"]
    if at is None:
        return None
    certain: Certainty = "certain" if certainty == "certain" else "likely" if certainty == "likely" else "guess"
    return ExchangeRecord(
        at=at,
        server=text(row["server"]) or "",
        instance_id=text(row["instance_id"]) or "",
        path=text(row["path"]) or "",
        stop_reason=text(row["stop_reason"]),
        prompt_tokens=count(row["prompt_tokens"]),
        predicted_tokens=count(row["predicted_tokens"]),
        tokens_per_second=number(row["tokens_per_second"]),
        ttft_s=number(row["ttft_s"]),
        total_time_s=number(row["total_time_s"]),
        draft_tokens=count(row["draft_tokens"]),
        accepted_draft_tokens=count(row["accepted_draft_tokens"]),
        error=text(row["error"]) or "",
        certainty=certain,
    )


def past_exchange(row: Row) -> PastExchange | None:
    """The same with its number."""
    number, record = count(row["id"]), exchange_record(row)
    return None if number is None or record is None else PastExchange(number, record)


def exchange_text(row: Row) -> ExchangeText | None:
    """Prompt and answer in a row, where they were kept."""
    prompt, answer = text(row["prompt"]), text(row["answer"])
    return None if prompt is None and answer is None else ExchangeText(prompt or "", answer or "")


def day(row: Row) -> Day:
    """A day's totals of one model."""
    whole = (count(row[name]) or 0 for name in ("requests", "tokens_in", "tokens_out", "errors"))
    return Day(text(row["date"]) or "", text(row["instance_id"]) or "", *whole)


def cell(value: object, longest: int = _MAX_TEXT) -> Cell:
    """A value as SQLite keeps it: bounded text that is UTF-8, numbers within 64 bits."""
    if isinstance(value, str):
        return value[:longest].encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return max(-_LARGEST, min(value, _LARGEST))
    return value if isinstance(value, float) else None


def _whole(value: object) -> int | None:
    """A whole number, which may be below zero: memory can shrink while a model is loaded."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
