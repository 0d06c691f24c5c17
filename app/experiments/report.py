"""A benchmark in words, as Markdown and as JSON.

The JSON has `schema` = `lmdeck.bench/1`; times are seconds (`at`: ISO 8601, UTC), speeds tokens per second, and what is
not known is null. Fields may be added under the same schema; none changes its meaning.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from lmdeck.model.experiment import BenchLevel, BenchResult
from lmdeck.model.text import one_line
from lmdeck.model.units import UNKNOWN

SCHEMA = "lmdeck.bench/1"


def conclusion(result: BenchResult) -> str:
    """Where it stops scaling, and how that goes with the slots."""
    if not result.levels:
        return "Nothing was measured."
    most, top = max(level.together for level in result.levels), result.levels[-1].concurrency
    if result.effective is None:
        words = f"The most at once, {top}, still brought more tokens: the limit was not reached."
    else:
        words = f"More than {result.effective} at once bring no more tokens: that is the effective concurrency."
    words += f" At most {most} generated at the same time"
    if result.slots is None:
        return f"{words}; how many slots there are is not told."
    if most < min(result.slots, top):
        return (
            f"{words} although there are {result.slots} slots: something else limits, such as Max concurrent requests."
        )
    return f"{words}; slots: {result.slots}."


def as_markdown(result: BenchResult) -> str:
    """A heading, the circumstances, a table with a row a level, the conclusion."""
    lines = [
        f"# Benchmark of {_code(result.instance_id)}",
        "",
        f"{_time(result)}, slots: {_or_unknown(result.slots)}, prompt: {_or_unknown(result.prompt_tokens)} tokens, "
        f"answers: up to {result.answer_tokens} tokens.",
        "",
        "| at once | together | tokens | wall s | total tok/s | each tok/s | TTFT s | failed |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for level in result.levels:
        cells = (
            str(level.concurrency),
            str(level.together),
            str(level.tokens),
            f"{level.wall_s:.2f}",
            f"{level.aggregate:.1f}",
            middle(level.each, 1),
            middle(level.ttft, 2),
            str(level.failed),
        )
        lines.append(f"| {' | '.join(cells)} |")
    refusals = [f"- {level.concurrency} at once: {_code(level.refusal)}" for level in result.levels if level.refusal]
    lines += ["", "Each and TTFT are medians.", ""]
    if refusals:
        lines += ["Failures:", "", *refusals, ""]
    return "\n".join([*lines, conclusion(result), ""])


def as_json(result: BenchResult) -> str:
    """The whole result, with a newline at the end."""
    record = {
        "schema": SCHEMA,
        "instance": result.instance_id,
        "at": datetime.fromtimestamp(result.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "slots": result.slots,
        "prompt_tokens": result.prompt_tokens,
        "answer_tokens": result.answer_tokens,
        "effective_concurrency": result.effective,
        "levels": [_record(level) for level in result.levels],
    }
    return json.dumps(record, indent=2) + "\n"


def _record(level: BenchLevel) -> dict[str, object]:
    return {
        "concurrency": level.concurrency,
        "together": level.together,
        "wall_s": round(level.wall_s, 4),
        "tokens": level.tokens,
        "tokens_per_second": round(level.aggregate, 2),
        "each_tokens_per_second": [round(value, 2) for value in level.each],
        "ttft_s": [round(value, 4) for value in level.ttft],
        "failed": level.failed,
        "refusal": level.refusal or None,
    }


def export_name(result: BenchResult) -> str:
    """A file name without its ending, safe on every system: `lmdeck-bench-qwen3-coder-30b-20261124-231405`."""
    stem = re.sub(r"[^A-Za-z0-9._]+", "-", result.instance_id).strip("-.")[:80] or "instance"
    return f"lmdeck-bench-{stem}-{datetime.fromtimestamp(result.at, UTC):%Y%m%d-%H%M%S}"


def write_report(result: BenchResult, folder: Path) -> tuple[Path, Path]:
    """Write `<export_name>.md` and `.json` into `folder`, which is made if need be; answers both paths. Raises OSError.
    Blocks: call it in a thread."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / export_name(result)
    files = stem.with_name(f"{stem.name}.md"), stem.with_name(f"{stem.name}.json")
    for file, text in zip(files, (as_markdown(result), as_json(result)), strict=True):
        file.write_text(text, encoding="utf-8")
    return files


def middle(values: tuple[float, ...], digits: int) -> str:
    """The median with so many decimals."""
    return f"{median(values):.{digits}f}" if values else UNKNOWN


def _time(result: BenchResult) -> str:
    return f"{datetime.fromtimestamp(result.at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _or_unknown(value: int | None) -> str:
    return UNKNOWN if value is None else str(value)


def _code(text: str) -> str:
    """Text from outside as inline code: nothing in it is Markdown."""
    return f"`{one_line(text).replace('`', chr(39))}`"
