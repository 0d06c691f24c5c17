"""`lmdeck gpu`: the GPUs and the memory of the machine that models run on."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import aclosing

from lmdeck.model.machine import Gpu, HostSample
from lmdeck.model.units import UNKNOWN, gib, percent
from lmdeck.plain.frame import new_parser, run, settings_of
from lmdeck.plain.printing import Record, document, show, table
from lmdeck.plain.reader import reading
from lmdeck.plain.records import gpu_record, host_record
from lmdeck.state.events import MachineSeen
from lmdeck.widgets.paint.gpu import amounts, holders, short_name
from lmdeck.widgets.paint.line import plain

_HEADS = ("GPU", "NAME", "UTIL", "TEMP", "POWER", "VRAM", "HELD BY (GiB)")
_MANY_CELLS = 200


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `gpu`; answers the exit code. The server need not answer."""
    words = "Shows the GPUs of this machine, who holds their memory, its RAM, and LM Studio's engines on it."
    return run(new_parser("gpu", words, watch=True), argv, _gpu)


async def _gpu(options: argparse.Namespace) -> None:
    async with reading(settings_of(options)) as reader, aclosing(reader.readings()) as readings:

        async def look() -> tuple[Record, str]:
            seen = await anext(readings)
            return _record(seen), "\n".join(_lines(seen))

        await show(options, "lmdeck gpu", look)


def _record(seen: MachineSeen) -> Record:
    sample = seen.gpus
    return document(
        "gpu",
        {
            "gpus": [gpu_record(gpu) for gpu in sample.gpus] if sample else [],
            "problem": sample.problem.sentence if sample and sample.problem else None,
            "host": host_record(seen.host),
        },
    )


def _lines(seen: MachineSeen) -> Iterator[str]:
    gpus = seen.gpus.gpus if seen.gpus else ()
    if gpus:
        yield table(_HEADS, [_cells(gpu) for gpu in gpus], right={"UTIL", "TEMP", "POWER", "VRAM"})
    elif seen.gpus and seen.gpus.problem:
        yield f"GPU  {seen.gpus.problem.sentence}"
    yield from _host(seen.host)


def _cells(gpu: Gpu) -> tuple[str, ...]:
    held = plain(holders(gpu.vram_used, gpu.vram_lmstudio, gpu.holders, _MANY_CELLS))
    watts = UNKNOWN if gpu.power is None else f"{gpu.power:.0f} W"
    return (
        str(gpu.index),
        short_name(gpu.name) + (" (simulated)" if gpu.simulated else ""),
        percent(gpu.utilisation),
        UNKNOWN if gpu.temperature is None else f"{gpu.temperature:.0f} °C",
        watts,
        amounts(gpu.vram_used, gpu.vram_total),
        gpu.problem.sentence if gpu.problem else held or UNKNOWN,
    )


def _host(host: HostSample) -> Iterator[str]:
    yield f"RAM  {amounts(host.ram_used, host.ram_total)}, CPU {percent(host.cpu)}"
    if host.engines:
        rows = [(str(one.pid), one.name, percent(one.cpu), gib(one.rss), gib(one.vram)) for one in host.engines]
        yield table(("PID", "ENGINE", "CPU", "RAM GiB", "VRAM GiB"), rows, right={"PID", "CPU", "RAM GiB", "VRAM GiB"})
