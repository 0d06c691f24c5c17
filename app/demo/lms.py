"""The demo server's `lms`: LM Studio's command line, as far as lmdeck uses it (`lms --help`).

Results go to stdout; progress, warnings and errors (`Error: …`) go to stderr, as the real command's do. The server's
private port comes from the launcher (LMDECK_DEMO_PORT) or `--port`, the token from LM_API_TOKEN.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator

from lmdeck.demo.lms_client import LmsError, Server, gb, record, records, say, show
from lmdeck.demo.lms_load import Cancelled, load, load_options


def status(server: Server, options: argparse.Namespace) -> None:
    """`lms status`"""
    state = record(server.call("/demo/server"))
    if not state.get("running"):
        print("Server:  OFF")
        return
    print(f"Server: ON (port: {state.get('port')})\n")
    instances = records(server.call("/demo/ps"))
    print("Loaded Models" if instances else "No Models Loaded")
    for each in instances:
        print(f"  · {each['identifier']} - {gb(each['sizeBytes'])}")


def server_command(server: Server, options: argparse.Namespace) -> None:
    """`lms server status|start|stop`"""
    if options.action == "status":
        state = record(server.call("/demo/server"))
        if options.json:
            show({"running": True, "port": state["port"]} if state.get("running") else {"running": False})
        elif state.get("running"):
            say(f"The server is running on port {state['port']}.")
        else:
            say("The server is not running.")
        return
    wanted = options.action == "start"
    state = record(server.call("/demo/server", {"running": wanted}))
    say(f"Success! Server is now running on port {state['port']}" if wanted else "Stopped the server.")


def ps(server: Server, options: argparse.Namespace) -> None:
    """`lms ps`"""
    instances = records(server.call("/demo/ps"))
    if options.json:
        show(instances)
        return
    if not instances:
        say("No models are currently loaded.")
        return
    rows = [["IDENTIFIER", "MODEL", "STATUS", "SIZE", "CONTEXT", "PARALLEL", "TTL"]]
    for each in instances:
        ttl = each["ttlMs"]
        left = f"{ttl / 1000:.0f}s" if isinstance(ttl, int) else ""
        cells = (each["identifier"], each["modelKey"], str(each["status"]).upper(), gb(each["sizeBytes"]))
        rows.append([*map(str, cells), str(each["contextLength"]), str(each["parallel"] or ""), left])
    _table(rows)


def ls(server: Server, options: argparse.Namespace) -> None:
    """`lms ls`; without `--json` it lists no variants, as the real one hides some models"""
    models = records(server.call("/demo/ls"))
    if options.json:
        show(models)
        return
    total = sum(size for each in models if isinstance(size := each["sizeBytes"], int))
    print(f"\nYou have {len(models)} models, taking up {gb(total)} of disk space.\n")
    for kind, title in (("llm", "LLM"), ("embedding", "EMBEDDING")):
        rows = [[title, "PARAMS", "ARCH", "SIZE"]]
        for each in models:
            if each["type"] == kind:
                cells = (each["modelKey"], each.get("paramsString", ""), each["architecture"], gb(each["sizeBytes"]))
                rows.append([*map(str, cells)])
        if len(rows) > 1:
            _table(rows)
            print()


def unload(server: Server, options: argparse.Namespace) -> None:
    """`lms unload`; a model that is not found is told on stderr, with exit code 0"""
    if options.all:
        names = record(server.call("/demo/unload", {"all": True})).get("unloaded")
        say(f"Unloaded {len(names) if isinstance(names, list) else 0} models.")
        return
    if options.identifier is None:
        raise LmsError("Name the model to unload, or use --all.")
    try:
        server.call("/demo/unload", {"identifier": options.identifier})
    except LmsError as error:
        if "is not loaded" not in str(error):
            raise
        say(f'Error: Model "{options.identifier}" not found. Use `lms ps` to see the loaded models.')
        return
    say(f'Model "{options.identifier}" unloaded.')


def log_stream(server: Server, options: argparse.Namespace) -> None:
    """`lms log stream`"""
    if options.source != "model" and (options.stats or options.filter):
        raise LmsError("--stats and --filter can only be used with the model source.")
    wanted = {f"llm.prediction.{kind}" for kind in options.filter.split(",") if kind} if options.filter else None
    batches = server.lines(f"/demo/logs?source={options.source}")
    if next(batches, None) is None:  # an empty line: the server listens from here on
        raise LmsError("Log stream ended: LM Studio closed the connection.")
    say("Streaming logs from LM Studio\n")
    for batch in batches:
        lines = batch if wanted is None else [line for line in batch if _type(line) in wanted]
        if not options.json:
            lines = [text.encode() for line in lines for text in _as_text(line, stats=options.stats)]
        sys.stdout.buffer.write(b"".join(line + b"\n" for line in lines))
        sys.stdout.buffer.flush()
    raise LmsError("Log stream ended: LM Studio closed the connection.")


def _type(line: bytes) -> object:
    try:
        return record(record(json.loads(line)).get("data")).get("type")
    except ValueError:
        return None


def _as_text(line: bytes, *, stats: bool) -> Iterator[str]:
    """An event as the real command prints it without `--json`."""
    try:
        event = record(json.loads(line))
    except ValueError:
        yield line.decode("utf-8", "replace")
        return
    data = record(event.get("data"))
    moment = event.get("timestamp")
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment / 1000 if isinstance(moment, int) else 0))
    yield f"timestamp: {stamp}"
    for name, value in data.items():
        if name != "stats":
            yield f"{name}: {value}"
        elif stats:
            yield from (f"  {key}: {number}" for key, number in record(value).items())
    yield ""


def runtime(server: Server, options: argparse.Namespace) -> None:
    """`lms runtime ls|survey`"""
    answer = record(server.call("/demo/runtime"))
    if options.action == "ls":
        name = f"{answer['name']}@{answer['version']}"
        _table([["LLM ENGINE", "SELECTED", "MODEL FORMAT"], [name, "✓", "GGUF"]])
    elif options.json:
        show(answer["survey"])
    else:
        print(json.dumps(answer["survey"], indent=2))


def version(server: Server, options: argparse.Namespace) -> None:
    """`lms version`"""
    if options.json:
        show({"version": "lmdeck-demo"})
    else:
        print("lms - LM Studio CLI (lmdeck's demo server)")


def _table(rows: list[list[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("    ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def parser() -> argparse.ArgumentParser:
    """The command line."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--host", default="127.0.0.1")
    shared.add_argument("--port", type=int, default=int(os.environ.get("LMDECK_DEMO_PORT", "1234")))
    shared.add_argument("--quiet", action="store_true")
    shared.add_argument("--json", action="store_true")
    top = argparse.ArgumentParser(prog="lms", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: object) -> argparse.ArgumentParser:
        command = commands.add_parser(name, parents=[shared])
        command.set_defaults(run=run)
        return command

    add("status", status)
    add("ps", ps)
    add("ls", ls)
    add("version", version)
    add("runtime", runtime).add_argument("action", choices=("ls", "survey"))
    add("server", server_command).add_argument("action", choices=("status", "start", "stop"))
    load_options(add("load", load))
    unloading = add("unload", unload)
    unloading.add_argument("identifier", nargs="?")
    unloading.add_argument("--all", "-a", action="store_true")
    logs = add("log", log_stream)
    logs.add_argument("action", choices=("stream",))
    logs.add_argument("--stats", action="store_true")
    logs.add_argument("--source", "-s", choices=("model", "server", "runtime"), default="model")
    logs.add_argument("--filter", default="")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; answers the exit code."""
    options = parser().parse_args(argv)
    if options.quiet:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
    # As the real one: Ctrl+C is heard even where a shell has started this in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        options.run(Server(options.host, options.port), options)
    except Cancelled as word:
        say(str(word))
        return 1
    except LmsError as error:
        say(f"Error: {error}")
        return 1
    except (KeyboardInterrupt, BrokenPipeError):
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
