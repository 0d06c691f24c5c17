"""`lmdeck bench ID`: how an instance scales with requests at once."""

import argparse
from collections.abc import Sequence
from contextlib import aclosing

from lmdeck.experiments.bench import ANSWER_TOKENS, MOST_AT_ONCE, bench, levels_for
from lmdeck.experiments.report import as_json, conclusion
from lmdeck.model.experiment import BenchLevel, BenchResult
from lmdeck.model.units import rate
from lmdeck.plain.frame import EXIT_USAGE, Failed, new_parser, run, settings_of, tell
from lmdeck.plain.printing import write
from lmdeck.plain.reader import reading, the_instance
from lmdeck.widgets.paint.bench import table
from lmdeck.widgets.paint.line import plain

_PROG = "lmdeck bench"


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `bench`; answers the exit code."""
    parser = new_parser("bench", "Sends short generations, more and more at once, and measures them from outside.")
    parser.add_argument("instance", metavar="ID", help="a loaded instance, as `lmdeck ps` has it")
    parser.add_argument("--levels", type=_levels, metavar="N,N…", help="how many at once [1, 2, 4 … twice the slots]")
    parser.add_argument("--tokens", type=int, default=ANSWER_TOKENS, metavar="N", help="of each answer [%(default)s]")
    return run(parser, argv, _bench)


def _levels(text: str) -> tuple[int, ...]:
    levels = tuple(int(part) for part in text.split(","))
    if not all(1 <= level <= MOST_AT_ONCE for level in levels):
        raise argparse.ArgumentTypeError(f"numbers from 1 to {MOST_AT_ONCE}, with commas")
    return levels


async def _bench(options: argparse.Namespace) -> None:
    if not 1 <= options.tokens <= 4096:
        raise Failed("--tokens is a number from 1 to 4096", EXIT_USAGE)
    async with reading(settings_of(options)) as reader:
        state = await reader.look()
        instance = the_instance(state, options.instance)
        model, activity = state.model_of(instance.id), state.activity.get(instance.id)
        if model is None or model.is_embedding:
            raise Failed(f"{instance.id}: an embedding model generates nothing", EXIT_USAGE)
        slots = instance.config.parallel or (activity.parallel if activity else None)
        levels = options.levels or levels_for(slots)
        if activity is not None and activity.queued:
            tell(_PROG, "others' requests run there: they are slowed down, and the figures are too low")
        steps = bench(reader.sources.backend, instance.id, levels, slots=slots, answer_tokens=options.tokens)
        async with aclosing(steps) as running:
            async for step in running:
                _show(step, options.json)


def _show(step: BenchLevel | BenchResult, as_object: bool) -> None:
    """A level to stderr, the result to stdout."""
    if isinstance(step, BenchLevel):
        failed = f", {step.failed} failed: {step.refusal}" if step.failed else ""
        tell(_PROG, f"{step.concurrency} at once: {rate(step.aggregate)} in all{failed}")
    elif as_object:
        write(as_json(step), end="")
    else:
        write("\n".join([*(plain(line) for line in table(step.levels)), conclusion(step)]))
