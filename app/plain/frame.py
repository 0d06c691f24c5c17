"""The frame of every command without the screen: common options, exit codes, JSON, watching.

A command's module has `main(argv) -> exit code`, which is `run(parser, argv, body)`; its body is a coroutine that takes
the parsed options, prints data with `emit` and raises what keeps it from going on.
"""

import argparse
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final

from lmdeck.backend import errors
from lmdeck.backend.output import until_closed
from lmdeck.config.errors import ConfigError
from lmdeck.model.text import one_line
from lmdeck.store.errors import StoreError

if TYPE_CHECKING:
    from lmdeck.config.settings import Settings

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_UNREACHABLE, EXIT_UNAUTHORIZED, EXIT_UNVERIFIED = range(6)
EXITS: Final = (
    "exit codes: 0 done, 1 failed (reason on stderr), 2 wrong usage or settings, 3 server unreachable, "
    "4 not authorised, 5 verification failed"
)

Body = Callable[[argparse.Namespace], Coroutine[Any, Any, int | None]]
"""What a command does; answers its exit code, None for 0."""

_CODES: Final = (
    (errors.Unreachable, EXIT_UNREACHABLE),
    (errors.NotLMStudio, EXIT_UNREACHABLE),
    (errors.Unauthorized, EXIT_UNAUTHORIZED),
    (errors.Forbidden, EXIT_UNAUTHORIZED),
)
_UNREACHABLE = "Start the server (`lms server start`), or name another address with --url."
# Their next steps hold without the screen, too.
_GUIDED = (errors.Unauthorized, errors.Forbidden, errors.NotLMStudio, errors.LoadFailed)


class Failed(Exception):
    """Why a command goes no further, in words for stderr, and its exit code."""

    def __init__(self, words: str, code: int = EXIT_FAILED) -> None:
        super().__init__(words)
        self.code = code


def new_parser(command: str, description: str, *, watch: bool = False, json: bool = True) -> argparse.ArgumentParser:
    """A parser with the options that every command has: --url, --profile, --lms, --config, and --json and --watch where
    the command can do that."""
    parser = argparse.ArgumentParser(prog=f"lmdeck {command}", description=description, epilog=EXITS)
    common = parser.add_argument_group("common options")
    common.add_argument("--url", help="the server's address [LMDECK_URL, or http://127.0.0.1:1234]")
    common.add_argument("--profile", metavar="NAME", help="a profile of the configuration file")
    common.add_argument("--lms", metavar="PATH", help="LM Studio's command line [LMDECK_LMS, or found]")
    common.add_argument("--config", metavar="FILE", help="the configuration file [LMDECK_CONFIG]")
    if json:
        common.add_argument("--json", action="store_true", help="JSON, for programs")
    if watch:
        words = "print again whenever it has changed, until Ctrl+C; looks every SECONDS [2]"
        common.add_argument("--watch", nargs="?", type=_seconds, const=2.0, metavar="SECONDS", help=words)
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 86_400:
        raise argparse.ArgumentTypeError("SECONDS is a number from 0.1 to 86400")
    return value


def run(
    parser: argparse.ArgumentParser,
    argv: Sequence[str],
    body: Body,
    *,
    endless: bool = False,
    before: Callable[[argparse.Namespace], None] | None = None,
) -> int:
    """Parse, run the body in an event loop of its own, and turn what it raises into words on stderr and an exit code.

    Ctrl+C and SIGTERM cancel it: the end that an `endless` or watching command is meant to have, a failure of others.
    `before` is done first, and may block: reading stdin cannot be cancelled in an event loop.
    """
    import asyncio

    def ended(options: argparse.Namespace) -> int:
        async def work() -> int | None:
            end_on_signals()
            return await body(options)

        try:
            if before is not None:
                before(options)
            return asyncio.run(work()) or EXIT_DONE
        except (KeyboardInterrupt, asyncio.CancelledError):
            if endless or getattr(options, "watch", None) is not None:
                return EXIT_DONE
            return _say(parser.prog, "interrupted", EXIT_FAILED)

    return run_blocking(parser, argv, ended)


def run_blocking(
    parser: argparse.ArgumentParser, argv: Sequence[str], work: Callable[[argparse.Namespace], int]
) -> int:
    """As `run`, for a command that needs no event loop or makes its own."""
    try:
        options = parser.parse_args(argv)
    except SystemExit as end:  # argparse has said why
        return end.code if isinstance(end.code, int) else EXIT_USAGE
    return guarded(parser.prog, lambda: work(options))


def guarded(prog: str, work: Callable[[], int]) -> int:
    """What `work` answers, or the exit code for what it raises, with the reason on stderr under this name. A reader of
    stdout that has gone (`| head`) is no failure."""
    try:
        with until_closed():
            return work()
    except Failed as error:
        return _say(prog, str(error), error.code)
    except ConfigError as error:
        return _say(prog, str(error), EXIT_USAGE)
    except errors.BackendError as error:
        return _say(prog, words_of(error), code_of(error))
    except StoreError as error:
        return _say(prog, error.problem.lines, EXIT_FAILED)
    except OSError as error:
        return _say(prog, f"{error.filename or 'standard output'}: {error.strerror or error}", EXIT_FAILED)
    return EXIT_DONE


def code_of(error: errors.BackendError) -> int:
    """The exit code of what the server or `lms` did not do."""
    if (code := next((code for kind, code in _CODES if isinstance(error, kind)), None)) is not None:
        return code
    from lmdeck.connect import NotConfigured

    return EXIT_USAGE if isinstance(error, NotConfigured) else EXIT_FAILED


def words_of(error: errors.BackendError) -> str:
    """What happened, and on a line of its own what to do; the deck's own keys are of no use here."""
    if isinstance(error, errors.Unreachable):
        return f"{error.problem.sentence}\n{_UNREACHABLE}"
    return error.problem.lines if isinstance(error, _GUIDED) else error.problem.sentence


def tell(prog: str, words: str) -> None:
    """Words for the person, on stderr: each line under the command's name."""
    for line in words.splitlines():
        print(f"{prog}: {one_line(line)}", file=sys.stderr)


def _say(prog: str, words: str, code: int) -> int:
    tell(prog, words)
    return code


def settings_of(options: argparse.Namespace) -> "Settings":
    """The settings with these options over the environment and the file. Raises ConfigError."""
    from lmdeck.config.settings import load_settings

    return load_settings(vars(options), os.environ)


def end_on_signals() -> None:
    """Being told to end is as Ctrl+C: what runs is closed in order."""
    import asyncio
    import signal
    from contextlib import suppress

    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            with suppress(NotImplementedError, RuntimeError):  # Windows; not the main thread
                loop.add_signal_handler(getattr(signal, name), task.cancel)
