"""The command line. It imports the screen only to open it: `--version` and errors come at once."""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

from lmdeck import __version__

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from lmdeck.feeds.sources import Sources

EXIT_FAILED, EXIT_USAGE = 1, 2


class Command(NamedTuple):
    """A command without the screen: the module whose `main(arguments) -> exit code` runs it, and what it does."""

    module: str
    help: str


COMMANDS: Final[Mapping[str, Command]] = {
    "status": Command("lmdeck.plain.status", "tell whether the server answers, and how busy it is"),
    "ps": Command("lmdeck.plain.ps", "list what is in memory"),
    "ls": Command("lmdeck.plain.ls", "list the models on the disk"),
    "gpu": Command("lmdeck.plain.gpu", "show the GPUs and the memory of this machine"),
    "load": Command("lmdeck.plain.load", "load a model, and check that it got what was asked for"),
    "unload": Command("lmdeck.plain.unload", "unload instances"),
    "estimate": Command("lmdeck.estimating", "tell what a model will take in memory"),
    "chat": Command("lmdeck.plain.chat", "ask one question"),
    "log": Command("lmdeck.log_command", "print the log, live"),
    "events": Command("lmdeck.plain.events", "print everything that happens, as JSON lines"),
    "bench": Command("lmdeck.plain.bench", "measure how an instance scales"),
    "doctor": Command("lmdeck.plain.doctor", "check every part, and say how to mend what fails"),
    "discover": Command("lmdeck.plain.discover", "look for LM Studio on the hosts and networks that you name"),
    "config": Command("lmdeck.config_command", "write, check or show the configuration"),
    "exporter": Command("lmdeck.exporter.command", "serve metrics to Prometheus"),
    "web": Command("lmdeck.web.command", "serve the deck to a browser"),
    "completion": Command("lmdeck.completion", "complete commands and options in a shell"),
    "demo-server": Command("lmdeck.demo.main", "run the embedded LM Studio-compatible server alone"),
    "demo-log": Command("lmdeck.demo.demo_log", "replay recorded shapes of log events at any rate"),
}
_EXITS = (
    "exit codes: 0 done, 1 failed (reason on stderr), 2 wrong usage or settings, 3 server unreachable,\n"
    "4 not authorised, 5 verification failed"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `lmdeck` with these arguments; answers the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and (command := COMMANDS.get(arguments[0])) is not None:
        run: Callable[[Sequence[str]], int] = import_module(command.module).main
        return run(arguments[1:])
    options = _parser().parse_args(arguments)
    return _open_deck(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lmdeck",
        description="The terminal deck for LM Studio: models, GPUs, requests and a chat on one live screen.",
        epilog="\n".join(
            (
                "commands without the screen (each has a --help):",
                *(f"  {name:<14}{command.help}" for name, command in COMMANDS.items()),
                "",
                _EXITS,
            )
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lmdeck {__version__}")
    parser.add_argument("--url", help="the server's address [LMDECK_URL, or http://127.0.0.1:1234]")
    parser.add_argument(
        "--profile", metavar="NAME", help="a [servers.NAME] or [profiles.NAME] of the configuration file"
    )
    parser.add_argument("--lms", metavar="PATH", help="LM Studio's command line [LMDECK_LMS, or found]")
    parser.add_argument("--config", metavar="FILE", help="the configuration file [LMDECK_CONFIG]")
    parser.add_argument("--read-only", action="store_true", default=None, help="change nothing on the server")
    parser.add_argument("--no-gpu", dest="gpu", action="store_false", default=None, help="do not ask the GPU driver")
    parser.add_argument("--theme", metavar="NAME", help="lmdeck-dark, lmdeck-light, or any theme of Textual's")
    demo = parser.add_argument_group("demonstration, without LM Studio")
    demo.add_argument("--demo", action="store_true", help="open the deck on the embedded server, with a real model")
    demo.add_argument("--engine", choices=("llama", "scripted"), default="llama", help="what answers there")
    demo.add_argument("--model", metavar="FILE.gguf", help="another model for the embedded server")
    return parser


def _open_deck(options: argparse.Namespace) -> int:
    from lmdeck.config.errors import ConfigError
    from lmdeck.config.settings import load_settings

    try:
        settings = load_settings(vars(options), os.environ)
    except ConfigError as error:
        return _fail(str(error), EXIT_USAGE)
    # Textual's own variable: `lmdeck web` names a driver there that speaks through pipes.
    if not (os.environ.get("TEXTUAL_DRIVER") or (sys.stdin.isatty() and sys.stdout.isatty())):
        return _fail("the deck needs a terminal; run it in one, or see `lmdeck --help`.", EXIT_FAILED)

    gc.disable()  # nothing that the start makes is garbage, looking for it takes a tenth of the time; main enables it
    from lmdeck.main import LMDeck

    demo = None
    if options.demo:
        from pathlib import Path

        from lmdeck.demo.launch import DemoServer
        from lmdeck.demo.preflight import missing

        model = Path(options.model) if options.model else None
        if lack := missing(options.engine, model):
            return _fail(lack, EXIT_FAILED)
        demo = DemoServer(options.engine, model=model)

    def open_sources() -> "AbstractAsyncContextManager[Sources]":
        from lmdeck import connect  # asked for after the first frame

        return connect.open_sources(settings, demo)

    app = LMDeck(open_sources, read_only=settings.read_only, keys=settings.keys)
    if settings.theme and settings.theme not in app.available_themes:
        return _fail(f"no theme {settings.theme!r}; there are {', '.join(sorted(app.available_themes))}", EXIT_USAGE)
    app.theme = settings.theme or app.theme
    app.run()
    return app.return_code or 0


def _fail(words: str, code: int) -> int:
    print(f"lmdeck: {words}", file=sys.stderr)
    return code
