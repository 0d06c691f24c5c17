"""`lmdeck web`: the deck in a browser, for whoever has the address that it prints."""

import argparse
import asyncio
import importlib.util
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Final

from lmdeck.plain.address import Address, address
from lmdeck.plain.frame import Failed, new_parser, run, settings_of, tell

DEFAULT: Final = "127.0.0.1:9465"
PROG: Final = "lmdeck web"
_NO_EXTRA = 'The web server needs its extra: pip install "lmdeck[web]"'
_READY = "open this address in a browser on this machine; it works once, and what opens it acts as you"
_OPEN = (
    "the traffic of {where} is not encrypted: who can read it can take the deck over and act as you; safer: listen on "
    "loopback, and ssh -L {port}:127.0.0.1:{port} from there"
)


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `web` until Ctrl+C or SIGTERM; answers the exit code."""
    words = (
        "Serves the deck to one browser, until Ctrl+C. Prints an address that lets the first browser in that opens it. "
        "Each page is a deck of its own, which ends with the page."
    )
    parser = new_parser("web", words, json=False)
    parser.add_argument(
        "--listen", type=address, default=DEFAULT, metavar="HOST:PORT", help=f"where to serve it [{DEFAULT}]"
    )
    words = "a further name that browsers may call this server by; can be given again"
    parser.add_argument("--host", action="append", default=[], metavar="NAME", help=words)
    parser.add_argument("--read-only", action="store_true", default=None, help="change nothing on the server")
    parser.add_argument("--no-gpu", dest="gpu", action="store_false", default=None, help="do not ask the GPU driver")
    return run(parser, argv, _serve, endless=True)


async def _serve(options: argparse.Namespace) -> None:
    if importlib.util.find_spec("textual_serve") is None:
        raise Failed(_NO_EXTRA)
    settings_of(options)  # what is wrong with them is told here, and not by a deck that no page shows

    from lmdeck.web.guard import Guard
    from lmdeck.web.serving import WebServer

    guard = Guard(options.listen.host, options.host)
    server = WebServer(deck_arguments(options), guard)
    try:
        try:
            port = await server.open(*options.listen)
        except OSError as error:
            raise Failed(f"cannot listen on {options.listen}: {error.strerror or error}") from None
        _announce(options.listen._replace(port=port), options.host, guard.token)
        with redirect_stdout(sys.stderr):  # textual-serve prints there why a deck failed
            await asyncio.Event().wait()
    finally:
        await server.close()


def deck_arguments(options: argparse.Namespace) -> list[str]:
    """What starts a deck with the same settings; tokens reach it by its environment and its configuration alone."""
    named = (
        ("--url", options.url),
        ("--profile", options.profile),
        ("--lms", options.lms),
        ("--config", options.config),
    )
    given = [f"{name}={value}" for name, value in named if value is not None]
    flags = [name for name, on in (("--read-only", options.read_only), ("--no-gpu", options.gpu is False)) if on]
    return [sys.executable, "-P", "-m", "lmdeck", *given, *flags]


def _announce(at: Address, names: Sequence[str], token: str) -> None:
    host = names[0] if names else {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(at.host, at.host)
    print(f"http://{Address(host, at.port)}/?token={token}", flush=True)
    tell(PROG, _READY)
    if not at.is_loopback:
        tell(PROG, _OPEN.format(where=at, port=at.port))
