"""`lmdeck demo-server`: the embedded LM Studio-compatible server as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import string
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from lmdeck.demo.faults import TABLE, Faults
from lmdeck.demo.preflight import missing


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="lmdeck demo-server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--engine", choices=("llama", "scripted"), default="llama", help="llama.cpp, or canned answers")
    parser.add_argument("--model", type=Path, metavar="FILE.gguf", help="the model that the llama engine offers")
    parser.add_argument("--no-auth", action="store_true", help="ask for no token")
    parser.add_argument("--no-jit", action="store_true", help="do not load models just in time")
    parser.add_argument("--jit-ttl", type=float, default=3600.0, metavar="S", help="idle seconds before JIT models go")
    parser.add_argument("--timings", default="", metavar="load=S,ttft=S,rate=N", help="scripted engine's timings")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME[*TIMES][:/PATH]", help=f"one of {', '.join(TABLE)}"
    )
    parser.add_argument("--parent-stdin", action="store_true", help="end when standard input ends")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Serve until told to stop; prints one JSON line `{"url", "token", "lms", "models"}` when ready (`models`: the
    models folder, null without files). Exit code 0, or 1 with a sentence on stderr."""
    options = parser().parse_args(argv)
    if lack := missing(options.engine, options.model):
        print(lack, file=sys.stderr)
        return 1
    from lmdeck.demo.server import StartError  # only now: without the extra it cannot be imported

    try:
        return asyncio.run(_serve(options, Faults(options.fault)))
    except (ValueError, OSError, StartError) as error:
        print(error, file=sys.stderr)
        return 1


def new_token() -> str:
    """A random token of LM Studio's form: the prefix, 8 letters or digits, a colon, 20 more."""
    alphabet = string.ascii_letters + string.digits
    name, secret = ("".join(secrets.choice(alphabet) for _ in range(length)) for length in (8, 20))
    return f"sk-lm-{name}:{secret}"


async def _serve(options: argparse.Namespace, faults: Faults) -> int:
    from lmdeck.demo.server import DemoApp

    stop = asyncio.Event()
    release = _on_signals(stop)
    if options.parent_stdin:
        _on_stdin_end(stop)
    token = "" if options.no_auth else new_token()
    try:
        async with DemoApp(options, faults, token) as demo:
            models = None if demo.models is None else str(demo.models)
            ready = {"url": f"http://127.0.0.1:{demo.port}", "token": token, "lms": str(demo.lms), "models": models}
            print(json.dumps(ready), flush=True)
            await stop.wait()
    finally:
        release()
    return 0


def _on_signals(stop: asyncio.Event) -> Callable[[], None]:
    """Set `stop` on SIGINT, SIGTERM, SIGHUP and Ctrl-Break; answers what restores the old handlers."""
    loop = asyncio.get_running_loop()
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]

    def handle(number: int, frame: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    before = {name: signal.signal(getattr(signal, name), handle) for name in names}

    def release() -> None:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)

    return release


def _on_stdin_end(stop: asyncio.Event) -> None:
    """Set `stop` when standard input ends: the parent closed it or died, however it died."""
    loop = asyncio.get_running_loop()

    def watch() -> None:
        while os.read(0, 4096):
            pass
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, name="parent", daemon=True).start()
