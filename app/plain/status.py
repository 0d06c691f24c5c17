"""`lmdeck status`: whether the server is there, and how it is."""

import argparse
from collections.abc import Sequence

from lmdeck.model.units import UNKNOWN
from lmdeck.plain.frame import new_parser, run, settings_of
from lmdeck.plain.printing import Record, document, show
from lmdeck.plain.reader import Reader, reading
from lmdeck.state.views import loaded_rows


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `status`; answers the exit code: 3 where the server is down, 4 where it wants a
    token."""
    parser = new_parser("status", "Tells whether LM Studio answers, what runs there and how busy it is.", watch=True)
    return run(parser, argv, _status)


async def _status(options: argparse.Namespace) -> None:
    async with reading(settings_of(options)) as reader:
        await reader.look_at_models()
        await reader.ask_runtime()

        async def look() -> tuple[Record, str]:
            await reader.look()
            record = _record(reader)
            return record, _words(record)

        await show(options, "lmdeck status", look)


def _record(reader: Reader) -> Record:
    state, rows = reader.state, loaded_rows(reader.state) or ()
    problem = state.activity_problem or reader.sources.cli_missing
    queues = [row.queue for row in rows if row.queue is not None]
    return document(
        "status",
        {
            "url": state.url,
            "latency_s": state.latency_s,
            "token": state.has_token,
            "runtime": state.runtime,
            "models": len(state.models or ()),
            "loaded": [row.id for row in rows],
            "busy": sum(row.busy for row in rows),
            "queued": sum(queues) if queues else None if rows else 0,
            "collapsed": [row.id for row in rows if row.context.mark == "collapsed"],
            "lms": problem.sentence if problem else "ok",
        },
    )


def _words(record: Record) -> str:
    loaded, latency = record["loaded"], record["latency_s"]
    assert isinstance(loaded, list)
    assert isinstance(latency, float)
    lines = [
        ("server", f"{record['url']}  answers in {max(1, round(latency * 1000))} ms"),
        ("token", "accepted" if record["token"] else "none needed"),
        ("runtime", str(record["runtime"] or UNKNOWN)),
        ("models", str(record["models"])),
        ("loaded", f"{len(loaded)}{': ' if loaded else ''}{', '.join(loaded)}"),
        ("busy", str(record["busy"])),
        ("queued", UNKNOWN if record["queued"] is None else str(record["queued"])),
        ("lms", str(record["lms"])),
    ]
    if collapsed := record["collapsed"]:
        assert isinstance(collapsed, list)
        lines.append(("collapsed", ", ".join(collapsed)))
    return "\n".join(f"{name:<10}{words}" for name, words in lines)
