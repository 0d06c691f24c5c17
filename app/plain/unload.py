"""`lmdeck unload ID…|--all`: give memory back."""

import argparse
from collections.abc import Sequence

from lmdeck.backend.errors import BackendError
from lmdeck.commands import Commands
from lmdeck.plain.frame import EXIT_USAGE, Failed, new_parser, run, settings_of
from lmdeck.plain.printing import document, emit
from lmdeck.plain.reader import must_change, reading, the_instance
from lmdeck.state.events import Event, UnloadEnded


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `unload`; answers the exit code. What could be unloaded is told, even where
    something could not."""
    parser = new_parser("unload", "Unloads instances, one after another, without asking.")
    parser.add_argument("instances", nargs="*", metavar="ID", help="as `lmdeck ps` has it")
    parser.add_argument("--all", action="store_true", help="everything that is in memory")
    return run(parser, argv, _unload)


async def _unload(options: argparse.Namespace) -> None:
    if bool(options.instances) == options.all:
        raise Failed("name instances, or --all", EXIT_USAGE)
    settings = settings_of(options)
    must_change(settings)
    async with reading(settings) as reader:
        state = await reader.look_at_models()
        loaded = state.instances() if options.all else [the_instance(state, name) for name in options.instances]
        gone = list[str]()

        def note(event: Event) -> None:
            if isinstance(event, UnloadEnded) and event.problem is None:
                gone.append(event.instance_id)

        problem: BackendError | None = None
        try:
            await Commands(reader.sources.backend, note).unload_all([instance.id for instance in loaded])
        except BackendError as error:
            problem = error
        words = f"Unloaded {', '.join(gone)}" if gone else "nothing was unloaded"
        emit(options, document("unload", {"unloaded": gone}), words)
        if problem is not None:
            raise problem
