"""A log entry as a JSON object: the schema that `lmdeck log --json` prints, one object a line.

Every object has `v` (the schema's version, 1), `type`, `at` (Unix seconds), `source` (model, server, runtime or deck),
`level` and `text`. By `type`:

    input        instance_id, model_path; `text` is the whole prompt with the template's tokens
    output       instance_id; `text` is the whole answer; `stats` null, or an object of stop_reason, tokens_per_second,
                 ttft_s, total_time_s, prompt_tokens, predicted_tokens, draft_tokens, accepted_draft_tokens
    server       –
    runtime      engine, engine_version, instance_id, pid
    unreadable   `text` is a line that was no log event, as it came
    note         lmdeck's own word

With `--stats` the last objects are totals: `v`, `type` "statistics", `instance_id` (null for all models together),
requests, tokens_in, tokens_out, speed and ttft (each count, p50, p95, exact), stop_reasons (counts by reason), errors,
truncated, queue_peak.

What is not known is null. `text` is null where texts are hidden and it would hold one. New keys and types may come
within a version; others do not change.
"""

from __future__ import annotations

from dataclasses import asdict

from lmdeck.model.log import DeckNote, LogEntry, PredictionInput, PredictionOutput, ServerLine, Unreadable
from lmdeck.model.statistics import Summary

VERSION = 1


def entry_record(entry: LogEntry, *, hide_text: bool = False) -> dict[str, object]:
    """The JSON object of an entry. `hide_text` leaves out prompts and answers, and request bodies with them."""
    record: dict[str, object] = {"v": VERSION, "type": _type(entry)}
    record |= {"at": entry.at, "source": entry.source, "level": entry.level}
    if isinstance(entry, PredictionOutput):
        record |= {"instance_id": entry.instance_id, "stats": asdict(entry.stats) if entry.stats else None}
    elif isinstance(entry, PredictionInput):
        record |= {"instance_id": entry.instance_id, "model_path": entry.model_path or None}
    elif not isinstance(entry, ServerLine | Unreadable | DeckNote):
        record |= {
            "engine": entry.engine or None,
            "engine_version": entry.engine_version or None,
            "instance_id": entry.instance_id,
            "pid": entry.pid,
        }
    return record | {"text": _without_text(entry) if hide_text else entry.text}


def summary_record(summary: Summary) -> dict[str, object]:
    """The JSON object of one line of the statistics."""
    values = asdict(summary) | {"instance_id": summary.instance_id or None}
    return {"v": VERSION, "type": "statistics", **values}


def _type(entry: LogEntry) -> str:
    if isinstance(entry, PredictionInput):
        return "input"
    if isinstance(entry, PredictionOutput):
        return "output"
    if isinstance(entry, Unreadable):
        return "unreadable"
    return "note" if isinstance(entry, DeckNote) else entry.source


def _without_text(entry: LogEntry) -> str | None:
    """What may be shown of an entry where prompts and answers may not."""
    if isinstance(entry, PredictionInput | PredictionOutput | Unreadable):
        return None
    return entry.text.partition("{")[0].rstrip() if isinstance(entry, ServerLine) else entry.text
