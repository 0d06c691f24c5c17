"""`lmdeck ps`: what is in memory."""

import argparse
import time
from collections.abc import Sequence

from lmdeck.model.rows import LoadedRow
from lmdeck.model.units import UNKNOWN, countdown, gigabytes
from lmdeck.plain.frame import new_parser, run, settings_of
from lmdeck.plain.printing import Record, document, show, table
from lmdeck.plain.reader import reading
from lmdeck.plain.records import instance_record
from lmdeck.state.views import loaded_rows
from lmdeck.widgets.paint.line import plain
from lmdeck.widgets.paint.loaded import context

_HEADS = ("INSTANCE", "STATE", "CTX", "SLOTS", "QUEUE", "TTL", "GB", "MODEL")


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `ps`; answers the exit code."""
    words = (
        "Lists the instances in memory. CTX is the context length with a mark: ? only reported, ✓ the runtime agrees, "
        "A→B ✗ collapsed. What `lms ps` alone knows (queue, idle time) is – without lms."
    )
    return run(new_parser("ps", words, watch=True), argv, _ps)


async def _ps(options: argparse.Namespace) -> None:
    async with reading(settings_of(options)) as reader:

        async def look() -> tuple[Record, str]:
            rows = loaded_rows(await reader.look()) or ()
            record = document("ps", {"instances": [instance_record(row, reader.wall) for row in rows]})
            return record, _table(rows)

        await show(options, "lmdeck ps", look)


def _table(rows: Sequence[LoadedRow]) -> str:
    if not rows:
        return "nothing is loaded"
    now = time.monotonic()
    return table(_HEADS, [_cells(row, now) for row in rows], right={"SLOTS", "QUEUE", "TTL", "GB"})


def _cells(row: LoadedRow, now: float) -> tuple[str, ...]:
    return (
        row.id,
        row.state,
        plain(context(row.context)),
        UNKNOWN if row.slots is None else str(row.slots),
        UNKNOWN if row.queue is None else str(row.queue),
        countdown(None if row.ttl_deadline is None else row.ttl_deadline - now),
        gigabytes(row.size_bytes),
        row.model_key,
    )
